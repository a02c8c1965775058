"""Complaints about police by year, for everybody: only years that are over, and no small number."""

from __future__ import annotations

import csv
from io import StringIO

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from commonbeat.foundation import clock
from commonbeat.tips.complaint_queries import HOW_ENDED, yearly
from commonbeat.tips.rules import COUNTED_EXPIRED
from commonbeat.tips.suppression import FEW, LEAST, NOT_SHOWN, Cell, YearRow

# What stands in the CSV in place of a number.
_IN_CSV = {FEW: f"<{LEAST}", NOT_SHOWN: ""}


@require_safe
def complaint_table(request: HttpRequest) -> HttpResponse:
    """Show the table, newest year first."""
    rows = yearly(now=clock.now())
    context = {"years": [(row.year, _described(row)) for row in reversed(rows)], "least": LEAST}
    return render(request, "public/complaints/table.html", context)


@require_safe
def complaint_csv(request: HttpRequest) -> HttpResponse:
    """Give the same rows as CSV, oldest first."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(["year", "received", "ended", *HOW_ENDED, "median_days"])
    for row in yearly(now=clock.now()):
        cells = [row.received, row.total, *(row.ended[how] for how in HOW_ENDED)]
        median = "" if row.median_days is None else row.median_days
        writer.writerow(
            [row.year, *(_IN_CSV.get(cell, cell) if isinstance(cell, str) else cell for cell in cells), median]
        )
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="complaints.csv"'
    return response


def how_ended() -> dict[str, str]:
    """Name in plain words how complaints end."""
    return {
        "praise": _("Praise, passed on"),
        "upheld": _("The complaint was right"),
        "partly_upheld": _("The complaint was right in part"),
        "not_upheld": _("The complaint was not right"),
        "withdrawn": _("Withdrawn"),
        "elsewhere": _("Passed to another body"),
        COUNTED_EXPIRED: _("Ended by time, without an outcome"),
    }


def _described(row: YearRow) -> list[tuple[str, str]]:
    names = how_ended()
    described = [(_("Received"), _said(row.received)), (_("Ended, in all"), _said(row.total))]
    described += [(names[how], _said(cell)) for how, cell in row.ended.items()]
    days = _said(NOT_SHOWN)
    if row.median_days is not None:
        days = ngettext("%(count)s day", "%(count)s days", row.median_days) % {"count": row.median_days}
    return [*described, (_("Half of them ended within"), days)]


def _said(cell: Cell) -> str:
    if cell == FEW:
        return _("fewer than %(count)s") % {"count": LEAST}
    return _("not shown") if cell == NOT_SHOWN else str(cell)
