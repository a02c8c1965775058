"""What we text about alerts: one plain sentence or two, made in the active language.

The words that people text back are put in from alerts/answer_words.py, so that no translation can name another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from commonbeat.alerts.answer_words import ALERTS, EVERYWHERE, STOP_ALERTS, STOP_ONE, word_in
from commonbeat.foundation.text import excerpt
from commonbeat.intake.alert_intents import ALERT_RADIUS
from commonbeat.intake.texts import LABEL_LIMIT, numbered

# With the sentences around it, one part in English and two in Albanian.
HEADLINE_LIMIT = 40


def alerts_here(*, place: str) -> str:
    """Confirm alerts for a place."""
    # Translators: %(alerts)s and %(stop)s are words that people text; they are put in, in your language.
    return _("You get alerts near %(place)s (%(km)s km). %(alerts)s lists them. %(stop)s ends them.") % {
        "place": excerpt(place, LABEL_LIMIT),
        "km": ALERT_RADIUS // 1_000,
        "alerts": _word(ALERTS),
        "stop": _word(STOP_ALERTS),
    }


def alerts_everywhere() -> str:
    """Confirm alerts for the whole site."""
    return _("You get all alerts from us now. %(alerts)s lists them. %(stop)s ends them.") % {
        "alerts": _word(ALERTS),
        "stop": _word(STOP_ALERTS),
    }


def alerts_listed(*, places: Sequence[str]) -> str:
    """List one's places, and say how one is ended or added."""
    # Translators: %(one)s and %(stop)s are words that people text, such as STOP and STOP ALERTS.
    start = _("%(one)s and a number ends one, %(stop)s all. To add a place, text its name. You get alerts near:") % {
        "one": _word(STOP_ONE),
        "stop": _word(STOP_ALERTS),
    }
    return numbered(start, named(places))


def alerts_none() -> str:
    """Say that there are none, and ask for a place."""
    return _("You get no alerts yet. To get them, text the name of your place, or a map link. 0 to leave.")


def alerts_unknown_place() -> str:
    """Ask once more for a place."""
    # Translators: %(all)s is a word that people text, such as ALL.
    return _("We do not know that place. Text another name near it, a map link, %(all)s for everywhere, or 0.") % {
        "all": _word(EVERYWHERE)
    }


def alerts_full(*, places: Sequence[str]) -> str:
    """Say that there are too many places."""
    start = _("These are as many places as we can take. %(one)s and a number ends one:") % {"one": _word(STOP_ONE)}
    return numbered(start, named(places))


def alerts_asked_twice() -> str:
    """Say that YES does not tell which of several requests is meant."""
    # Translators: %(alerts)s is a word that people text, such as ALERTS.
    return _(
        "More than one request for alerts named this number. Type the code of yours on the page, "
        "or text %(alerts)s and a place."
    ) % {"alerts": _word(ALERTS)}


def alerts_ended() -> str:
    """Confirm the end of all alerts."""
    return _("You get no more alerts. News of your reports still come. %(alerts)s and a place starts them again.") % {
        "alerts": _word(ALERTS)
    }


def alerts_ended_one(*, place: str, places: Sequence[str]) -> str:
    """Confirm the end of one place, and list what is left."""
    ended = _("No more alerts for %(place)s.") % {"place": excerpt(named([place])[0], LABEL_LIMIT)}
    return numbered(f"{ended} {_('You still get them near:')}", named(places)) if places else ended


def alerts_ended_kind(*, kind: str) -> str:
    """Confirm the end of one kind of alert."""
    return _("No more alerts about: %(kind)s. %(stop)s ends all of them.") % {
        "kind": excerpt(kind, LABEL_LIMIT),
        "stop": _word(STOP_ALERTS),
    }


def alerts_no_such() -> str:
    """Answer a number that stands for no place."""
    return _("You have no place of that number. %(alerts)s lists them.") % {"alerts": _word(ALERTS)}


