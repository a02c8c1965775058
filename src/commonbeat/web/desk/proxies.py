"""Those who report for others: who they are, and what the people agreed to for whom they report."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import units
from commonbeat.reports.actions.proxies import (
    Enrolment,
    ask_proxy_again,
    end_proxy,
    enrol_proxy,
    record_consent_at_desk,
)
from commonbeat.reports.errors import ReportError
from commonbeat.reports.proxy_models import Proxy
from commonbeat.reports.queries.proxies import board
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.acts import status_of
from commonbeat.web.desk.filters import number, query_of, read_filters
from commonbeat.web.desk.pages import draw, report_address
from commonbeat.web.desk.reports import Problem, report_context, visible_report


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ENROL)
def proxies(request: HttpRequest) -> HttpResponseBase:
    """Show who reports for others, and enrol one more."""
    if request.method != "POST":
        return _page(request)
    try:
        enrol_proxy(row=_row(request.POST), actor=signed_in(request), now=clock.now())
    except ReportError as error:
        return _page(request, problem=error)
    messages.success(request, _("Enrolled. A new one is asked by text, and counts after answering YES."))
    return redirect("desk:proxies")


@require_POST
@needs(Permission.ENROL)
def decide(request: HttpRequest, proxy_id: int, verb: str) -> HttpResponseBase:
    """End a proxy, or ask once more."""
    actor, now = signed_in(request), clock.now()
    if verb not in ("end", "ask") or not Proxy.objects.visible_to(actor).filter(pk=proxy_id).exists():
        raise Http404
    if verb == "end":
        end_proxy(proxy_id=proxy_id, actor=actor, now=now)
        messages.success(request, _("Ended. What was reported stays."))
        return redirect("desk:proxies")
    try:
        ask_proxy_again(proxy_id=proxy_id, actor=actor, now=now)
    except ReportError as error:
        return _page(request, problem=error)
    messages.success(request, _("Asked once more, unless that was three times within a day."))
    return redirect("desk:proxies")


@require_POST
@needs(Permission.WORK_REPORTS)
def consent(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """Record what the desk has learned of the consent of the person for whom a report was made."""
    actor = signed_in(request)
    found = visible_report(actor, report_id)
    try:
        said = request.POST.get("consent", "")
        record_consent_at_desk(report_id=found.pk, consent=said, actor=actor, now=clock.now())
    except ReportError as error:
        problem = Problem("consent", "consent", error.sentence)
        context = report_context(request, visible_report(actor, report_id), problem=problem)
        return draw(request, "desk/reports/report.html", context, status=status_of(error))
    messages.success(request, _("It was noted what the person said."))
    return redirect(report_address(report_id, query_of(request.GET, read_filters(request.GET))))


def _row(data: QueryDict) -> Enrolment:
    until = data.get("until", "").strip()
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        raise ReportError(_("Write the last day as year-month-day, such as 2027-03-31.")) from None
    language = data.get("language", "")
    return Enrolment(
        who=data.get("who", ""),
        role=data.get("role", ""),
        community=data.get("community", ""),
        unit_id=number(data.get("unit")) or 0,
        language=language if language in settings.COMMONBEAT.languages else "",
        until=day,
    )


def _page(request: HttpRequest, *, problem: ReportError | None = None) -> HttpResponseBase:
    viewer = signed_in(request)
    today = timezone.localdate(clock.now())
    lines = board(viewer)
    names = dict(settings.LANGUAGES)
    context: dict[str, Any] = {
        "lines": [(line, _standing(line.proxy, today)) for line in lines],
        "units": [(unit.pk, unit.name) for unit in units()],
        "own_unit": viewer.unit_id,
        "languages": [(code, names.get(code, code)) for code in settings.COMMONBEAT.languages],
        "problem": problem.sentence if problem else "",
        "typed": request.POST if problem else {},
    }
    return draw(request, "desk/proxies/board.html", context, status=status_of(problem) if problem else 200)


def _standing(proxy: Proxy, today: date) -> str:
    if proxy.ended_at is not None:
        return "ended"
    if proxy.accepted_at is None:
        return "asked"
    return "active" if proxy.is_active(today) else "over"
