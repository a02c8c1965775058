"""Every name of the gazetteer in a few arrays: 500,000 names take about 40 MB, and one pass over them 2 ms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

# Words of this length or more may have one wrong letter.
FORGIVING_LENGTH = 5
_LONGEST_WORD = 30
_MOST_VARIANTS = 4
# A word in fewer than one of so many names tells them apart.
_TELLING = 50
# Names that are compared by their letters without looking for fewer, and those that are surely enough.
_MOST_SHARING, _ENOUGH = 20_000, 10_000
# What is kept of words looked up before: a text's everyday words come again and again.
_MOST_REMEMBERED = 10_000

_Masks = NDArray[np.uint64]


class Row(NamedTuple):
    """A name as the database has it."""

    folded: str
    place_id: int
    learned: bool


class _Words(NamedTuple):
    """The words of one length, sorted."""

    words: NDArray[np.bytes_]
    counts: NDArray[np.int32]
    low: _Masks
    high: _Masks


class _Asked:
    """The pairs of letters of a text."""

    def __init__(self, text: str) -> None:
        (self.low,), (self.high,) = masks_of([text])
        self.pairs = int(np.bitwise_count(self.low)) + int(np.bitwise_count(self.high))


class NamesIndex:
    """The folded names and their words; never changed once made, so that threads may share it."""

    def __init__(self) -> None:
        """Begin without names."""
        self._text = b""
        self._starts = np.zeros(1, np.int32)
        self._places = np.zeros(0, np.int64)
        self._learned = np.zeros(0, np.bool_)
        self._low, self._high = np.zeros(0, np.uint64), np.zeros(0, np.uint64)
        self._bits = np.zeros(0, np.uint8)
        self._hashes, self._order = np.zeros(0, np.int64), np.zeros(0, np.int32)
        self._words: dict[int, _Words] = {}
        self._variants: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._places)

    @property
    def size(self) -> int:
        """Count the bytes that it takes."""
        arrays: list[NDArray[Any]] = [
            self._starts,
            self._places,
            self._learned,
            self._low,
            self._high,
            self._bits,
            self._hashes,
        ]
        words = 0
        for group in self._words.values():
            words += group.words.nbytes + group.counts.nbytes + group.low.nbytes + group.high.nbytes
        return len(self._text) + sum(array.nbytes for array in (*arrays, self._order)) + words

    def with_more(self, chunks: Iterable[Sequence[Row]]) -> NamesIndex:
        """Give an index that holds further names as well."""
        made = NamesIndex()
        texts, places, learned = [self._text], [self._places], [self._learned]
        lows, highs, lengths, hashes = [self._low], [self._high], [np.diff(self._starts)], [self._by_row()]
        vocabulary = _Vocabulary(self._words)
        for rows in chunks:
            names = [row.folded for row in rows]
            low, high = masks_of(names)
            texts.append("".join(names).encode())
            places.append(np.fromiter((row.place_id for row in rows), np.int64, len(rows)))
            learned.append(np.fromiter((row.learned for row in rows), np.bool_, len(rows)))
            lengths.append(np.fromiter(map(len, names), np.int32, len(rows)))
            hashes.append(np.fromiter(map(hash, names), np.int64, len(rows)))
            lows.append(low)
            highs.append(high)
            vocabulary.add(names)
        made._text = b"".join(texts)
        made._places, made._learned = np.concatenate(places), np.concatenate(learned)
        made._low, made._high = np.concatenate(lows), np.concatenate(highs)
        made._bits = np.bitwise_count(made._low) + np.bitwise_count(made._high)
        made._starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(np.concatenate(lengths), dtype=np.int32)])
        by_row = np.concatenate(hashes)
        made._order = np.argsort(by_row, kind="stable").astype(np.int32)
        made._hashes = by_row[made._order]
        made._words = vocabulary.words()
        return made

    def place_ids(self, name: str) -> list[int]:
        """Give the places of which this is a name, in the order in which they came to know it."""
        return [int(self._places[row]) for row in self._rows(name)]

    def is_given(self, name: str) -> bool:
        """Tell whether this is a name of some place that a file or a member of staff has given."""
        return any(not self._learned[row] for row in self._rows(name))

    def has(self, name: str) -> bool:
        """Tell whether this is a name of some place."""
        return next(self._rows(name), None) is not None

    def count_of(self, word: str) -> int:
        """Count in how many names a word stands."""
        group = self._words.get(len(word))
        if group is None or not word.isascii():
            return 0
        at = int(np.searchsorted(group.words, word.encode()))
        return int(group.counts[at]) if at < len(group.words) and group.words[at] == word.encode() else 0

    def variants(self, word: str) -> list[str]:
        """Give the words that a mistyped one may stand for: one letter wrong, missing, too much, or two exchanged."""
        known = self._variants.get(word)
        if known is None:
            known = sorted(self._one_off(word))[:_MOST_VARIANTS]
            if len(self._variants) >= _MOST_REMEMBERED:
                self._variants.clear()
            self._variants[word] = known
        return known

    def like(self, query: str, most: int) -> list[tuple[str, int]]:
        """Give the names that share most pairs of letters with a text, or hold all of it, each with a place."""
        # "Rruga e" stands in thousands of names; those that share no more with the text are not looked at.
        telling = [word for word in query.split() if self.count_of(word) * _TELLING < len(self)]
        rows = self._sharing(_Asked(" ".join(telling) or query), 0.5)
        asked = _Asked(query)
        common = self._common(asked, rows)
        # What holds all of the text but its end may be meant by it, however much longer it is.
        alike = self._alike(asked, rows, common) + (common >= asked.pairs - 1).astype(np.float32) * np.float32(0.4)
        return self._named(_best(rows, alike, most))

    def holding(self, word: str, query: str, most: int) -> list[tuple[str, int]]:
        """Give the names that hold a word: those that share most pairs of letters with a text."""
        rows = self._sharing(_Asked(word), 1.0)
        asked = _Asked(query)
        return self._named(_best(rows, self._alike(asked, rows, self._common(asked, rows)), most))

    def _sharing(self, asked: _Asked, part: float) -> NDArray[np.intp]:
        common = np.bitwise_count(self._low & asked.low)
        common += np.bitwise_count(self._high & asked.high)
        wanted = max(1, int(asked.pairs * part))
        rows = np.flatnonzero(common >= wanted)
        # A third of all names may share half of four pairs; they are not compared while enough share more.
        shared = common[rows]
        while len(rows) > _MOST_SHARING and wanted < asked.pairs:
            wanted += 1
            more = shared >= wanted
            if np.count_nonzero(more) < _ENOUGH:
                break
            rows, shared = rows[more], shared[more]
        return rows

    def _common(self, asked: _Asked, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        common: NDArray[np.uint8] = np.bitwise_count(self._low[rows] & asked.low)
        common += np.bitwise_count(self._high[rows] & asked.high)
        return common

    def _alike(self, asked: _Asked, rows: NDArray[np.intp], common: NDArray[np.uint8]) -> NDArray[np.float32]:
        return common / (self._bits[rows].astype(np.float32) + np.float32(asked.pairs)) * np.float32(2.0)

    def _named(self, rows: Iterable[int]) -> list[tuple[str, int]]:
        return [(self._name(int(row)), int(self._places[row])) for row in rows]

    def _name(self, row: int) -> str:
        return self._text[self._starts[row] : self._starts[row + 1]].decode()

    def _rows(self, name: str) -> Iterator[int]:
        wanted = np.int64(hash(name))
        at = int(np.searchsorted(self._hashes, wanted))
        while at < len(self._hashes) and self._hashes[at] == wanted:
            row = int(self._order[at])
            if self._name(row) == name:
                yield row
            at += 1

    def _by_row(self) -> NDArray[np.int64]:
        by_row = np.empty_like(self._hashes)
        by_row[self._order] = self._hashes
        return by_row

    def _one_off(self, word: str) -> Iterator[str]:
        if len(word) < FORGIVING_LENGTH or not word.isascii():
            return
        asked = _Asked(word)
        # Two exchanged letters change three pairs.
        wanted = max(1, asked.pairs - 3)
        for length in range(max(len(word) - 1, FORGIVING_LENGTH - 1), len(word) + 2):
            group = self._words.get(length)
            if group is None:
                continue
            common = np.bitwise_count(group.low & asked.low)
            common += np.bitwise_count(group.high & asked.high)
            for at in np.flatnonzero(common >= wanted):
                other = group.words[at].decode()
                if other != word and OSA.distance(word, other, score_cutoff=1) <= 1:
                    yield other


class _Vocabulary:
    """Collects words and how often they come."""

    def __init__(self, known: dict[int, _Words]) -> None:
        self._known = known
        self._parts: dict[int, list[tuple[NDArray[np.bytes_], NDArray[np.int32]]]] = {
            length: [(group.words, group.counts)] for length, group in known.items()
        }
        self._touched: set[int] = set()

    def add(self, names: Iterable[str]) -> None:
        counts = Counter(word for name in names for word in set(name.split()))
        by_length: dict[int, list[str]] = {}
        for word in counts:
            if len(word) <= _LONGEST_WORD:
                by_length.setdefault(len(word), []).append(word)
        for length, words in by_length.items():
            numbers = np.fromiter((counts[word] for word in words), np.int32, len(words))
            self._parts.setdefault(length, []).append((np.array(words, dtype=f"S{length}"), numbers))
            self._touched.add(length)

    def words(self) -> dict[int, _Words]:
        return {
            length: _merged(parts) if length in self._touched else self._known[length]
            for length, parts in self._parts.items()
        }


def _merged(parts: list[tuple[NDArray[np.bytes_], NDArray[np.int32]]]) -> _Words:
    words, which = np.unique(np.concatenate([words for words, _counts in parts]), return_inverse=True)
    counts = np.zeros(len(words), np.int32)
    np.add.at(counts, which.ravel(), np.concatenate([counts for _words, counts in parts]))
    return _Words(words, counts, *masks_of([word.decode() for word in words]))


def masks_of(names: Sequence[str]) -> tuple[_Masks, _Masks]:
    """Give for each folded name 128 bits that stand for its pairs of letters, a space before and behind each word."""
    if not names:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    letters = np.frombuffer(f" {' '.join(names)} ".encode("ascii", "replace"), np.uint8)
    starts = np.cumsum([0, *(len(name) + 1 for name in names[:-1])])
    bits = _bit_of_pair()[letters[:-1].astype(np.intp) * 128 + letters[1:]]
    flags = np.left_shift(np.uint64(1), (bits & 63).astype(np.uint64))
    none = np.uint64(0)
    return (
        np.bitwise_or.reduceat(np.where(bits < 64, flags, none), starts),
        np.bitwise_or.reduceat(np.where(bits < 64, none, flags), starts),
    )


def _best(rows: NDArray[np.intp], scores: NDArray[np.float32], most: int) -> NDArray[np.intp]:
    if len(rows) <= most:
        return rows
    return rows[np.argpartition(-scores, most)[:most]]


@cache
def _bit_of_pair() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 128, 128 * 128, dtype=np.uint8)