def stopped_all() -> str:
    """Confirm STOP to somebody who gets alerts."""
    return _("You will get no more texts from us, and no alerts. Text START to get both again.")


def alerts_again() -> str:
    """Say, after START, that alerts come again."""
    return _("Your alerts come again: %(alerts)s lists them.") % {"alerts": _word(ALERTS)}


# ------------------------------------------------------------------ sightings


def tell_what_you_saw(*, emergency: str) -> str:
    """Ask what somebody saw, after the word alone."""
    return _("In danger call %(emergency)s. Or text what you saw, where and when. 0 to leave.") % {
        "emergency": emergency
    }


def saw(*, reference: str, emergency: str, place: str, is_over: bool = False) -> str:
    """Give the reference, say that it is not made public, and name the place."""
    given = {"place": excerpt(place, LABEL_LIMIT)}
    # More would take a second part.
    where = _("Place: %(place)s.") if is_over else _("Place: %(place)s. If wrong, text the right one.")
    return f"{_saw(reference, emergency, is_over=is_over)} {where % given}"


def saw_where(*, reference: str, emergency: str, is_over: bool = False) -> str:
    """Give the reference, say that it is not made public, and ask for the place."""
    return f"{_saw(reference, emergency, is_over=is_over)} {_('Where was it? 0 leaves it out.')}"


def saw_which_place(*, reference: str, emergency: str, places: Sequence[str], is_over: bool = False) -> str:
    """Give the reference, and ask which of some places is meant."""
    return numbered(f"{_saw(reference, emergency, is_over=is_over)} {_('Which place? Text a number, or 0:')}", places)


def saw_which_alert(*, reference: str, emergency: str, alerts: Sequence[str]) -> str:
    """Give the reference, and ask to which of some alerts it belongs."""
    return numbered(f"{_saw(reference, emergency)} {_which_alert()}", alerts)


def which_alert(*, alerts: Sequence[str]) -> str:
    """Ask to which of some alerts a sighting belongs."""
    return numbered(_which_alert(), alerts)


def saw_about(*, reference: str, emergency: str, alert: str) -> str:
    """Give the reference, and ask whether this is about an alert."""
    # Translators: YES and NO are words that people text back; use your own language's words, as in intake/commands.py.
    return _(
        "Thank you. Your reference is %(reference)s. Is it about this alert: %(alert)s? YES or NO. "
        "In danger call %(emergency)s."
    ) % {"reference": reference, "alert": excerpt(alert, HEADLINE_LIMIT), "emergency": emergency}


def about_alert(*, alert: str) -> str:
    """Ask again whether what was said is about an alert."""
    # Translators: YES and NO are words that people text back; use your own language's words, as in intake/commands.py.
    return _("Is what you told us about this alert: %(alert)s? YES or NO.") % {"alert": excerpt(alert, HEADLINE_LIMIT)}


def saw_noted() -> str:
    """Confirm to which alert a sighting belongs."""
    return _("Thank you, noted.")


def named(places: Sequence[str]) -> list[str]:
    """Give each place a name, also one that was only drawn on a map."""
    return [place or _("a place on the map") for place in places]


def drawn() -> str:
    """Name an area that the person drew, in a list of places."""
    return _("an area that you drew")


def everywhere() -> str:
    """Name the whole site in a list of places."""
    return _("everywhere")


def _which_alert() -> str:
    return _("Which alert? Text a number, or 0:")


def _saw(reference: str, emergency: str, *, is_over: bool = False) -> str:
    if is_over:
        start = _("No alert asks for this now; the desk reads it all the same: %(reference)s.")
    else:
        start = _("Thank you. Your reference is %(reference)s.")
    rest = _("It is not made public. In danger call %(emergency)s.") % {"emergency": emergency}
    return f"{start % {'reference': reference}} {rest}"


def _word(words: Mapping[str, str]) -> str:
    return word_in(words, get_language())
