"""What a picture of the map says: its heading, its legend, and the same in a sentence for those who cannot see it."""

from __future__ import annotations

from bisect import bisect_right

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonbeat.maps import rules
from commonbeat.maps.measures import CONTACTS, MONTHLY, Measure
from commonbeat.maps.picture_frame import Heading, Legend
from commonbeat.maps.picture_heat import Laid
from commonbeat.maps.picture_text import Face
from commonbeat.topics.definition import Publishes, text_in
from commonbeat.web.jinja import local_date, local_number
from commonbeat.web.language import direction_of
from commonbeat.web.public.map_words import span_text
from commonbeat.web.public.picture_asked import Asked

# So that a legend of few numbers still shows that there are more colours.
_LEAST_CLASSES = 3


def heading(asked: Asked, face: Face) -> Heading:
    """Write what stands around the map."""
    return Heading(
        _writable(face, _topic(asked), asked.topic.name_in("en") if asked.topic else ""),
        " · ".join(part for part in (_category(asked), _period(asked)) if part),
        settings.COMMONBEAT.site_name,
        _("As of %(day)s") % {"day": local_date(asked.today)},
        direction_of(asked.language) == "rtl",
    )


def legend(asked: Asked, laid: Laid) -> Legend:
    """Write what stands on the map."""
    titles = {
        MONTHLY.code: _("Reports a month in one area"),
        CONTACTS.code: _("Senders in one area"),
    }
    notes = []
    if asked.topic is not None and asked.topic.definition.publishes is Publishes.COUNTS:
        fewest = local_number(rules.fewest_of(asked.topic.definition))
        notes.append(_("Fewer than %(count)s in one place are counted in a larger area.") % {"count": fewest})
    shown = max(_LEAST_CLASSES, bisect_right(asked.measure.classes, laid.most)) if laid.areas else 0
    return Legend(
        titles.get(asked.measure.code) or _("Reports in one area"),
        _labels(asked.measure)[:shown],
        counted(asked, laid),
        tuple(notes),
        direction_of(asked.language) == "rtl",
    )


def counted(asked: Asked, laid: Laid) -> str:
    """Say how much is drawn."""
    if not laid.areas:
        return _("No reports are counted here.")
    if asked.measure is MONTHLY:
        return _("%(number)s reports a month in the areas shown.") % {"number": local_number(round(laid.total, 1))}
    total = int(laid.total)
    if asked.measure is CONTACTS:
        sentence = ngettext("%(number)s sender in the areas shown.", "%(number)s senders in the areas shown.", total)
    else:
        sentence = ngettext("%(number)s report in the areas shown.", "%(number)s reports in the areas shown.", total)
    return sentence % {"number": local_number(total)}


def alt_text(asked: Asked, laid: Laid) -> str:
    """Say in words what a picture shows."""
    about = " · ".join(part for part in (_topic(asked), _category(asked), _period(asked)) if part)
    said = [_("Map: %(about)s.") % {"about": about}, counted(asked, laid)]
    if laid.areas:
        said.append(_("Most in one area: %(number)s.") % {"number": local_number(laid.most)})
    return " ".join(said)


def _topic(asked: Asked) -> str:
    return asked.topic.name_in(asked.language) if asked.topic else _("All topics")


def _category(asked: Asked) -> str:
    options = asked.topic.definition.categories if asked.topic else []
    return next((text_in(option.label, asked.language) for option in options if option.code == asked.category), "")


def _period(asked: Asked) -> str:
    if asked.since is not None and asked.until is not None:
        return span_text(asked.since, asked.until, asked.language)
    if asked.since is not None:
        return _("Since %(day)s") % {"day": local_date(asked.since)}
    if asked.until is not None:
        return _("Until %(day)s") % {"day": local_date(asked.until)}
    return _("All dates")


def _labels(measure: Measure) -> tuple[str, ...]:
    """Write the numbers of each colour."""
    found = []
    for at, least in enumerate(measure.classes):
        after = measure.classes[at + 1] if at + 1 < len(measure.classes) else None
        if after is None:
            label = f"{local_number(least)}+"
        elif measure is not MONTHLY:
            label = f"{local_number(least)}–{local_number(after - 1)}"
        else:
            label = f"{local_number(least)}–{local_number(after)}" if least else f"< {local_number(after)}"
        found.append(label)
    return tuple(found)


def _writable(face: Face, text: str, otherwise: str) -> str:
    return text if not otherwise or face.has(text) else otherwise
