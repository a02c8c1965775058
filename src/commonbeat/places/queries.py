"""Read the gazetteer for the pages of administration."""

from __future__ import annotations

from django.db.models import Count, F

from commonbeat.places.gazetteer import find_places
from commonbeat.places.models import NameSource, Place, PlaceName

PAGE, MOST_FOUND, MOST_TO_JUDGE = 50, 30, 30


def newest_places(*, before: int | None = None) -> list[Place]:
    """Give a page of places, newest first, each with `spellings_count`; one more than a page where there are more."""
    places = Place.objects.annotate(spellings_count=Count("spellings")).order_by("-pk")
    return list((places.filter(pk__lt=before) if before else places)[: PAGE + 1])


def places_like(text: str, language: str) -> list[Place]:
    """Give the places that a typed name may mean, best first."""
    ids = [match.place_id for match in find_places(text, language=language, limit=MOST_FOUND)]
    found = Place.objects.annotate(spellings_count=Count("spellings")).in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def names_of(place: Place) -> list[PlaceName]:
    """Give all spellings of a place, what staff and files gave before what was learned."""
    return list(place.spellings.order_by(F("source").asc(), "pk"))


def to_judge() -> list[PlaceName]:
    """Give the newest learned spellings that nobody has judged, each with its place."""
    learned = PlaceName.objects.filter(source=NameSource.LEARNED).select_related("place")
    return list(learned.order_by("-pk")[:MOST_TO_JUDGE])


def counts() -> tuple[int, int]:
    """Count the places and their names."""
    return Place.objects.count(), PlaceName.objects.count()
