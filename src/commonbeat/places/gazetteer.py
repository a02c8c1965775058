"""Find the places that people name: offline, across spellings and scripts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Length
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from commonbeat.foundation.cells import distance_m
from commonbeat.foundation.text import fold
from commonbeat.places.models import Place, PlaceName

FRESH_SECONDS = 2.0
# Below this, a typed name is called unknown: 72 still forgives two wrong letters in eight.
TYPED_SCORE = 72.0
# In running text one wrong letter is forgiven in words of this length, and shorter single words must be the whole text.
FORGIVING_LENGTH, SHORTEST_ALONE, SHORTEST_ALONE_MISTYPED = 5, 4, 6
MOST_WORDS_OF_TEXT, MOST_WORDS_OF_NAME = 120, 6
# Two places this near under one name are as good as one.
SAME_SPOT_M = 250.0
# What contains much says less of where something lies: "near the old bridge in the new street" is at the bridge.
WIDTH_OF_KIND = {
    "street": 1, "road": 1, "square": 1, "river": 2, "park": 1, "neighbourhood": 2, "neighborhood": 2, "quarter": 2,
    "district": 2, "suburb": 2, "village": 3, "town": 4, "city": 4, "municipality": 4, "region": 5, "country": 6,
}  # fmt: skip
STREET_WORDS = frozenset({"rruga", "rr", "street", "road", "avenue", "bulevardi", "ulica", "ul", "shr", fold("شارع")})
WIDEST_PLACE = 1
# "near the old bridge in the new street" is at the bridge only if the bridge can be in that street.
IN_THE_STREET_M = 1_500.0
# What stands before a name says how surely it is the place: "at" more than "by", "by" more than nothing.
_AT = frozenset(map(fold, "at in on te tek ne në në في على".split()))
_BY = frozenset(
    map(
        fold,
        "near by behind beside opposite outside inside to of from afër afer prane pranë pas para përballë perballe "
        "nga drejt عند قرب بجانب خلف أمام امام مقابل بجوار".split(),
    )
)
_ARTICLES = frozenset({"the", "a"})
# "në Rrugën e Bredhit", "te Ura" and "pranë Urës" are one name: ending of the case → ending of the name.
_ALBANIAN_CASES = {"en": "a", "es": "a", "in": "i", "it": "i", "un": "u", "ut": "u"}
_HOUSE_NUMBER = re.compile(r"\d{1,4}[a-z]?")
# How surely a mention is the place.
_NUMBERED, _IS_AT, _IS_BY, _NAMED, _WORD = 4, 3, 2, 1, 0


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a text may mean; `score` is 0..100, `exact` tells that its very spelling was written."""

    place_id: int
    label: str
    latitude: float
    longitude: float
    score: float
    exact: bool
    # The word of the folded text with which the name begins; -1 where no text was searched.
    position: int = -1


@dataclass(slots=True)
class _Index:
    version: tuple[Any, ...]
    # place id → names by language, kind, latitude, longitude
    places: dict[int, tuple[dict[str, str], str, float, float]] = field(default_factory=dict)
    spellings: dict[str, list[int]] = field(default_factory=dict)
    by_word: dict[str, set[str]] = field(default_factory=dict)
    # a word with one letter left out → words it may come from
    by_deletion: dict[str, set[str]] = field(default_factory=dict)
    most_words: int = 1


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    words: int
    spelling: str
    mistyped: int

    @property
    def score(self) -> float:
        return 100.0 - 8.0 * self.mistyped


_index: _Index | None = None
_checked_at = 0.0


def find_places(text: str, *, language: str, limit: int = 5) -> list[Match]:
    """Find the places that a typed name may mean, best first; several with the same score share the name."""
    query = fold(text[:200])
    if not query:
        return []
    index = _current_index()
    scores: dict[str, float] = {}
    if query in index.spellings:
        scores[query] = 100.0
    names = list(index.spellings)
    for name, score, _position in process.extract(
        query, names, scorer=fuzz.ratio, limit=3 * limit, score_cutoff=TYPED_SCORE
    ):
        scores[name] = max(scores.get(name, 0.0), float(score))
    for name in _sharing_words(index, query):
        # The words match, the rest is missing or too much: never as good as the whole name.
        score = min(96.0, fuzz.token_set_ratio(query, name) * 0.7 + fuzz.ratio(query, name) * 0.3)
        if score >= TYPED_SCORE:
            scores[name] = max(scores.get(name, 0.0), score)
    if len(query) >= 3:
        for name in names:
            if name.startswith(query) and name != query:
                scores[name] = max(scores.get(name, 0.0), 90.0)
    best: dict[int, float] = {}
    for name, score in scores.items():
        for place_id in index.spellings[name]:
            best[place_id] = max(best.get(place_id, 0.0), score)
    exact = set(index.spellings.get(query, ()))
    found = [_match(index, pk, language, score, exact=pk in exact) for pk, score in best.items()]
    found.sort(key=lambda match: (-match.score, match.label, match.place_id))
    return found[:limit]


