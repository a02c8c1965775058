"""Learn the spellings that people use: from several people who each confirmed what they meant, never from one."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from commonbeat.foundation.crypto import derive, keyed_hash
from commonbeat.foundation.text import fold
from commonbeat.journal.actions import append
from commonbeat.places.models import HeardSpelling, NameSource, Place, PlaceName, RefusedSpelling

SPELLING_LEARNED = "places.spelling_learned"
# So many different people must have confirmed it.
LEARN_AFTER = 3
HEARD_DAYS = 180
MOST_WORDS, LONGEST, SHORTEST = 5, 60, 3
# What is kept of one place is bounded, whatever people write.
MOST_HEARD = 200
MOST_LEARNED = 10
_DIGIT_RUN = re.compile(r"\d{4,}")


def hear_spelling(*, place_id: int, text: str, person: str, now: datetime) -> bool:
    """Count that a person wrote this and then confirmed the place; tell whether it has become a name of it.

    Nothing is kept of a text that is long or holds numbers such as a telephone's; the caller refuses what screening
    finds. `person` is hashed with the site's key and the words, so that a row tells of nobody.
    """
    folded = learnable(text)
    if not folded:
        return False
    with transaction.atomic():
        # Locked, so that of two who confirm at once the second sees the first.
        place = Place.objects.select_for_update().filter(pk=place_id).first()
        if place is None or _is_settled(place, folded):
            return False
        heard = HeardSpelling.objects.filter(place=place)
        if heard.count() >= MOST_HEARD:
            return False
        witness = _witness(person, place_id, folded)
        HeardSpelling.objects.get_or_create(place=place, folded=folded, witness=witness, defaults={"heard_at": now})
        since = now - timedelta(days=HEARD_DAYS)
        if heard.filter(folded=folded, heard_at__gt=since).count() < LEARN_AFTER:
            return False
        if PlaceName.objects.filter(place=place, source=NameSource.LEARNED).count() >= MOST_LEARNED:
            return False
        PlaceName.objects.create(place=place, folded=folded, source=NameSource.LEARNED)
        heard.filter(folded=folded).delete()
        append(kind=SPELLING_LEARNED, subject_id=place.pk, now=now)
    return True


def learnable(text: str) -> str:
    """Give the words of a text that may become a name of a place; empty when it may not."""
    if len(text) > 2 * LONGEST:
        return ""
    folded = fold(text)
    words = folded.split()
    # Of the text as well: an emoji folds to words, and some letters fold to numbers.
    letters = min(sum(map(str.isalpha, text)), sum(map(str.isalpha, folded)))
    if not (letters >= SHORTEST and len(folded) <= LONGEST and len(words) <= MOST_WORDS):
        return ""
    digits = "".join(character for character in folded if character.isdigit())
    # A house number may be part of a name, a telephone's may not, in one piece or in several.
    return "" if _DIGIT_RUN.search(folded) or len(digits) > 4 else folded


def purge_heard(*, now: datetime) -> int:
    """Delete what was heard so long ago that it has not become a name."""
    deleted, _by_model = HeardSpelling.objects.filter(heard_at__lte=now - timedelta(days=HEARD_DAYS)).delete()
    return deleted


def _is_settled(place: Place, folded: str) -> bool:
    return (
        PlaceName.objects.filter(place=place, folded=folded).exists()
        or RefusedSpelling.objects.filter(place=place, folded=folded).exists()
    )


def _witness(person: str, place_id: int, folded: str) -> bytes:
    return keyed_hash(derive(settings.COMMONBEAT.secret, "heard spelling"), f"{place_id}\0{folded}\0{person}")
