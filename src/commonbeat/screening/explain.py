"""Why a text is held, in words for a person."""

from django.utils.translation import gettext as _

from commonbeat.screening.findings import Kind, Screening

_ORDER: tuple[Kind, ...] = ("accusation", "name", "place", "phone", "email", "plate", "link")


def explain(screening: Screening) -> list[str]:
    """Return one sentence per kind that was found, the gravest first, in the active language."""
    sentences: dict[Kind, str] = {
        "accusation": _("It seems to accuse someone."),
        "name": _("It seems to name a person."),
        "place": _("It tells an exact place: coordinates or a house number."),
        "phone": _("It contains a phone number."),
        "email": _("It contains an e-mail address."),
        "plate": _("It contains what looks like a number plate."),
        "link": _("It contains a link or the name of an account."),
    }
    return [sentences[kind] for kind in _ORDER if kind in screening.kinds]