def known_names() -> Set[str]:
    """Give the folded spellings of every place, kept in memory."""
    return _current_index().spellings.keys()


def place_in_text(text: str, language: str, *, common: Set[str] = frozenset()) -> Match | None:
    """Find the one place that a message names; None when it names none, or does not say which of several."""
    found = places_in_text(text, language, common=common)
    if len(found) == 1:
        return found[0]
    if found and all(
        distance_m(found[0].latitude, found[0].longitude, m.latitude, m.longitude) <= SAME_SPOT_M for m in found
    ):
        return found[0]
    return None


def places_in_text(text: str, language: str, *, limit: int = 5, common: Set[str] = frozenset()) -> list[Match]:
    """Find the places that a message may mean: one, or all between which it does not decide.

    The longest name wins where names overlap. A house number counts more than "at", "at" more than "by", a name of
    several words more than one word; what is wide (a village) only tells apart what it contains. Words in `common`,
    folded, are a place only behind a word such as "at": "dump" also is what one may find anywhere.
    """
    index = _current_index()
    words = [_basic_form(index, word) for word in fold(text[:3000]).split()[:MOST_WORDS_OF_TEXT]]
    mentions = list(_mentions(index, words))
    surely = {mention: _surely(index, words, mention) for mention in mentions}
    mentions = [m for m in mentions if m.spelling not in common or surely[m] >= _IS_BY]
    if not mentions:
        return []
    found: dict[int, Match] = {}
    for mention in _best(index, mentions, surely):
        ids = index.spellings[mention.spelling]
        if len(ids) > 1:
            ids = _near_other_mentions(index, ids, [m for m in mentions if m.spelling != mention.spelling])
        for pk in ids:
            match = _match(index, pk, language, mention.score, exact=not mention.mistyped, position=mention.start)
            found.setdefault(pk, match)
    return list(found.values())[:limit]


def _basic_form(index: _Index, word: str) -> str:
    if word in index.by_word or len(word) < SHORTEST_ALONE:
        return word
    basic = word[:-2] + _ALBANIAN_CASES.get(word[-2:], "  ")
    return basic if basic in index.by_word else word


def _best(index: _Index, mentions: list[_Mention], surely: dict[_Mention, int]) -> list[_Mention]:
    """Choose the mentions that may be the place, in the order of the text; several only where nothing decides."""
    narrowest = min(_width(index, mention) for mention in mentions)
    # A spot and a street may be rivals; a village is none of them.
    rivals = [mention for mention in mentions if _width(index, mention) <= max(narrowest, WIDEST_PLACE)]
    most = max(surely[mention] for mention in rivals)
    best = [mention for mention in rivals if surely[mention] == most]
    if most < _NUMBERED:
        spots = [m for m in rivals if _width(index, m) == 0 and surely[m] >= _IS_BY and not m.mistyped]
        streets = [m for m in best if _width(index, m) > 0]
        if len(spots) == 1 and streets and all(_are_near(index, spots[0], street) for street in streets):
            best = spots
    exact = [mention for mention in best if not mention.mistyped]
    return sorted(exact or best, key=lambda mention: mention.start)


def _surely(index: _Index, words: list[str], mention: _Mention) -> int:
    before = mention.start - 1
    number_before = words[before] if before >= 0 else ""
    while before >= 0 and words[before] in _ARTICLES:
        before -= 1
    after = mention.start + mention.words
    numbers = (number_before, words[after] if after < len(words) else "")
    if _width(index, mention) == 1 and any(_HOUSE_NUMBER.fullmatch(number) for number in numbers):
        return _NUMBERED
    word = words[before] if before >= 0 else ""
    if word in _AT:
        return _IS_AT
    if word in _BY:
        return _IS_BY
    return _NAMED if mention.words > 1 else _WORD


def _are_near(index: _Index, one: _Mention, other: _Mention) -> bool:
    return any(
        distance_m(*index.places[a][2:], *index.places[b][2:]) <= IN_THE_STREET_M
        for a in index.spellings[one.spelling]
        for b in index.spellings[other.spelling]
    )


