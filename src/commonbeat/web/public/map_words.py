"""What the map's page says of its numbers."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from babel.dates import format_date, format_interval, format_skeleton
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonbeat.maps import rules
from commonbeat.maps.measures import CONTACTS, MONTHLY, Measure
from commonbeat.maps.queries import Totals
from commonbeat.topics.definition import Definition, Period
from commonbeat.web.jinja import join_list, local_number
from commonbeat.web.public.map_figures import Comparison, Step


class Class(NamedTuple):
    """One colour of the legend, and the numbers that it stands for."""

    number: int
    least: float
    label: str


def sum_sentence(totals: Totals) -> str:
    """Say how the reports add up: what is drawn, what has no place, what is too few to tell by place."""
    numbers = {
        "number": totals.total,
        "drawn": totals.placed,
        "rest": totals.without_place,
        "few": totals.merged,
    }
    if totals.merged:
        sentence = ngettext(
            "%(number)s report: %(drawn)s on the map + %(rest)s without a place + %(few)s too few to tell where.",
            "%(number)s reports: %(drawn)s on the map + %(rest)s without a place + %(few)s too few to tell where.",
            totals.total,
        )
    else:
        # The sum is what the list counts, so that nobody has to guess where the rest is.
        sentence = ngettext(
            "%(number)s report: %(drawn)s on the map + %(rest)s without a place.",
            "%(number)s reports: %(drawn)s on the map + %(rest)s without a place.",
            totals.total,
        )
    return sentence % {name: local_number(number) for name, number in numbers.items()}


def withheld_sentence(definition: Definition) -> str:
    """Say what is not told of a topic of which only numbers are public, and why."""
    when = {
        Period.DAY: _("A day is shown when it is over."),
        Period.WEEK: _("A week is shown when it is over, so this map is up to a week behind."),
        Period.MONTH: _("A month is shown when it is over, so this map is up to a month behind."),
    }
    return " ".join(
        [
            _("Of this topic only numbers are public, to protect the people in them."),
            when[rules.period_kind(definition, is_single=False)],
            _(
                "Numbers from fewer than %(count)s senders in one place are told for a larger area; from fewer than"
                " %(count)s in all, nowhere."
            )
            % {"count": local_number(rules.fewest_of(definition))},
        ]
    )


def counted_sentence(names: list[str]) -> str:
    """Say of which topics only numbers are public."""
    return _(
        "To protect people, only numbers of these are public, each when its month or week is over; the smallest are"
        " told nowhere: %(topics)s."
    ) % {"topics": join_list(names)}


def imported_sentence(number: int) -> str:
    """Say how many of the reports came from elsewhere, and on which day these stand."""
    return ngettext(
        "%(number)s of these was imported. It was public elsewhere, and stands under the day of its source.",
        "%(number)s of these were imported. They were public elsewhere, and stand under the day of their source.",
        number,
    ) % {"number": local_number(number)}


def comparison_sentences(found: Comparison, language: str) -> list[str]:
    """Say how a span compares with the same weeks, or months, a year before; and honestly where it cannot."""
    span = span_text(found.since, found.until, language)
    first = ngettext("%(span)s: %(number)s report.", "%(span)s: %(number)s reports.", found.now)
    said = [first % {"span": span, "number": local_number(found.now)}]
    if found.before is None:
        begins = format_date(found.begins, "long", locale=language)
        return [*said, _("A year before cannot be told: these counts begin on %(day)s.") % {"day": begins}]
    weeks = found.step is Step.WEEK
    before = (
        _("In the same weeks a year before: %(number)s.")
        if weeks
        else _("In the same months a year before: %(number)s.")
    )
    said.append(before % {"number": local_number(found.before)})
    percent = found.percent
    if percent is None:
        said.append(_("These are too few for a percentage."))
    elif percent == 0:
        said.append(_("That is about the same."))
    else:
        words = _("That is %(percent)s%% more.") if percent > 0 else _("That is %(percent)s%% less.")
        said.append(words % {"percent": local_number(abs(percent))})
    return said


@lru_cache(maxsize=4096)
def span_text(since: date, until: date, language: str) -> str:
    """Write a span of days, both included, as short as the language does."""
    if since == until:
        return format_date(since, "medium", locale=language)
    if (since.month, since.day, until.month, until.day) == (1, 1, 12, 31) and since.year == until.year:
        return str(format_skeleton("y", since, locale=language))
    if since.day == 1 and (since.year, since.month) == (until.year, until.month) and _is_last(until):
        return str(format_skeleton("yMMMM", since, locale=language))
    return str(format_interval(since, until, "yMMMd", locale=language))


def legend(measure: Measure) -> list[Class]:
    """List the colours with the numbers that they stand for."""
    found = []
    for at, least in enumerate(measure.classes):
        if at + 1 == len(measure.classes):
            label = _("%(number)s and more") % {"number": local_number(least)}
        else:
            after = measure.classes[at + 1]
            # Whole numbers end before the next class begins, others where it begins.
            last = after if measure is MONTHLY else after - 1
            label = local_number(least) if last == least else f"{local_number(least)}–{local_number(last)}"
        found.append(Class(at + 1, least, label))
    return found


def measure_options() -> list[tuple[str, str]]:
    """List the ways to count, with their names."""
    return [
        ("", _("Number of reports")),
        (MONTHLY.code, _("Reports per month")),
        (CONTACTS.code, _("Different senders")),
    ]


def measure_sentence(measure: Measure) -> str:
    """Say what the colours count, where it is not the number of reports."""
    if measure is MONTHLY:
        return _("The colours tell reports per month, of the periods that are over. The numbers below count reports.")
    if measure is CONTACTS:
        return " ".join(
            [
                _(
                    "The colours tell from how many senders the reports came, each counted once in a place and period."
                    " A report without a contact counts as one. The numbers below count reports."
                ),
                _("Where reports are few, each counts as one, so that nobody learns who wrote two."),
            ]
        )
    return ""


def _is_last(day: date) -> bool:
    return rules.day_of(rules.day_number(day) + 1).day == 1
