"""A text with what screening found in it, ready to be shown."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from commonbeat.reports.gate import screen_public


class Piece(NamedTuple):
    """A stretch of a text; `kind` says what screening takes it for, empty when nothing."""

    text: str
    kind: str


def marked(text: str, known_places: Container[str]) -> list[Piece]:
    """Cut a text where screening found something; overlapping findings are one stretch."""
    pieces: list[Piece] = []
    position = 0
    for finding in screen_public(text, known_places=known_places).findings:
        if finding.end <= position:
            continue
        start = max(finding.start, position)
        if start > position:
            pieces.append(Piece(text[position:start], ""))
        pieces.append(Piece(text[start : finding.end], finding.kind))
        position = finding.end
    if position < len(text):
        pieces.append(Piece(text[position:], ""))
    return pieces
