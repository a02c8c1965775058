"""Write to a desk in confidence: one page, sealed in the browser, or here while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commonbeat.foundation import clock
from commonbeat.tips import queries, rules
from commonbeat.tips.actions.submitting import NOTHING, Submitted, submit_text
from commonbeat.tips.errors import DeskFull, TipError, TooLong
from commonbeat.tips.models import DeskKind, TipDesk
from commonbeat.web.errors import error_page
from commonbeat.web.public import tip_pages as pages
from commonbeat.web.public.tip_about import Subject, subject_of
from commonbeat.web.public.tip_receipt import receipt_page
from commonbeat.web.public.tip_upload import NewTipFiles

# Without JavaScript all files come in one piece, which the server holds until it is whole (config/bridge.py).
BODY_LIMIT = 48_000_000
PLAIN_MEGABYTES = 45
# People take longer to write; who fills forms by program must wait, and longer once half of the day's number is there.
LEAST_SECONDS, LEAST_SECONDS_BUSY = 4, 30
# Filled in by programs; people do not see it.
TRAP = "website"


@dataclass(slots=True)
class Form:
    """One showing of the form."""

    desk: TipDesk
    ticket: str
    subject: Subject | None = None
    text: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    lost_files: bool = False


@pages.set_apart(0)
@require_safe
def tip_start(request: HttpRequest) -> HttpResponse:
    """Choose a desk; where there is one only, write to it."""
    now = clock.now()
    desks = queries.open_desks(DeskKind.TIPS)
    subject = subject_of(request.GET.get("about", ""), now)
    if len(desks) == 1:
        return show(request, Form(desks[0], pages.new_ticket(now), subject))
    language = translation.get_language() or settings.LANGUAGE_CODE
    context = {"desks": [(desk.pk, desk.name_in(language)) for desk in desks], "subject": subject}
    return render(request, "public/tip_start.html", context)


@pages.set_apart(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def tip_desk(request: HttpRequest, desk: int) -> HttpResponse:
    """Show the form of a desk, or take a tip in and show its receipt, this once."""
    found, now = desk_or_404(desk), clock.now()
    if request.method == "POST":
        return _take(request, found, now)
    return show(request, Form(found, pages.new_ticket(now), subject_of(request.GET.get("about", ""), now)))


def desk_or_404(number: int) -> TipDesk:
    """Give an open desk for tips."""
    desk = TipDesk.objects.filter(pk=number, is_open=True, kind=DeskKind.TIPS).first() if number < 2**63 else None
    if desk is None:
        raise Http404
    return desk


def refuse_ticket(text: str, *, trap: str, desk: TipDesk, now: datetime) -> tuple[pages.Ticket | None, str]:
    """Open a form's ticket; None and a sentence when it does not hold, is too new, or the trap has closed."""
    if trap.strip():
        return None, _("One field must stay empty. Empty it and send again.")
    ticket = pages.open_ticket(text, now)
    if ticket is None:
        return None, _("This form has been open for too long. Please send it once more.")
    is_busy = queries.begun_today(desk.pk, now) * 2 >= desk.intake_cap
    left = ticket.at + (LEAST_SECONDS_BUSY if is_busy else LEAST_SECONDS) - now.timestamp()
    if left > 0:
        return None, _("Please wait %(seconds)s seconds and send again. This slows down programs that flood us.") % {
            "seconds": max(1, round(left))
        }
    return ticket, ""


def _take(request: HttpRequest, desk: TipDesk, now: datetime) -> HttpResponse:
    handler = NewTipFiles(request, desk_id=desk.pk, takes=queries.takes_tips(desk, now))
    # Before the first byte of the body is read: the usual handlers would keep files as they come.
    request.upload_handlers = [handler]
    done: Submitted | None = None
    try:
        form = Form(desk, request.POST.get("ticket", "")[:1_000], subject_of(request.POST.get("about", ""), now))
        form.text = request.POST.get("text", "").replace("\r\n", "\n")
        form.lost_files = handler.has_any
        ticket, sentence = refuse_ticket(form.ticket, trap=request.POST.get(TRAP, ""), desk=desk, now=now)
        if ticket is None:
            form.problems = {"": sentence}
            if pages.open_ticket(form.ticket, now) is None:
                form.ticket = pages.new_ticket(now)
            return show(request, form)
        if not form.text.strip():
            form.problems = {"text": _("Write what you want to tell. A few words are enough.")}
            return show(request, form)
        try:
            with pages.sent_once(ticket, now) as is_first:
                if not is_first:
                    return already_sent(request)
                if handler.problem is not None:
                    raise handler.problem
                stored = submit_text(
                    desk_id=desk.pk,
                    text=form.text,
                    now=now,
                    prepared=handler.prepared,
                    files=handler.files,
                    about=form.subject.stored if form.subject else NOTHING,
                )
            done = stored
        except (TipError, TooLong) as error:
            name = "files" if handler.problem is error else "text" if isinstance(error, TooLong) else ""
            form.problems = {name: pages.sentence_of(error)}
            return show(request, form, status=pages.status_of(error))
        return receipt_page(request, done.receipt, now=now, is_first=True, has_files=bool(handler.files))
    finally:
        if done is None:
            handler.give_up()


def already_sent(request: HttpRequest) -> HttpResponse:
    """Say that a form was sent before: its receipt is shown once."""
    said = _("Your tip has arrived once, and it is not stored twice. The receipt is not shown again.")
    return error_page(request, status=409, title=_("This was sent already"), sentence=said)


def show(request: HttpRequest, form: Form, *, status: int = 0) -> HttpResponse:
    """Show the form."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    is_full = not queries.takes_tips(form.desk, clock.now())
    if is_full and not form.problems:
        form.problems = {"": pages.sentence_of(DeskFull())}
        status = 503
    context: dict[str, Any] = {
        "form": form,
        "desk_name": form.desk.name_in(language),
        "sealing": msgspec.json.encode(queries.desk_for_sealing(form.desk)).decode(),
        "has_escrow": bool(form.desk.escrow_public),
        "most_files": rules.MOST_FILES,
        "most_bytes": rules.MOST_FILE_BYTES,
        "most_megabytes": rules.MOST_FILE_BYTES // 1_000_000,
        "plain_megabytes": PLAIN_MEGABYTES,
        "trap": TRAP,
        "summary_errors": list(form.problems.items()),
    }
    return render(request, "public/tip_form.html", context, status=status or (422 if form.problems else 200))