def _mentions(index: _Index, words: list[str]) -> Iterator[_Mention]:
    taken = [False] * len(words)
    variants = [_variants(index, word) for word in words]
    for size in range(min(index.most_words, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            if any(taken[start : start + size]):
                continue
            mention = _mention_at(index, words, variants, start, size)
            if mention is not None:
                taken[start : start + size] = [True] * size
                yield mention


def _mention_at(index: _Index, words: list[str], variants: list[list[str]], start: int, size: int) -> _Mention | None:
    written = " ".join(words[start : start + size])
    alone = size == 1 and len(words) > 1
    if written in index.spellings and not (alone and len(written) < SHORTEST_ALONE):
        return _Mention(start, size, written, 0)
    if alone and len(written) < SHORTEST_ALONE_MISTYPED:
        return None
    spelled: list[tuple[tuple[str, ...], int]] = [((), 0)]
    for word, others in zip(words[start : start + size], variants[start : start + size], strict=True):
        spelled = [((*done, other), wrong + (other != word)) for done, wrong in spelled for other in (word, *others)][
            :64
        ]
    fitting = [(wrong, " ".join(parts)) for parts, wrong in spelled if " ".join(parts) in index.spellings]
    if not fitting:
        return None
    wrong, spelling = min(fitting)
    return _Mention(start, size, spelling, wrong)


def _variants(index: _Index, word: str) -> list[str]:
    if len(word) < FORGIVING_LENGTH or word in index.by_word:
        return []
    near = set(index.by_deletion.get(word, ()))
    for position in range(len(word)):
        shorter = word[:position] + word[position + 1 :]
        near |= index.by_deletion.get(shorter, set())
        if shorter in index.by_word:
            near.add(shorter)
    return sorted(
        other for other in near if len(other) >= FORGIVING_LENGTH - 1 and OSA.distance(word, other, score_cutoff=1) <= 1
    )[:4]


def _near_other_mentions(index: _Index, ids: list[int], others: list[_Mention]) -> list[int]:
    around = [index.places[pk] for mention in others for pk in index.spellings[mention.spelling]]
    if not around:
        return ids

    def nearest(pk: int) -> float:
        _names, _kind, lat, lon = index.places[pk]
        return min(distance_m(lat, lon, other[2], other[3]) for other in around)

    distances = sorted((nearest(pk), pk) for pk in ids)
    # "Clearly nearer" is twice as near; otherwise the text does not decide.
    return [distances[0][1]] if distances[0][0] * 2 < distances[1][0] else ids


def _width(index: _Index, mention: _Mention) -> int:
    kinds = {index.places[pk][1] for pk in index.spellings[mention.spelling]}
    by_kind = min(WIDTH_OF_KIND.get(kind, 0) for kind in kinds)
    is_street = bool(STREET_WORDS.intersection(mention.spelling.split()))
    return max(by_kind, 1) if is_street else by_kind


def _sharing_words(index: _Index, query: str) -> set[str]:
    rows = [index.by_word[word] for word in query.split() if len(word) >= 3 and word in index.by_word]
    # Words such as "street" stand in half of all names and tell nothing apart.
    rows.sort(key=len)
    found: set[str] = set()
    for row in rows[:3]:
        if len(found) + len(row) <= 400:
            found |= row
    return found


def _match(index: _Index, place_id: int, language: str, score: float, *, exact: bool, position: int = -1) -> Match:
    names, _kind, lat, lon = index.places[place_id]
    label = names.get(language) or next(iter(names.values()), "")
    return Match(place_id, label, lat, lon, round(score, 1), exact, position)


def _current_index() -> _Index:
    global _index, _checked_at
    moment = time.monotonic()
    if _index is not None and not connection.in_atomic_block and moment - _checked_at < FRESH_SECONDS:
        return _index
    version = _version()
    if _index is None or _index.version != version:
        _index = _build(version)
    _checked_at = moment
    return _index


def _version() -> tuple[Any, ...]:
    names = PlaceName.objects.aggregate(
        count=Count("id"), last=Max("id"), low=Min("folded"), high=Max("folded"), letters=Sum(Length("folded"))
    )
    places = Place.objects.aggregate(
        count=Count("id"), last=Max("id"), north=Sum("latitude"), east=Sum("longitude"), kinds=Sum(Length("kind"))
    )
    return (*names.values(), *places.values())


def _build(version: tuple[Any, ...]) -> _Index:
    index = _Index(version)
    for place in Place.objects.iterator():
        index.places[place.pk] = (place.names, place.kind, place.latitude, place.longitude)
    for folded, place_id in PlaceName.objects.order_by("id").values_list("folded", "place_id"):
        index.spellings.setdefault(folded, []).append(place_id)
    for spelling in index.spellings:
        words = spelling.split()
        index.most_words = min(max(index.most_words, len(words)), MOST_WORDS_OF_NAME)
        for word in words:
            index.by_word.setdefault(word, set()).add(spelling)
    for word in index.by_word:
        if len(word) >= FORGIVING_LENGTH:
            for position in range(len(word)):
                index.by_deletion.setdefault(word[:position] + word[position + 1 :], set()).add(word)
    return index
