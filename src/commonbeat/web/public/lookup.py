"""Look up a reference: posted, answered in the same breath, and never part of an address.

What its holder may read, and what not, is decided in reports.queries.lookup.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.foundation.ids import new_token, parse_reference
from commonbeat.foundation.text import clean_text
from commonbeat.reports import rules
from commonbeat.reports.actions.dialogue import ANSWER_LIMIT, answer_desk
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import MessageKind, Report
from commonbeat.reports.queries.lookup import Standing, is_for_all_holders, report_by_reference, standing_of
from commonbeat.topics.definition import text_in
from commonbeat.web import throttle
from commonbeat.web.public.draft import KEY
from commonbeat.web.public.erasing import erase
from commonbeat.web.public.limits import at_most


@at_most(200_000)
@require_http_methods(["GET", "HEAD", "POST"])
def lookup(request: HttpRequest) -> HttpResponse:
    """Ask for a reference, or show where its report stands and take an answer."""
    if request.method != "POST":
        return _ask(request)
    typed = request.POST.get("reference", "")[:80]
    if not throttle.may_try_reference(request):
        return _ask(
            request,
            typed=typed,
            problem=_("Too many wrong references came from your network. Please wait an hour and try again."),
            status=429,
        )
    reference = parse_reference(typed)
    if reference is None:
        problem = (
            _("A reference has ten letters and digits, such as KX7M-4QXP-2R. Please check what you typed.")
            if typed.strip()
            else _("Type the reference that you got.")
        )
        return _ask(request, typed=typed, problem=problem, status=422)
    report = report_by_reference(reference)
    if report is None:
        throttle.count_wrong_reference(request)
        return _ask(request, typed=typed, problem=_("We know no report with this reference."), status=422)
    if "erase" in request.POST:
        return erase(request, report)
    if "text" in request.POST:
        return _answer(request, report)
    return _show(request, report)


def _ask(request: HttpRequest, *, typed: str = "", problem: str = "", status: int = 200) -> HttpResponse:
    return render(request, "public/lookup/ask.html", {"typed": typed, "problem": problem}, status=status)


def _answer(request: HttpRequest, report: Report) -> HttpResponse:
    key = request.POST.get("key", "")
    # One character more than the limit, so that what is too long is seen to be.
    text = clean_text(request.POST.get("text", ""), ANSWER_LIMIT + 1)
    problem = ""
    if len(text) > ANSWER_LIMIT:
        problem = _("This is too long. Shorten it to %(count)s characters.") % {"count": ANSWER_LIMIT}
    elif throttle.is_over(request, throttle.REPORTS):
        problem = _("Very many messages came from your network within the hour. Please send it later.")
    else:
        try:
            _message, is_new = answer_desk(
                report_id=report.pk,
                text=text,
                client_key=f"web-{key if KEY.fullmatch(key) else new_token()}",
                now=clock.now(),
            )
        except ReportError as error:
            problem = error.sentence
        else:
            if is_new:
                throttle.count(request, throttle.REPORTS)
            return _show(request, report, answered=True)
    return _show(request, report, typed=text, key=key, problem=problem, status=422)


def _show(
    request: HttpRequest,
    report: Report,
    *,
    typed: str = "",
    key: str = "",
    problem: str = "",
    answered: bool = False,
    status: int = 200,
) -> HttpResponse:
    standing = standing_of(report)
    questions = [m for m in standing.messages if m.kind == MessageKind.QUESTION]
    not_shown = _("Sent as a message. Only its sender has the words.")
    context: dict[str, Any] = {
        "report": report,
        "topic_name": text_in(report.topic_version.definition.name, _language()),
        "definition": report.topic_version.definition,
        "entries": _timeline(standing),
        "messages_shown": [
            {
                "from": "resident" if message.kind == MessageKind.ANSWER else "desk",
                "name": _("You") if message.kind == MessageKind.ANSWER else _("The desk"),
                "text": message.text if is_for_all_holders(message) else not_shown,
                "at": message.created_at,
            }
            for message in standing.messages
        ],
        "is_asked": bool(questions) and standing.messages[-1].kind != MessageKind.ANSWER,
        "typed": typed,
        "key": key if KEY.fullmatch(key) else new_token(),
        "problem": problem,
        "answered": answered,
    }
    return render(request, "public/lookup/report.html", context, status=status)


def _timeline(standing: Standing) -> list[dict[str, Any]]:
    definition = standing.report.topic_version.definition
    language = _language()
    said = {
        rules.NEW: _("Your report arrived"),
        rules.TRIAGED: _("An officer has read it and is dealing with it"),
        "verified": _("The desk has checked it and found it to be right"),
        rules.PUBLISHED: _("A short public text about it was published"),
        rules.RESOLVED: _("It is resolved"),
        rules.REJECTED: _("The desk did not take it up"),
        rules.DUPLICATE: _("The desk knew of it already and put the reports together"),
        rules.EXPIRED: _("It was closed because its time ran out"),
    }
    entries: list[dict[str, Any]] = []
    for step in standing.steps:
        own = definition.workflow_texts.get(step.what)
        entry = {
            "text": said[step.what],
            "at": step.at,
            "status": "done",
            "note": text_in(own, language) if own else "",
        }
        entries.append(entry)
    if standing.reason:
        entries[-1]["note"] = standing.reason
    if standing.report.state in rules.OPEN_STATES:
        entries[-1]["status"] = "now"
    return entries


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE
