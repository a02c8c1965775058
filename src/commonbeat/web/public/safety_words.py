"""What pages and files say about safety scores, in the page's language."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonbeat.maps.safety import Estimate
from commonbeat.web.jinja import local_date, local_number


def score_text(found: Estimate | None) -> str:
    """Write a score and its margin, in whole points; "" when nothing is known."""
    if found is None:
        return ""
    # Isolated from left to right, or the margin would stand first where one reads from the right.
    return f"\u2066{local_number(round(found.score))}\u00a0±\u00a0{local_number(round(found.margin))}\u2069"


def range_of(found: Estimate) -> tuple[int, int]:
    """Give from where to where the true figure may lie, from the rounded numbers that stand beside it."""
    score, margin = round(found.score), round(found.margin)
    return max(0, score - margin), min(100, score + margin)


def points_text(points: float) -> str:
    """Write a number of points."""
    number = round(points)
    return ngettext("%(number)s point", "%(number)s points", number) % _count(number)


def told(audits: int, newest: date | None, lamps: int) -> str:
    """Say in one line on what a score rests."""
    if audits:
        parts = [ngettext("%(number)s audit", "%(number)s audits", audits) % _count(audits)]
        parts.append(_("the newest of %(day)s") % {"day": local_date(newest, "medium")})
    else:
        parts = [_("too few audits here: this is the mean of the area")]
    if lamps:
        parts.append(ngettext("%(number)s lamp reported", "%(number)s lamps reported", lamps) % _count(lamps))
    return " · ".join(parts)


def pull_text(strength: float) -> str:
    """Say how strongly the mean of the area pulls, in audits."""
    number = round(strength, 1)
    text = ngettext(
        "Few audits say little. So a place is pulled towards the mean of its area, as if %(number)s audit had found"
        " that mean there.",
        "Few audits say little. So a place is pulled towards the mean of its area, as if %(number)s audits had found"
        " that mean there.",
        1 if number == 1 else max(2, round(number)),
    )
    return text % {"number": local_number(number)}


def summary(mean: Estimate | None, *, audits: int, places: int, waiting: int, fewest: int) -> str:
    """Say what all places have in common."""
    parts = []
    if mean is not None:
        parts.append(_("Mean of all places: %(score)s points.") % {"score": score_text(mean)})
    if audits:
        text = ngettext(
            "%(number)s audit has been counted, in places with a score: %(places)s.",
            "%(number)s audits have been counted, in places with a score: %(places)s.",
            audits,
        )
        parts.append(text % {**_count(audits), "places": local_number(places)})
    if waiting:
        parts.append(waiting_text(waiting, fewest))
    return " ".join(parts)


def waiting_text(waiting: int, fewest: int) -> str:
    """Say how many audits are not told yet, and why."""
    text = ngettext(
        "%(number)s audit waits until %(fewest)s people have rated the same place, so that nobody's answers show.",
        "%(number)s audits wait until %(fewest)s people have rated the same place, so that nobody's answers show.",
        waiting,
    )
    return text % {**_count(waiting), "fewest": local_number(fewest)}


def rests_text(audits: int, oldest: date | None, newest: date | None) -> str:
    """Say on how many audits a place's score rests, and of when they are."""
    days = {"first": local_date(oldest, "medium"), "last": local_date(newest, "medium")}
    if oldest == newest:
        text = ngettext(
            "It rests on %(number)s audit, of %(last)s.", "It rests on %(number)s audits, of %(last)s.", audits
        )
    else:
        text = ngettext(
            "It rests on %(number)s audit, from %(first)s to %(last)s.",
            "It rests on %(number)s audits, from %(first)s to %(last)s.",
            audits,
        )
    return text % {**_count(audits), **days}


def lamps_text(lamps: int) -> str:
    """Say how many lamps are reported at a place."""
    if not lamps:
        return _("No broken lamp is reported here.")
    text = ngettext(
        "%(number)s lamp is reported here and not repaired yet.",
        "%(number)s lamps are reported here and not repaired yet.",
        lamps,
    )
    return text % _count(lamps)


def drawn_text(drawn: int, inside: int, everywhere: int) -> str:
    """Say how many places a map shows, and how many it does not."""
    if drawn < inside:
        text = _("%(drawn)s of %(number)s places are drawn; move closer to see the rest.")
        return text % {"drawn": local_number(drawn), "number": local_number(inside)}
    if not drawn and everywhere:
        return _("No place in this view has been rated.")
    return ngettext("%(number)s place on this map.", "%(number)s places on this map.", drawn) % _count(drawn)


def _count(number: int) -> dict[str, str]:
    return {"number": local_number(number)}
