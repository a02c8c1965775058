"""HTML of an e-mail as plain text: nothing is fetched, nothing is run, links are not followed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Far more than a letter; the rest of a larger one is left out.
HTML_LIMIT = 300_000
_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "object", "select", "textarea"})
_BLOCKS = frozenset(
    "address article aside blockquote dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p"
    " pre section table tr ul".split()
)
# A "<" that no ">" ends before the next one: the parser would search the whole rest of the text for it, each time.
_UNENDED = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_SPACES = re.compile(r"[ \t\r\f\v\n]+")
_MANY_LINES = re.compile(r"\n{3,}")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag == "blockquote":
            self._quotes += 1
        if tag == "br" or tag in _BLOCKS:
            self._break()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "br" or tag in _BLOCKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            # What was opened within it and never closed ends with it.
            del self._silent[self._silent.index(tag) :]
        if tag == "body":
            self._silent.clear()
        if tag == "blockquote" and self._quotes:
            self._quotes -= 1
        if tag in _BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(_SPACES.sub(" ", data))

    def _break(self) -> None:
        # A quotation is marked as in plain text, so that it can be cut in one way.
        self.pieces.append("\n" + "> " * min(self._quotes, 5))


def text_of_html(html: str) -> str:
    """Give the text of HTML, one line per block."""
    cut = _DECLARATION.sub("", _UNENDED.sub("&lt;", _without_comments(html[:HTML_LIMIT])))
    reader = _Text()
    reader.feed(cut)
    reader.close()
    lines = [line.strip() for line in "".join(reader.pieces).split("\n")]
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_comments(html: str) -> str:
    kept: list[str] = []
    at = 0
    while True:
        start = html.find("<!--", at)
        end = html.find("-->", start + 4) if start >= 0 else -1
        if end < 0:
            kept.append(html[at:])
            return "".join(kept)
        kept.append(html[at:start])
        at = end + 3
