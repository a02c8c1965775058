"""Let the desk's search find a report by its accepted translations: their words, once each, in the report's own row."""

from __future__ import annotations

from collections.abc import Collection

from commonbeat.reports.models import Report
from commonbeat.reports.translation_models import Translation, TranslationState
from commonbeat.screening.masking import pieces

# Characters; PostgreSQL takes no more than a megabyte of words of one row.
WORDS_LIMIT = 100_000


def gather_words(*, report_ids: Collection[int]) -> None:
    """Let the words of some reports be those of the translations that stand; called with whatever changes these.

    Safe to repeat, inside the caller's transaction.
    """
    found: dict[int, dict[str, None]] = {report_id: {} for report_id in report_ids}
    accepted = Translation.objects.filter(report_id__in=report_ids, state=TranslationState.ACCEPTED)
    # The newest first, for what is beyond the limit is left out.
    for row in accepted.only("report_id", "source", "text").order_by("-pk"):
        found[row.report_id].update(dict.fromkeys(_said(row).lower().split()))
    for report_id, words in found.items():
        Report.objects.filter(pk=report_id).update(translated_words=" ".join(words)[:WORDS_LIMIT])


def _said(row: Translation) -> str:
    if not row.source:
        return row.text
    # “[name 1]” is no word of anybody; the words behind it are in the index with the original.
    return " ".join(piece.text for piece in pieces(row.text, {}) if not piece.is_mark)
