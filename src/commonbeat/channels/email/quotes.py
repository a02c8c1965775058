"""Cut what an e-mail repeats: the quoted history and the signature. When it is not certain, it stays."""

from __future__ import annotations

import re

# Stands in each mail of ours, above its text, in the person's language; what follows it in an answer is ours.
MARK = "~~~"
_OUR_MARK = re.compile(r"^[>\s]*~~~ [^\n~]{3,120} ~~~\s*$", re.MULTILINE)
_ORIGINAL = re.compile(r"^\s*(?:-{3,}\s*[^\n-]{4,60}\s*-{3,}|_{10,})\s*$")
_FIELD = re.compile(r"^[>\s*]*[^\W\d_][\w .’'-]{0,24}\s?:\*?\s+\S")
_SIGNED_BY_DEVICE = re.compile(
    r"^(?:sent from (?:my|outlook|mail|yahoo|gmail|samsung|proton)\b[^\n]{0,40}|get outlook for [^\n]{1,20}"
    r"|d[eë]rguar nga [^\n]{1,40}|مرسل من [^\n]{1,40}|أرسلت من [^\n]{1,40})$",
    re.IGNORECASE,
)
SIGNATURE_LINES = 12


def without_history(text: str) -> str:
    """Give what the person wrote themselves."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    match = _OUR_MARK.search(text)
    if match is not None:
        lines = _without_attribution(text[: match.start()].split("\n"))
    else:
        lines = _without_trailing_quote(text.split("\n"))
    own = "\n".join(_without_signature(lines)).strip()
    if not own and match is not None and all(line[:1] in ("", ">") for line in text[match.start() :].split("\n")):
        # A picture was attached, or nothing at all: the words of ours are not theirs.
        return ""
    # Somebody wrote below the quotation, or between its lines: then all of it stays.
    return own or text.strip()


def _without_trailing_quote(lines: list[str]) -> list[str]:
    end = _end(lines)
    start = end
    while start and (lines[start - 1].startswith(">") or not lines[start - 1].strip()):
        start -= 1
    if not any(line.startswith(">") for line in lines[start:end]):
        return lines[:end]
    kept = _without_attribution(lines[:start])
    # Without a line that says whose words they are, the person may be quoting a letter; and a quotation further up
    # means answers between its lines, which mean nothing without it.
    is_history = len(kept) < _end(lines[:start]) and not any(line.startswith(">") for line in kept)
    return kept if is_history else lines[:end]


def _without_attribution(lines: list[str]) -> list[str]:
    """Leave out the last lines when they only say who wrote what is quoted below."""
    end = _end(lines)
    while end and not lines[end - 1].strip(" >\t"):
        end -= 1
    start = end
    while start and end - start < 8 and lines[start - 1].strip(" >\t"):
        start -= 1
    block = lines[start:end]
    for number in range(len(block)):
        # "On Tue, 3 March, X <x@example.org> wrote:" in any language, over at most three lines.
        tail = " ".join(block[number:])
        is_credit = len(block) - number <= 3 and tail.rstrip().endswith((":", "：")) and ("@" in tail or "<" in tail)
        is_header = len(block) - number >= 3 and all(_FIELD.match(line) for line in block[number:])
        if is_credit or is_header:
            start += number
            break
    else:
        start = end
    kept_end = _end(lines[:start])
    if kept_end and _ORIGINAL.match(lines[kept_end - 1]):
        kept_end -= 1
    return lines[:kept_end]


def _without_signature(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if line.rstrip("\r") == "-- " and len(lines) - number - 1 <= SIGNATURE_LINES:
            lines = lines[:number]
            break
    end = _end(lines)
    if end and _SIGNED_BY_DEVICE.match(lines[end - 1].strip()):
        end = _end(lines[: end - 1])
    return lines[:end]


def _end(lines: list[str]) -> int:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return end
