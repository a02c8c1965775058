"""Acts on translations at the desk: type one, ask volunteers for one, decide on one; and the list of what waits."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.actions.translations import (
    HIDE_LIMIT,
    accept_translation,
    ask_volunteers,
    attach_translation,
    reject_translation,
    withdraw_translation,
    words_to_hide,
)
from commonbeat.reports.actions.work import note_look
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.masking import is_sensitive, mask, original_of
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.reports.queries import translations as queries
from commonbeat.reports.translation_models import Translation, TranslationState
from commonbeat.screening.masking import pieces
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.acts import status_of
from commonbeat.web.desk.filters import number, query_of, read_filters
from commonbeat.web.desk.pages import draw, report_address
from commonbeat.web.desk.reports import Problem, report_context, visible_report
from commonbeat.web.desk.translated import TEXT, into_default, language_name, languages, paragraphs, show
from commonbeat.web.language import direction_of

SAID = {
    "accept": lambda: _("The translation stands beside the original now."),
    "reject": lambda: _("The translation was turned down. You can ask again."),
    "withdraw": lambda: _("It was taken back."),
}
DECISIONS = {"accept": accept_translation, "reject": reject_translation, "withdraw": withdraw_translation}


@require_POST
@needs(Permission.WORK_REPORTS)
def attach(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """Keep a translation that was typed on the report's page."""
    actor = signed_in(request)
    found = visible_report(actor, report_id)
    of = number(request.POST.get("of")) or TEXT
    field = f"translation-{of}"
    try:
        attach_translation(
            report_id=report_id,
            message_id=of or None,
            language=request.POST.get(f"into-{of}", ""),
            text=request.POST.get(field, ""),
            actor=actor,
            now=clock.now(),
        )
    except ReportError as error:
        context = report_context(request, found, problem=Problem(f"translate-{of}", field, error.sentence))
        return draw(request, "desk/reports/report.html", context, status=status_of(error))
    messages.success(request, _("The translation stands beside the original now."))
    return redirect(_address(request, report_id, of))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.WORK_REPORTS)
def ask(request: HttpRequest, report_id: int, of: int) -> HttpResponseBase:
    """Show what volunteers would read of a text, let more of it be hidden, and ask them."""
    actor = signed_in(request)
    found = visible_report(actor, report_id)
    now = clock.now()
    note_look(report_id=found.pk, actor=actor, now=now)
    message = _message(found, of)
    typed = request.POST
    from_language = typed.get("from", found.language)
    into = typed.get("into", "") or into_default(from_language)
    error: ReportError | None = None
    hide = typed.get("hide", "")
    hidden: list[str] = []
    original = original_of(found, message)
    try:
        hidden = words_to_hide(hide.split("\n")[: HIDE_LIMIT + 1], original)
        if typed.get("step") == "ask":
            ask_volunteers(
                report_id=found.pk,
                message_id=of or None,
                from_language=from_language,
                language=into,
                hide=hidden,
                actor=actor,
                now=now,
            )
            readers = queries.volunteers_for(from_language, into)
            messages.success(request, _asked(readers))
            return redirect(_address(request, found.pk, of))
    except ReportError as problem:
        error = problem
    source, _marks = mask(original, also=hidden)
    context: dict[str, Any] = {
        "report": found,
        "of": of,
        "query": query_of(request.GET, read_filters(request.GET)),
        "original": [line for line in original.split("\n") if line.strip()],
        "masked": paragraphs(pieces(source, {})),
        "from_language": from_language,
        "direction_from": direction_of(found.language),
        "into": into,
        "choices": languages(),
        "hide": hide,
        "is_sensitive": is_sensitive(found),
        "has_text": bool(original.strip()),
        "error": error.sentence if error else "",
    }
    return draw(request, "desk/translations/ask.html", context, status=status_of(error) if error else 200)


@require_POST
@needs(Permission.WORK_REPORTS)
def decide(request: HttpRequest, translation_id: int, verb: str) -> HttpResponseBase:
    """Take a volunteer's text, turn it down, or take a request or a translation back."""
    actor = signed_in(request)
    action = DECISIONS.get(verb)
    found = Translation.objects.visible_to(actor).filter(pk=translation_id).first()
    if action is None or found is None:
        raise Http404
    try:
        action(translation_id=translation_id, actor=actor, now=clock.now())
        messages.success(request, SAID[verb]())
    except NotAllowed:
        raise Http404 from None
    except ReportError as error:
        messages.warning(request, error.sentence)
    if request.POST.get("back") == "list":
        return redirect("desk:translations")
    return redirect(_address(request, found.report_id, found.message_id or TEXT))


@require_GET
@needs(Permission.SEE_DESK)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show what volunteers handed in and what still waits for them, and to supervisors how the queue stands."""
    viewer = signed_in(request)
    now = clock.now()
    lines = []
    for row in queries.desk_list(viewer):
        original = original_of(row.report, row.message)
        lines.append((row, show(row, original, now), language_name(row.from_language), original))
    context = {
        "offered": [line for line in lines if line[0].state == TranslationState.OFFERED],
        "asked": [line for line in lines if line[0].state == TranslationState.ASKED],
        "numbers": queries.numbers(now=now) if may(viewer, Permission.SEE_ALL_DESKS) else None,
        "may_work": may(viewer, Permission.WORK_REPORTS),
        "direction_of": direction_of,
    }
    return draw(request, "desk/translations/list.html", context)


def _asked(readers: int) -> str:
    if not readers:
        return _("The text waits, but nobody who translates here reads both languages yet.")
    return ngettext(
        "The text waits. %(count)s volunteer reads both languages.",
        "The text waits. %(count)s volunteers read both languages.",
        readers,
    ) % {"count": readers}


def _message(report: Report, of: int) -> Message | None:
    if of == TEXT:
        return None
    message = report.messages.filter(pk=of, kind=MessageKind.ANSWER).first()
    if message is None:
        raise Http404
    return message


def _address(request: HttpRequest, report_id: int, of: int) -> str:
    query = query_of(request.GET, read_filters(request.GET))
    return report_address(report_id, query, f"text-{of}")
