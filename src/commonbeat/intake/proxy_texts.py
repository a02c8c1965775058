"""What we text to those who report for others: one plain sentence or two, made in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from commonbeat.foundation.text import excerpt
from commonbeat.intake.texts import LABEL_LIMIT


def consent(*, reference: str) -> str:
    """Give the reference, and ask whether the person agreed."""
    return _(
        "%(reference)s: did the person agree to your report? 1 yes, by word 2 yes, in writing "
        "3 parent or guardian agreed 4 could not ask: danger 5 no"
    ) % {"reference": reference}


def consent_danger(*, reference: str, emergency: str) -> str:
    """Give the reference and the emergency number, and ask whether the person agreed."""
    return _(
        "%(reference)s. In danger call %(emergency)s. Did the person agree to your report? 1 by word 2 in writing "
        "3 parent or guardian 4 could not ask: danger 5 no"
    ) % {"reference": reference, "emergency": emergency}


def given(*, reference: str) -> str:
    """Confirm the answer, and let the reference be handed on."""
    return _("Noted. Give the person this reference for news: %(reference)s.") % {"reference": reference}


def refused() -> str:
    """Say what a "no" has done."""
    # Translators: BEHALF is the word that people text; use your own language's word, as in intake/behalf.py.
    return _(
        "Then nothing is reported for this person, and we have erased what you wrote. "
        "To report it in your own name, text it again without BEHALF."
    )


def why() -> str:
    """Ask why the person could not be asked."""
    return _("Why could you not ask? A few words; only the desk reads them. 0 leaves it out.")


def consent_left() -> str:
    """Say what happens while the question is left."""
    return _("Fine. Nothing of it is published before we know whether the person agreed. BEHALF asks you again.")


def where() -> str:
    """Ask for the place, after the question of consent."""
    return _("Where is it? Text a place or a map link.")


def understood(*, place: str) -> str:
    """Say where we put the report, after the question of consent."""
    return _("Place: %(place)s. If that is wrong, text the right place.") % {"place": excerpt(place, LABEL_LIMIT)}


def tell_us_behalf() -> str:
    """Ask what happened, after the word alone."""
    return _("Text what happened and where. Do not name the person. 0 to leave.")


def invitation(*, site: str, community: str) -> str:
    """Ask somebody whether they report for others."""
    # Translators: YES is the word that people text back; use your own language's word, as in intake/commands.py.
    return _(
        "%(site)s asks you to report for people of %(community)s who cannot. Text YES if you will. "
        "Otherwise do nothing."
    ) % {"site": excerpt(site, LABEL_LIMIT), "community": excerpt(community, LABEL_LIMIT)}


def accepted() -> str:
    """Say how somebody reports for others."""
    # Translators: BEHALF and RESIGN are words that people text; use your own language's words, as in intake/behalf.py.
    return _(
        "Thank you. To report for somebody, begin with BEHALF, and do not name them. "
        "We then ask whether they agreed. RESIGN ends it."
    )


def ended() -> str:
    """Say that somebody no longer reports for others."""
    return _("From now on you no longer report for others. You can still report in your own name. Thank you.")
