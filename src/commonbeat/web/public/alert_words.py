"""Alerts put into words for residents: how bad, how it ended, what kind."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from commonbeat.alerts.kinds import KINDS
from commonbeat.topics.definition import text_in

SEVERITY_COLOURS = {"Extreme": "red", "Severe": "orange", "Moderate": "amber", "Minor": "blue", "Unknown": "grey"}

SEVERITY_BADGES = {"Extreme": "overdue", "Severe": "overdue", "Moderate": "triaged", "Minor": "verified"}


def severity_word(severity: str) -> str:
    """Say how bad something is; empty where nobody has said."""
    return {
        "Extreme": _("Extreme danger"),
        "Severe": _("Severe"),
        "Moderate": _("Moderate"),
        "Minor": _("Minor"),
    }.get(severity, "")


def outcome_sentence(outcome: str) -> str:
    """Say how an alert ended; empty is by time."""
    return {
        "over": _("It is over."),
        "found_safe": _("Found, and safe. Thank you to everyone who looked out."),
        "found": _("Found. Thank you to everyone who looked out."),
        "solved": _("It is solved."),
        "mistake": _("It was a mistake, and was taken back."),
    }.get(outcome, _("Its time ran out."))


def kind_name(code: str) -> str:
    """Give the name of a kind in the page's language."""
    kind = KINDS.get(code)
    return text_in(dict(kind.names), reading_language()) if kind is not None else _("Alert")


def kind_options() -> list[tuple[str, str]]:
    """List the kinds for a form."""
    return [(code, kind_name(code)) for code in KINDS]


def kind_icon(code: str) -> str:
    """Give the drawing of a kind."""
    kind = KINDS.get(code)
    return kind.icon if kind is not None else "bell"


def reading_language() -> str:
    """Give the language of the page."""
    return translation.get_language() or settings.LANGUAGE_CODE


def reading_order() -> list[str]:
    """List languages in the order in which a reader of this page wants an alert: their own, then the site's."""
    return [reading_language(), *settings.COMMONBEAT.languages]
