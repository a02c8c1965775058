"""Delete a report for whoever holds its reference, after saying what goes, what stays, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from commonbeat.foundation import clock
from commonbeat.reactions.erasing import erase_report, what_goes_with
from commonbeat.reports.models import Report

# What the button of each page posts under "erase".
ASK, CONFIRM = "ask", "confirm"


def erase(request: HttpRequest, report: Report) -> HttpResponse:
    """Say what would go, and delete it once the box is ticked."""
    goes = what_goes_with(report.pk)
    problem = ""
    if request.POST.get("erase") == CONFIRM:
        if request.POST.get("sure"):
            done = erase_report(report_id=report.pk, now=clock.now())
            return render(request, "public/lookup/erased.html", {"done": done, "goes": goes})
        problem = _("Tick the box, so that nothing is deleted by mistake.")
    context = {"report": report, "goes": goes, "problem": problem}
    return render(request, "public/lookup/erase.html", context, status=422 if problem else 200)
