"""What a report's page shows of translations: beside each text those made, those handed in, those asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from commonbeat.foundation.text import excerpt
from commonbeat.people.models import Role
from commonbeat.reports.masking import is_current, is_sensitive, original_of, with_words
from commonbeat.reports.models import Message, Report
from commonbeat.reports.queries.desk import EXCERPT
from commonbeat.reports.queries.translations import newest_of, translations_of
from commonbeat.reports.translation_models import Translation, TranslationState
from commonbeat.screening.masking import Piece
from commonbeat.web.language import direction_of, name_of_language

# Stands for what the report itself says, where others have the number of a message.
TEXT = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """One translation, ready to be shown."""

    id: int
    paragraphs: list[list[Piece]]
    language: str
    direction: str
    language_name: str
    role: str
    made_at: datetime | None
    # Something was hidden from a volunteer and has been put back.
    has_words_back: bool
    # The original has changed since, so that nothing is put back in place of the marks.
    is_old: bool
    # Why it came back from the volunteers.
    why: str
    is_held: bool


@dataclass(slots=True)
class Beside:
    """All that belongs to one text of a report."""

    accepted: list[Shown] = field(default_factory=list)
    offered: list[Shown] = field(default_factory=list)
    asked: list[Shown] = field(default_factory=list)
    returned: list[Shown] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Translated:
    """The translations of a report by text, and what its forms offer."""

    by_text: dict[int, Beside]
    languages: list[tuple[str, str]]
    into: str
    may_ask: bool

    def beside(self, of: int) -> Beside:
        """Give what belongs to a text: a message's number, or TEXT."""
        return self.by_text.get(of) or Beside()


def translated(report: Report, messages: Sequence[Message], now: datetime) -> Translated:
    """Gather the translations of a report and of its messages: one query."""
    known = {message.pk: message for message in messages}
    by_text: dict[int, Beside] = {}
    for row in translations_of(report):
        message = known.get(row.message_id) if row.message_id else None
        if row.message_id and message is None:
            continue
        beside = by_text.setdefault(row.message_id or TEXT, Beside())
        # What came back is told until somebody has done something else about it.
        beside.returned = [one for one in beside.returned if one.language != row.language]
        _list(beside, row).append(show(row, original_of(report, message), now))
    return Translated(by_text, languages(), into_default(report.language), not is_sensitive(report))


def show(row: Translation, original: str, now: datetime) -> Shown:
    """Prepare one translation, with the words of the original in place of its marks."""
    shown, is_old = with_words(row, original), not is_current(row, original)
    return Shown(
        id=row.pk,
        paragraphs=paragraphs(shown),
        language=row.language,
        direction=direction_of(row.language),
        language_name=language_name(row.language),
        role=_role(row.made_role),
        made_at=row.made_at,
        has_words_back=not is_old and any(piece.is_mark for piece in shown),
        is_old=is_old,
        why=row.withdrawn_for,
        is_held=row.is_held(now),
    )


def excerpts(ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Give the beginning of the newest translation of each report that has one, and its language: one query."""
    return {pk: (excerpt(row.text, EXCERPT), row.language) for pk, row in newest_of(ids).items()}


def paragraphs(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Cut a text in pieces at its line ends."""
    found: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *rest = piece.text.split("\n")
        if first:
            found[-1].append(Piece(first, piece.is_mark))
        for line in rest:
            found.append([Piece(line, piece.is_mark)] if line else [])
    return [one for one in found if one]


def languages() -> list[tuple[str, str]]:
    """List the languages of the site with their names in the page's language."""
    return [(code, language_name(code)) for code in settings.COMMONBEAT.languages]


def language_name(code: str) -> str:
    """Name a language in the page's language, with a capital for the start of a line."""
    name = name_of_language(code)
    return name[:1].upper() + name[1:]


def into_default(language: str) -> str:
    """Propose the language to translate into: English, the desk's own, or the site's first other one."""
    codes = [code for code in settings.COMMONBEAT.languages if code != language]
    return "en" if "en" in codes else next(iter(codes), language)


def _list(beside: Beside, row: Translation) -> list[Shown]:
    match row.state:
        case TranslationState.ACCEPTED:
            return beside.accepted
        case TranslationState.OFFERED:
            return beside.offered
        case TranslationState.ASKED:
            return beside.asked
    return beside.returned


def _role(code: str) -> str:
    if code == Role.TRANSLATOR:
        return _("volunteer")
    return str(dict(Role.choices).get(code, code)).lower()
