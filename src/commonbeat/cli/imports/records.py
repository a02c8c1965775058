"""What every reader of files gives: one record after the other, and a sentence where there is none."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commonbeat.foundation.text import clean_text

# Ushahidi's longest description in the Haiti file has 4,423 characters; a row of 200 kB is a lost quote.
ROW_LIMIT = 200_000
_BLOCK = 1 << 20
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

Cell = str | list[str]


class FileNotReadable(ValueError):
    """The file as a whole cannot be taken; carries a sentence."""


class RowError(ValueError):
    """Carry the rest of a sentence that begins with “it”."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table or one feature, as it stands in the file; or what is wrong with it."""

    number: int
    # Column → what stands there; empty where a problem is.
    values: Mapping[str, Cell]
    # All of it as one text, for its hash.
    raw: str
    geometry: Mapping[str, Any] | None = None
    problem: str = ""
    # Lines of the file that it takes; in JSON, 1.
    lines: int = field(default=1, compare=False)


def fingerprint(raw: str) -> int:
    """Give 60 bits that stand for a text."""
    return int(content_key(raw)[:15], 16)


def content_key(raw: str) -> str:
    """Give a key for a row that has no id: a hash of all it says."""
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()[:24]


def shown(text: str, limit: int = 60) -> str:
    """Give a piece of a file fit for a sentence: one line, short, nothing that a terminal would obey."""
    line = " ".join(clean_text(text[: limit + 1], limit + 1).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def encoding_of(path: Path, named: str = "") -> str:
    """Find the encoding of a text: by its mark, as UTF-8, else as Western Windows text; FileNotReadable when none."""
    try:
        with path.open("rb") as handle:
            head = handle.read(4096)
            if named:
                return _known(named)
            for mark, encoding in _MARKS:
                if head.startswith(mark):
                    return encoding
            if head.count(0) * 100 > len(head):
                return _without_mark(head)
            handle.seek(0)
            return _by_trying(handle)
    except OSError as error:
        raise FileNotReadable(f"The file cannot be opened: {error.strerror}.") from None


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """Open a text for reading line by line; line ends stay as they are."""
    try:
        return path.open(encoding=encoding, newline="")
    except OSError as error:
        raise FileNotReadable(f"The file cannot be opened: {error.strerror}.") from None


def undecodable(encoding: str) -> FileNotReadable:
    """Give the sentence for a file that is not in the encoding that it was said, or seemed, to be in."""
    return FileNotReadable(
        f"The file is not in {encoding} throughout. Name its encoding in the mapping, such as "
        'encoding = "windows-1250".'
    )


def _known(name: str) -> str:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        info = None
    # Python also knows codecs such as "zip" that make no text.
    if info is None or not getattr(info, "_is_text_encoding", True):
        raise FileNotReadable(f"“{shown(name)}” is no encoding that is known. Usual ones: utf-8, utf-16, windows-1250.")
    return info.name


def _without_mark(head: bytes) -> str:
    # A stray NUL is dropped with other control characters; Latin text in UTF-16 has one in each pair of bytes.
    pairs = max(len(head) // 2, 1)
    if head[1::2].count(0) * 10 >= pairs * 4 > head[0::2].count(0) * 40:
        return "utf-16-le"
    if head[0::2].count(0) * 10 >= pairs * 4 > head[1::2].count(0) * 40:
        return "utf-16-be"
    raise FileNotReadable("The file is not text. Export it as CSV or GeoJSON.")


def _by_trying(handle: io.BufferedReader) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    western = codecs.getincrementaldecoder("cp1252")()
    is_utf8 = is_western = True
    while block := handle.read(_BLOCK):
        is_utf8 = is_utf8 and _decodes(decoder, block)
        is_western = is_western and _decodes(western, block)
        if not is_utf8 and not is_western:
            # Every byte is a character there.
            return "latin-1"
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    if is_utf8:
        return "utf-8"
    return "cp1252" if is_western else "latin-1"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True
