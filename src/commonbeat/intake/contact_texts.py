"""What we text about one's officer and about erasing: one plain sentence or two, made in the active language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from commonbeat.foundation.text import excerpt, segments
from commonbeat.intake.contact_intents import LocalBeat, LocalOfficer
from commonbeat.intake.texts import LABEL_LIMIT, MENU_PARTS, for_phone, numbered

HOURS_LIMIT, PHONE_LIMIT = 40, 25
MOST_OFFICERS = 3


def officer_where(*, emergency: str) -> str:
    """Ask where somebody lives, so that their officer can be found."""
    return _(
        "In danger call %(emergency)s. Your officer: where do you live, or where is it? "
        "Text a place or a map link. 0 to leave."
    ) % {"emergency": emergency}


def officer_where_or(*, emergency: str, place: str) -> str:
    """Ask the same, and offer a place that the person has named before."""
    return _(
        "In danger call %(emergency)s. Your officer: where do you live, or where is it? "
        "Text a place, or 1 for %(place)s. 0 to leave."
    ) % {"emergency": emergency, "place": excerpt(place, LABEL_LIMIT)}


def officer_unknown_place() -> str:
    """Ask once more for a place."""
    return _("We do not know that place. Text another name near it, or a map link. 0 to leave.")


def officer_no_place() -> str:
    """Let somebody write whose place nobody could find."""
    return _(
        "We do not know that place either, so a desk will find your officer. "
        "Write what you want to tell them, or 0 to leave."
    )


def officer_no_beat() -> str:
    """Let somebody write who lives in no beat."""
    return _("This place lies in none of our beats. A desk reads it. Write what you want to tell us, or 0 to leave.")


def officer_here(*, beat: LocalBeat) -> str:
    """Name the officers of a beat with how to reach them, as many as fit, and let the person write."""
    start = _("Your beat: %(name)s.") % {"name": excerpt(beat.name, LABEL_LIMIT)}
    end = _("Write what you want to tell them, or 0 to leave.")
    if not beat.officers:
        unit = _("It is looked after by %(unit)s.") % {"unit": excerpt(beat.unit, LABEL_LIMIT)}
        return f"{start} {unit} {end}"
    said = start
    for number, officer in enumerate(beat.officers[:MOST_OFFICERS]):
        longer = f"{said} {_officer(officer)}"
        size = segments(for_phone(f"{longer} {end}"))
        if number and size.parts > MENU_PARTS[size.encoding]:
            break
        said = longer
    return f"{said} {end}"


def _officer(officer: LocalOfficer) -> str:
    parts = (
        excerpt(officer.name, LABEL_LIMIT), excerpt(officer.hours, HOURS_LIMIT), excerpt(officer.phone, PHONE_LIMIT)
    )  # fmt: skip
    return f"{', '.join(filter(None, parts))}."


def officer_told(*, reference: str, emergency: str) -> str:
    """Give the reference of a message to the officer; nothing of its text, for somebody may read along."""
    return _("Your officer gets your message %(reference)s. It is not made public. In danger call %(emergency)s.") % {
        "reference": reference,
        "emergency": emergency,
    }


def erase_sure(*, reference: str) -> str:
    """Ask whether a report is to be erased."""
    # Translators: YES is the word that people text back; use your own language's word, as in intake/commands.py.
    return _(
        "Erase report %(reference)s? Everything you told us in it is deleted and cannot come back. "
        "Reply YES. 0 keeps it."
    ) % {"reference": reference}


def erase_sure_kept(*, reference: str) -> str:
    """Ask the same of a report that the law keeps for now."""
    # Translators: YES is the word that people text back; use your own language's word, as in intake/commands.py.
    return _(
        "Erase report %(reference)s? The law wants it kept for now, but without your number. "
        "Then it is deleted by itself. Reply YES. 0 keeps it."
    ) % {"reference": reference}


def erase_all_sure() -> str:
    """Ask whether everything of a person is to be erased."""
    # Translators: YES is the word that people text back; use your own language's word, as in intake/commands.py.
    return _(
        "Erase everything? Your reports, your messages and your number are deleted and cannot come back. "
        "Reply YES. 0 keeps it."
    )


def erase_all_sure_kept() -> str:
    """Ask the same where the law keeps some of it for now."""
    # Translators: YES is the word that people text back; use your own language's word, as in intake/commands.py.
    return _(
        "Erase everything? Some of it the law wants kept for now, but without your number. "
        "All else is deleted. Reply YES. 0 keeps it."
    )


def erase_which(*, references: Sequence[str]) -> str:
    """Ask which report is to be erased."""
    return numbered(_("Which report do you want to erase? Text a number, or 0:"), references)


def erase_none() -> str:
    """Say that there is nothing that could be erased by a reference."""
    # Translators: ERASE ALL are the words that people text; use your own language's, as in intake/commands.py.
    return _("We have no report from this number. ERASE ALL erases what we know of you.")


def erased(*, reference: str) -> str:
    """Confirm that a report is erased."""
    return _("Report %(reference)s is erased. What was published of it is public no more.") % {"reference": reference}


def erased_kept(*, reference: str) -> str:
    """Confirm the wish to have a report erased that the law keeps for now."""
    return _(
        "Your wish is noted. The law wants report %(reference)s kept for now, but without your number. "
        "Then it is deleted by itself."
    ) % {"reference": reference}


def erased_all() -> str:
    """Confirm that everything is erased."""
    return _("All that you told us is erased, and now we forget your number. Text us whenever you like.")


def erased_all_kept() -> str:
    """Confirm that everything is erased but what the law keeps for now."""
    return _(
        "What you told us is erased, and now we forget your number. "
        "The law wants some of it kept for now. Then it is deleted by itself."
    )


def erase_left() -> str:
    """Confirm that nothing was erased."""
    return _("Fine. Nothing is erased.")
