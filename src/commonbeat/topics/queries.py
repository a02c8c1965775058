"""Read topics."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast
from rapidfuzz.distance import OSA

from commonbeat.foundation.text import fold
from commonbeat.topics.definition import Definition, decode
from commonbeat.topics.models import Topic, TopicVersion

# Another process sees a changed topic after this long at most; reading and decoding nine topics costs about 1 ms.
FRESH_SECONDS = 2.0
# A typing error is forgiven in keywords of this length: below it, "dump" would also be "pump".
FORGIVING_LENGTH = 5
# "lamps", "dumping", "plehrave": a keyword with an ending; of three letters, "van" would also be "vandal".
SHORTEST_STEM, LONGEST_ENDING = 4, 3
# What somebody saw of what an alert asks for. It stands in no list of topics: such a report begins at the alert.
SIGHTING = "sighting"
# What somebody writes to the officer of their beat. It begins at the word OFFICER.
TO_OFFICER = "to-officer"
UNLISTED = frozenset({SIGHTING, TO_OFFICER})
_LONGEST_KEYWORD = 3
_READ = 1_000
# "and the", "in the", "for the", written onto the word.
_ARABIC_PREFIXES = ("وال", "بال", "فال", "كال", "لل", "و", "ب", "ل")

_WORDS = re.compile(r"[^\W_]+(?:[^\W_]|[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670'’])*")
_ARABIC = re.compile("[\u0600-\u06ff]")
_ARABIC_FORMS = str.maketrans({"ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "\u0640": None})

_cached: tuple[float, list[Topic]] | None = None


def all_topics() -> list[Topic]:
    """Read every topic with its current version, in order; shared objects, not to be changed."""
    global _cached
    if connection.in_atomic_block:
        # Inside a transaction its own changes count, and they may still be rolled back.
        return _read()
    moment = time.monotonic()
    if _cached is None or moment - _cached[0] > FRESH_SECONDS:
        _cached = (moment, _read())
    return list(_cached[1])


def forget_topics() -> None:
    """Make this process read the topics again."""
    global _cached
    _cached = None


def enabled_topics() -> list[Topic]:
    """Read the topics that can be reported now, in order."""
    return [topic for topic in all_topics() if topic.enabled]


def offered_topics() -> list[Topic]:
    """Read the topics from which somebody who reports can choose, in order."""
    return [topic for topic in enabled_topics() if topic.code not in UNLISTED]


def public_topics() -> list[Topic]:
    """Read the topics of which something may be public, also those that are no longer offered, in order."""
    return [topic for topic in all_topics() if not topic.definition.never_public]


def topic_by_code(code: str) -> Topic | None:
    """Find a topic, enabled or not, by its short name."""
    return next((topic for topic in all_topics() if topic.code == code), None)


def version_of(topic_id: int, number: int) -> TopicVersion | None:
    """Find one version of a topic."""
    return TopicVersion.objects.filter(topic_id=topic_id, number=number).first()


def versions_of(topic_id: int) -> list[TopicVersion]:
    """Read the newest fifty versions of a topic, newest first."""
    return list(TopicVersion.objects.filter(topic_id=topic_id).order_by("-number")[:50])


def keyword_key(keyword: str) -> str:
    """Fold a keyword, or the words of a message, for matching: Latin to ASCII, other scripts within themselves."""
    return " ".join(part for word in _WORDS.findall(keyword) if (part := _fold_word(word)))


def keyword_owners(topics: Iterable[Topic]) -> dict[str, Topic]:
    """Map each folded keyword to its topic; of two claims the earlier topic's counts."""
    owners: dict[str, Topic] = {}
    for topic in topics:
        for keyword in topic.definition.keywords:
            owners.setdefault(_key_of_keyword(keyword), topic)
    owners.pop("", None)
    return owners


def match_keyword(text: str, language: str, *, topics: Sequence[Topic] | None = None) -> Topic | None:
    """Find the enabled topic whose keyword, or name, begins a message; one typing error in longer words is forgiven.

    A caller that has read the topics already hands them in.
    """
    words = keyword_key(text[:200]).split()
    if not words:
        return None
    topics = enabled_topics() if topics is None else topics
    owners = keyword_owners(topics)
    for topic in topics:
        # The code word of trained reporters, too: whoever is not enrolled has seen it on somebody's card.
        for name in (topic.name_in(language), *topic.definition.structured.words.values()):
            owners.setdefault(_key_of_keyword(name), topic)
    longest = max((key.count(" ") + 1 for key in owners), default=0)
    for length in range(min(longest, len(words)), 0, -1):
        topic_found = owners.get(" ".join(words[:length]))
        if topic_found is not None:
            return topic_found
    if len(words[0]) < FORGIVING_LENGTH:
        return None
    near = {topic.pk: topic for key, topic in owners.items() if _is_mistyped(words[0], key)}
    # Two topics as near as each other: better to ask than to guess.
    return next(iter(near.values())) if len(near) == 1 else None


