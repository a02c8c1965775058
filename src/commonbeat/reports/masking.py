"""What of a report's text a stranger may read to translate it."""

from __future__ import annotations

from collections.abc import Sequence

from commonbeat.places.gazetteer import known_names
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import Message, Report
from commonbeat.reports.translation_models import Translation, Withdrawal
from commonbeat.screening.masking import Mark, Piece, marks_in, masked, pieces
from commonbeat.topics.definition import Publishes


def original_of(report: Report, message: Message | None) -> str:
    """Give the words that are to be translated: a message's, or the report's title and text."""
    if message is not None:
        return message.text
    return "\n\n".join(part for part in (report.title, report.text) if part.strip())


def mask(text: str, *, also: Sequence[str] = ()) -> tuple[str, list[Mark]]:
    """Give a text as volunteers may read it, and where its marks stand; `also` names words that screening missed."""
    known = known_names()
    marks = marks_in(text, screen_public(text, known_places=known).findings, known_places=known, also=also)
    return masked(text, marks), marks


def is_sensitive(report: Report) -> bool:
    """Tell whether a report's topic publishes only counts, by its rules of then or of now."""
    return report.privacy.publishes == Publishes.COUNTS


def closed_to_strangers(translation: Translation) -> Withdrawal | None:
    """Say why volunteers may not read a text that waits; None when they may."""
    if is_sensitive(translation.report):
        return Withdrawal.SENSITIVE
    if not is_current(translation, original_of(translation.report, translation.message)):
        return Withdrawal.CHANGED
    return None


def is_current(translation: Translation, original: str) -> bool:
    """Tell whether the original still says what was given to translate."""
    return not translation.source or masked(original, _marks(translation)) == translation.source


def with_words(translation: Translation, original: str) -> list[Piece]:
    """Give a translation with the original's words in place of its marks; as it is when the original has changed."""
    words: dict[str, str] = {}
    if is_current(translation, original):
        for start, end, label in _marks(translation):
            words.setdefault(label, original[start:end])
    return pieces(translation.text, words) if translation.source else [Piece(translation.text, False)]


def _marks(translation: Translation) -> list[Mark]:
    return [Mark(*mark) for mark in translation.marks]
