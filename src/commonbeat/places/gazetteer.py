"""Find the places that people name: offline, across spellings and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import islice, product

from rapidfuzz import fuzz

from commonbeat.foundation.cells import distance_m
from commonbeat.foundation.text import fold
from commonbeat.places.look import KnownNames, Look, current_look

# Below this, a typed name is called unknown: 72 still forgives two wrong letters in eight.
TYPED_SCORE = 72.0
# In running text one wrong letter is forgiven in words of this length, and shorter single words must be the whole text.
SHORTEST_ALONE, SHORTEST_ALONE_MISTYPED = 4, 6
SHORTEST_SHARED = 3
MOST_WORDS_OF_TEXT, MOST_WORDS_OF_NAME = 120, 6
# Names that are compared letter by letter; of what shares one word, more tell nothing apart.
MOST_COMPARED, MOST_SHARING = 100, 400
# Of places with one name, pairs whose distance is taken.
MOST_PAIRS = 20_000
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


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    words: int
    spelling: str
    mistyped: int

    @property
    def score(self) -> float:
        return 100.0 - 8.0 * self.mistyped


def find_places(text: str, *, language: str, limit: int = 5) -> list[Match]:
    """Find the places that a typed name may mean, best first; several with the same score share the name."""
    query = fold(text[:200])
    if not query:
        return []
    look = current_look()
    exact = set(look.ids(query))
    best = dict.fromkeys(exact, 100.0)
    words = {word for word in query.split() if len(word) >= SHORTEST_SHARED}
    for name, place_id in _candidates(look, query, set() if exact else words):
        score = _likeness(query, words, name)
        if score > best.get(place_id, 0.0):
            best[place_id] = score
    # Names are read only of what may be shown; of many with one score, the places that came first.
    first = sorted((pk for pk in best if best[pk] >= TYPED_SCORE), key=lambda pk: (-best[pk], pk))[: 4 * limit]
    look.load(first)
    found = [_match(look, pk, language, best[pk], exact=pk in exact) for pk in first if pk in look.places]
    found.sort(key=lambda match: (-match.score, match.label, match.place_id))
    return found[:limit]


def place_called(name: str, *, language: str) -> Match | None:
    """Find the one place of exactly this name; None where none or several have it."""
    exact = [match for match in find_places(name, language=language, limit=2) if match.exact]
    return exact[0] if len(exact) == 1 else None


def known_names() -> KnownNames:
    """Give the folded names that staff or a file have given; what was only learned is not among them."""
    return KnownNames(current_look().index)


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
    look = current_look()
    words = [_basic_form(look, word) for word in fold(text[:3000]).split()[:MOST_WORDS_OF_TEXT]]
    mentions = list(_mentions(look, words))
    look.load(pk for mention in mentions for pk in look.ids(mention.spelling))
    mentions = [mention for mention in mentions if look.ids(mention.spelling)]
    surely = {mention: _surely(look, words, mention) for mention in mentions}
    mentions = [m for m in mentions if m.spelling not in common or surely[m] >= _IS_BY]
    if not mentions:
        return []
    found: dict[int, Match] = {}
    for mention in _best(look, mentions, surely):
        ids = look.ids(mention.spelling)
        if len(ids) > 1:
            ids = _near_other_mentions(look, ids, [m for m in mentions if m.spelling != mention.spelling])
        for pk in ids:
            match = _match(look, pk, language, mention.score, exact=not mention.mistyped, position=mention.start)
            found.setdefault(pk, match)
    return list(found.values())[:limit]


def _basic_form(look: Look, word: str) -> str:
    if look.has_word(word) or len(word) < SHORTEST_ALONE:
        return word
    basic = word[:-2] + _ALBANIAN_CASES.get(word[-2:], "  ")
    return basic if look.has_word(basic) else word


def _best(look: Look, mentions: list[_Mention], surely: dict[_Mention, int]) -> list[_Mention]:
    """Choose the mentions that may be the place, in the order of the text; several only where nothing decides."""
    narrowest = min(_width(look, mention) for mention in mentions)
    # A spot and a street may be rivals; a village is none of them.
    rivals = [mention for mention in mentions if _width(look, mention) <= max(narrowest, WIDEST_PLACE)]
    most = max(surely[mention] for mention in rivals)
    best = [mention for mention in rivals if surely[mention] == most]
    if most < _NUMBERED:
        spots = [m for m in rivals if _width(look, m) == 0 and surely[m] >= _IS_BY and not m.mistyped]
        streets = [m for m in best if _width(look, m) > 0]
        if len(spots) == 1 and streets and all(_are_near(look, spots[0], street) for street in streets):
            best = spots
    exact = [mention for mention in best if not mention.mistyped]
    return sorted(exact or best, key=lambda mention: mention.start)


def _surely(look: Look, words: list[str], mention: _Mention) -> int:
    before = mention.start - 1
    number_before = words[before] if before >= 0 else ""
    while before >= 0 and words[before] in _ARTICLES:
        before -= 1
    after = mention.start + mention.words
    numbers = (number_before, words[after] if after < len(words) else "")
    if _width(look, mention) == 1 and any(_HOUSE_NUMBER.fullmatch(number) for number in numbers):
        return _NUMBERED
    word = words[before] if before >= 0 else ""
    if word in _AT:
        return _IS_AT
    if word in _BY:
        return _IS_BY
    return _NAMED if mention.words > 1 else _WORD


def _are_near(look: Look, one: _Mention, other: _Mention) -> bool:
    pairs = product(look.ids(one.spelling), look.ids(other.spelling))
    return any(
        distance_m(*look.places[a][2:], *look.places[b][2:]) <= IN_THE_STREET_M for a, b in islice(pairs, MOST_PAIRS)
    )


def _mentions(look: Look, words: list[str]) -> Iterator[_Mention]:
    taken = [False] * len(words)
    variants = [_variants(look, word) for word in words]
    for size in range(min(MOST_WORDS_OF_NAME, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            if any(taken[start : start + size]):
                continue
            mention = _mention_at(look, words, variants, start, size)
            if mention is not None:
                taken[start : start + size] = [True] * size
                yield mention


def _mention_at(look: Look, words: list[str], variants: list[list[str]], start: int, size: int) -> _Mention | None:
    written = " ".join(words[start : start + size])
    alone = size == 1 and len(words) > 1
    if written in look and not (alone and len(written) < SHORTEST_ALONE):
        return _Mention(start, size, written, 0)
    if alone and len(written) < SHORTEST_ALONE_MISTYPED:
        return None
    spelled: list[tuple[tuple[str, ...], int]] = [((), 0)]
    for word, others in zip(words[start : start + size], variants[start : start + size], strict=True):
        spelled = [((*done, other), wrong + (other != word)) for done, wrong in spelled for other in (word, *others)][
            :64
        ]
    fitting = [(wrong, " ".join(parts)) for parts, wrong in spelled if " ".join(parts) in look]
    if not fitting:
        return None
    wrong, spelling = min(fitting)
    return _Mention(start, size, spelling, wrong)


def _variants(look: Look, word: str) -> list[str]:
    return [] if look.has_word(word) else look.index.variants(word)


def _near_other_mentions(look: Look, ids: list[int], others: list[_Mention]) -> list[int]:
    around = [look.places[pk] for mention in others for pk in look.ids(mention.spelling)]
    around = around[: MOST_PAIRS // len(ids)]
    if not around:
        return ids

    def nearest(pk: int) -> float:
        _names, _kind, lat, lon = look.places[pk]
        return min(distance_m(lat, lon, other[2], other[3]) for other in around)

    distances = sorted((nearest(pk), pk) for pk in ids)
    # "Clearly nearer" is twice as near; otherwise the text does not decide.
    return [distances[0][1]] if distances[0][0] * 2 < distances[1][0] else ids


def _width(look: Look, mention: _Mention) -> int:
    kinds = {look.places[pk][1] for pk in look.ids(mention.spelling)}
    by_kind = min(WIDTH_OF_KIND.get(kind, 0) for kind in kinds)
    is_street = bool(STREET_WORDS.intersection(mention.spelling.split()))
    return max(by_kind, 1) if is_street else by_kind


def _candidates(look: Look, query: str, words: set[str]) -> Iterator[tuple[str, int]]:
    yield from look.index.like(query, MOST_COMPARED)
    # Words such as "street" stand in half of all names and tell nothing apart.
    rare = [word for word in words if 0 < look.index.count_of(word) <= MOST_SHARING]
    if rare and query not in rare:
        yield from look.index.holding(min(rare, key=look.index.count_of), query, MOST_COMPARED)


def _likeness(query: str, words: set[str], name: str) -> float:
    score = float(fuzz.ratio(query, name))
    if name.startswith(query) and len(query) >= SHORTEST_SHARED:
        score = max(score, 90.0)
    if not words.isdisjoint(name.split()):
        # The words match, the rest is missing or too much: never as good as the whole name.
        score = max(score, min(96.0, fuzz.token_set_ratio(query, name) * 0.7 + score * 0.3))
    return 100.0 if name == query else score


def _match(look: Look, place_id: int, language: str, score: float, *, exact: bool, position: int = -1) -> Match:
    names, _kind, lat, lon = look.places[place_id]
    label = names.get(language) or next(iter(names.values()), "")
    return Match(place_id, label, lat, lon, round(score, 1), exact, position)
