"""What the person who made a report is told on the way: plain, and without a word of what was reported."""

from __future__ import annotations

from django.utils.translation import gettext as _

from commonbeat.foundation.ids import format_reference
from commonbeat.intake.texts import for_phone
from commonbeat.reports.models import Publication, Report
from commonbeat.reports.queries.proxies import reason_in_words


def moved(report: Report, state: str) -> str:
    """Say that a report has come to a state; empty for states of which nobody is told."""
    reference = {"reference": format_reference(report.reference)}
    match state:
        case "triaged":
            text = _("News of %(reference)s: the desk has read it and is working on it.") % reference
        case "published":
            text = _public(report) % reference
        case "resolved":
            text = _("News of %(reference)s: dealt with. Thank you for telling us.") % reference
        case "rejected":
            if not report.state_reason:
                return ""
            # An officer's own words stay as they were written; ours are spelt for a phone.
            reason = reason_in_words(report.state_reason)
            return _("News of %(reference)s: we could not take it up. %(reason)s") % {
                **reference,
                "reason": reason if reason == report.state_reason else for_phone(reason),
            }
        case "duplicate":
            text = _("News of %(reference)s: this was known already. It counts all the same, thank you.") % reference
        case "expired":
            text = _("News of %(reference)s: closed, as its time has passed. If it goes on, text us again.") % reference
        case _:
            return ""
    return for_phone(text)


def merged(report: Report) -> str:
    """Say that others have reported the same."""
    return for_phone(
        _("News of %(reference)s: others reported this too. The desk works on all of it together.")
        % {"reference": format_reference(report.reference)}
    )


def in_own_words(report: Report, words: str) -> str:
    """Put the words that a topic has for a state behind the reference."""
    return for_phone(
        _("News of %(reference)s: %(words)s") % {"reference": format_reference(report.reference), "words": words}
    )


def question(report: Report, text: str) -> str:
    """Put a question of the desk, with how to answer it; the officer's letters stay as they are."""
    return _("Your report %(reference)s: %(text)s\nReply to this message to answer.") % {
        "reference": format_reference(report.reference),
        "text": text,
    }


def update(report: Report, text: str) -> str:
    """Pass on what the desk tells."""
    return _("Your report %(reference)s: %(text)s") % {
        "reference": format_reference(report.reference),
        "text": text,
    }


def _public(report: Report) -> str:
    publication = Publication.objects.filter(report=report).first()
    if publication is not None and not publication.lists_each:
        return _("News of %(reference)s: checked and counted. Nothing of it is shown in public.")
    return _("News of %(reference)s: checked, and part of the public map and list.")