def topic_in_text(text: str, topics: Iterable[Topic], *, guess: bool = True) -> Topic | None:
    """Find the one topic that the words of a text speak of, wherever they stand; None when it is none, or unclear.

    A keyword counts 2, one with another ending 1, one mistyped 1 (not so where guess=False); the best must have
    twice the next.
    """
    owners = keyword_owners(topics)
    by_letter: dict[str, list[str]] = {}
    for key in owners:
        if " " not in key and len(key) >= SHORTEST_STEM:
            by_letter.setdefault(key[0], []).append(key)
    words = keyword_key(text[:_READ]).split()
    found: dict[str, int] = {}
    for run in _runs(words):
        if run in owners:
            found[run] = 2
    for word in {plain for each in words for plain in _without_prefix(each)}:
        if word in owners:
            found[word] = 2
        elif len(word) >= FORGIVING_LENGTH:
            near = by_letter.get(word[0], ())
            for key in [key for key in near if _is_form_of(word, key)] or (
                [key for key in near if guess and _is_mistyped(word, key)]
            ):
                found.setdefault(key, 1)
    scores: dict[int, int] = {}
    by_id: dict[int, Topic] = {}
    for key, score in found.items():
        by_id[owners[key].pk] = owners[key]
        scores[owners[key].pk] = scores.get(owners[key].pk, 0) + score
    best = sorted(scores, key=lambda pk: -scores[pk])
    if not best or (len(best) > 1 and scores[best[0]] < 2 * scores[best[1]]):
        return None
    return by_id[best[0]]


def keyword_length(text: str, topic: Topic, language: str) -> int:
    """Count the words at the beginning of a text that are a keyword or the name of a topic."""
    words = keyword_key(text[:200]).split()
    keys = {*keyword_owners([topic]), _key_of_keyword(topic.name_in(language)), keyword_key(topic.code)}
    keys |= {_key_of_keyword(word) for word in topic.definition.structured.words.values()}
    for length in range(min(max(key.count(" ") for key in keys) + 1, len(words)), 0, -1):
        if " ".join(words[:length]) in keys:
            return length
    return 1 if words and any(_is_mistyped(words[0], key) for key in keys) else 0


def keyword_in(topic: Topic, language: str) -> str:
    """Give the keyword to show to readers of a language: one that its name there holds, else one of that script."""
    keywords = topic.definition.keywords
    keys = {_key_of_keyword(keyword) for keyword in keywords}
    for word in _WORDS.findall(topic.name_in(language)):
        if keyword_key(word) in keys:
            return str(word)
    is_arabic = language == "ar"
    fitting = [keyword for keyword in keywords if bool(_ARABIC.search(keyword)) == is_arabic]
    return (fitting or keywords or [""])[0]


@lru_cache(maxsize=2_000)
def _key_of_keyword(keyword: str) -> str:
    # Kept, for they are few and asked for with each message; what people write is not kept.
    return keyword_key(keyword)


def _runs(words: Sequence[str]) -> Iterator[str]:
    for length in range(_LONGEST_KEYWORD, 1, -1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _without_prefix(word: str) -> Iterator[str]:
    yield word
    for prefix in _ARABIC_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= SHORTEST_STEM - 1:
            yield word.removeprefix(prefix)


def _is_form_of(word: str, key: str) -> bool:
    return word.startswith(key) and len(word) - len(key) <= LONGEST_ENDING


def _is_mistyped(word: str, key: str) -> bool:
    return (
        min(len(word), len(key)) >= FORGIVING_LENGTH
        and key[0] == word[0]
        and OSA.distance(key, word, score_cutoff=1) <= 1
    )


def _fold_word(word: str) -> str:
    if not _ARABIC.search(word):
        return fold(word)
    # In ASCII, Arabic keeps its consonants alone, and دواء (medicine) would be ضوء (light).
    letters = unicodedata.normalize("NFKD", word)
    plain = "".join(c for c in letters if unicodedata.category(c) != "Mn").translate(_ARABIC_FORMS).replace("ء", "")
    return plain.removeprefix("ال") if len(plain) > 4 else plain


def _read() -> list[Topic]:
    rows = Topic.objects.filter(current__isnull=False).select_related("current").order_by("position", "id")
    # Reading the JSON of nine definitions takes 1 ms, and each message of the dialogue asks for them.
    topics: list[Topic] = [*rows.defer("current__data").annotate(written=Cast("current__data", TextField()))]
    for topic in topics:
        assert topic.current is not None
        topic.current.definition = _definition(vars(topic)["written"])
    return topics


@lru_cache(maxsize=100)
def _definition(written: str) -> Definition:
    return decode(msgspec.json.decode(written))
