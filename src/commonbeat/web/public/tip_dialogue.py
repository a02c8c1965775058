"""Come back with a receipt, and answer; there is no session, for the receipt goes from page to page, sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from commonbeat.foundation import clock
from commonbeat.tips import queries, rules
from commonbeat.tips.actions import uploading
from commonbeat.tips.actions.dialogue import answer_as_source, read_as_source
from commonbeat.tips.actions.ending import delete_tip
from commonbeat.tips.actions.trying import count_wrong
from commonbeat.tips.dialogue_queries import FileLine, Line, file_blocks
from commonbeat.tips.errors import Misspelt, TipError, TooLong, TooManyTries, Unopenable
from commonbeat.tips.models import Direction, Outcome, Tip, TipFile, TipState
from commonbeat.tips.receipts import look_up, read_receipt
from commonbeat.web.downloads import attachment
from commonbeat.web.public import tip_pages as pages
from commonbeat.web.public.pages import forgotten, remember_language
from commonbeat.web.public.tip_form import BODY_LIMIT, PLAIN_MEGABYTES
from commonbeat.web.public.tip_upload import AnswerFiles, read_answer


@dataclass(slots=True)
class Answer:
    """What was written in answer, and what became of it."""

    text: str = ""
    problem: str = ""
    is_sent: bool = False
    files: int = 0
    ticket: str = ""
    status: int = 200


@pages.set_apart(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def tip_dialogue(request: HttpRequest) -> HttpResponse:
    """Ask for a receipt, or show its dialogue and take an answer."""
    if request.method != "POST":
        return _ask(request)
    now = clock.now()
    handler = AnswerFiles(request, begins=lambda fields, name: _begin(fields, name, now))
    fields = read_answer(request, handler)
    if fields.get("go") == "leave":
        return forgotten(redirect("public:home"))
    passed = pages.passed_on(fields.get("passed", ""), now)
    if passed is None and "passed" in fields:
        return _ask(request, _("This page was open for too long. Type the receipt again."), 410)
    try:
        receipt = passed.receipt if passed is not None else read_receipt(fields.get("receipt", "")[:1_000])
    except Misspelt as error:
        return _ask(request, misspelt(error.word) if fields.get("receipt", "").strip() else _("Type your receipt."))
    tip = queries.find_by_receipt(receipt)
    if tip is None:
        return _unknown(request, receipt)
    answer = Answer(files=handler.stored)
    language = fields.get("language", "")
    if language in dict(settings.LANGUAGES):
        return _in_language(request, receipt, language, now)
    if fields.get("go") in ("delete", "delete now"):
        return _delete(request, fields, receipt, tip, now)
    if "text" in fields:
        _take(fields, handler, tip, answer, now)
    try:
        return _show(request, receipt, answer, now)
    except Unopenable:
        return _unknown(request, receipt)


@pages.set_apart(20_000)
@require_POST
def tip_file(request: HttpRequest) -> HttpResponseBase:
    """Give a file of a dialogue, opened here."""
    now = clock.now()
    passed, number = pages.passed_on(request.POST.get("passed", ""), now), request.POST.get("file", "")
    if passed is None:
        return _ask(request, _("This page was open for too long. Type the receipt again."), 410)
    try:
        opened = read_as_source(receipt=passed.receipt)
    except Unopenable:
        raise Http404 from None
    line = next((each for each in opened.files if str(each.id) == number), None)
    if line is None or line.key is None or not line.is_whole:
        raise Http404
    file = TipFile.objects.select_related("tip").get(pk=line.id)
    blocks: Iterator[bytes] = file_blocks(file, line.key)
    response = StreamingHttpResponse(blocks, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = attachment(line.name or "", number=line.number)
    return response


def misspelt(word: int | None) -> str:
    """Say that what was typed cannot be a receipt; the words are not repeated."""
    if word is None:
        return _("There is a mistake in these words. A receipt has eight words of four letters. Please check each one.")
    return _("Word %(number)s cannot be right. Please check it and type the receipt again.") % {"number": word}


def unknown() -> str:
    """Say that no dialogue has this receipt."""
    return _("We know no dialogue with this receipt. It may have been deleted after its end. Please check the words.")


def standing(tip: Tip) -> str:
    """Say how a dialogue stands."""
    if tip.state == TipState.CLOSED:
        return _OUTCOMES.get(tip.outcome, _closed)()
    if tip.state == TipState.EXPIRED:
        return _("This dialogue has ended, because nobody wrote for a long time.")
    if tip.state == TipState.ANSWERED:
        return _("The desk has written to you.")
    return _("Your words are with the desk. It has not written to you since.")


def _closed() -> str:
    return _("The desk has closed this dialogue.")


_OUTCOMES = {
    Outcome.USED.value: lambda: _("The desk has closed this dialogue. What you told was useful."),
    Outcome.NOT_USED.value: lambda: _("The desk has closed this dialogue. It could not use what you told."),
    Outcome.ELSEWHERE.value: lambda: _("The desk has closed this dialogue. Another body must deal with it."),
    Outcome.UPHELD.value: lambda: _("This complaint was decided: you were right."),
    Outcome.PARTLY_UPHELD.value: lambda: _("This complaint was decided: you were right in part."),
    Outcome.NOT_UPHELD.value: lambda: _("This complaint was decided: the complaint was not found to be right."),
    Outcome.WITHDRAWN.value: lambda: _("This complaint was taken back."),
}


def _in_language(request: HttpRequest, receipt: str, language: str, now: datetime) -> HttpResponse:
    """Show the same dialogue in another language; the menu would lose the receipt."""
    with translation.override(language):
        response = _show(request, receipt, Answer(), now)
    response.headers["Content-Language"] = language
    remember_language(response, language)
    return response


def _delete(request: HttpRequest, fields: QueryDict, receipt: str, tip: Tip, now: datetime) -> HttpResponse:
    """Delete a dialogue for its source, who has said twice that it should go."""
    if fields["go"] == "delete now" and "sure" in fields:
        delete_tip(tip_id=tip.pk, now=now)
        return forgotten(render(request, "public/tip_deleted.html"))
    problem = _("Tick the box if it should be deleted.") if fields["go"] == "delete now" else ""
    context = {
        "passed": pages.pass_on(receipt, now),
        "problem": problem,
        "summary_errors": [("sure", problem)] if problem else [],
    }
    return render(request, "public/tip_delete.html", context, status=422 if problem else 200)


def _take(fields: QueryDict, handler: AnswerFiles, tip: Tip, answer: Answer, now: datetime) -> None:
    answer.text = fields.get("text", "").replace("\r\n", "\n")
    if not answer.text.strip() and not handler.stored and handler.problem is None:
        answer.problem, answer.status = _("Write an answer, or choose a file."), 422
        return
    ticket = pages.open_ticket(fields.get("ticket", ""), now)
    if ticket is None:
        answer.text = ""
        return
    try:
        with pages.sent_once(ticket, now) as is_first:
            if not is_first:
                # A reload, or "back" and once more: it is there already.
                answer.text = ""
                return
            if handler.problem is not None:
                raise handler.problem
            if answer.text.strip():
                answer_as_source(tip_id=tip.pk, text=answer.text, now=now)
        answer.is_sent, answer.text = True, ""
    except (TipError, TooLong) as error:
        answer.problem, answer.status = pages.sentence_of(error), pages.status_of(error)


def _begin(fields: QueryDict, name: str, now: datetime) -> uploading.Upload | None:
    """Begin a file of the dialogue that the fields before it name; None when they name none."""
    passed, ticket = pages.passed_on(fields.get("passed", ""), now), pages.open_ticket(fields.get("ticket", ""), now)
    if passed is None or ticket is None or pages.is_used(ticket):
        return None
    tip = queries.find_by_receipt(passed.receipt)
    return uploading.begin(tip_id=tip.pk, name=name, now=now) if tip is not None else None


def _ask(request: HttpRequest, problem: str = "", status: int = 0) -> HttpResponse:
    context = {
        "problem": problem,
        "summary_errors": [("receipt", problem)] if problem else [],
        "most_files": rules.MOST_FILES,
        "most_bytes": rules.MOST_FILE_BYTES,
    }
    return render(request, "public/tip_ask.html", context, status=status or (422 if problem else 200))


def _unknown(request: HttpRequest, receipt: str) -> HttpResponse:
    try:
        count_wrong(looked_up=look_up(receipt))
    except TooManyTries as error:
        return _ask(request, pages.sentence_of(error), 429)
    return _ask(request, unknown())


def _show(request: HttpRequest, receipt: str, answer: Answer, now: datetime) -> HttpResponse:
    opened = read_as_source(receipt=receipt)
    tip = opened.tip
    context: dict[str, Any] = {
        "tip": tip,
        "standing": standing(tip),
        "is_over": tip.is_over,
        "has_news": tip.news_for_source,
        "language_form": "tip-language",
        "language_action": reverse("public:tip_dialogue"),
        "messages_shown": [_message(line) for line in opened.texts],
        "files": [_file(line) for line in opened.files],
        "ends_on": queries.ends_on(tip),
        "is_ending_soon": queries.is_ending_soon(tip, now),
        "was_sealed_here": tip.sealed_where == "server",
        "answer": answer,
        "passed": pages.pass_on(receipt, now),
        "ticket": pages.new_ticket(now),
        "plain_megabytes": PLAIN_MEGABYTES,
        "may_add_files": tip.files < rules.MOST_FILES,
        "summary_errors": [("text", answer.problem)] if answer.problem else [],
        "files_said": ngettext("%(count)d file has arrived.", "%(count)d files have arrived.", answer.files)
        % {"count": answer.files},
    }
    return render(request, "public/tip_dialogue.html", context, status=answer.status)


def _message(line: Line) -> dict[str, Any]:
    is_own = line.direction == Direction.TO_DESK
    return {
        "from": "resident" if is_own else "desk",
        "name": _("You") if is_own else _("The desk"),
        "text": _("This text cannot be opened.") if line.text is None else line.text,
        "day": line.day,
    }


def _file(line: FileLine) -> dict[str, Any]:
    day: date = line.day
    return {"id": line.id, "name": line.name, "day": day, "size": line.size, "opens": line.is_whole and line.key}
