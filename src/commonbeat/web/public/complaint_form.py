"""Complain about police, or praise them: one thing per page, to people who are not police."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.tips import queries
from commonbeat.tips.actions.submitting import submit_text
from commonbeat.tips.complaint_queries import readers_of
from commonbeat.tips.errors import DeskClosed, DeskFull, TipError, TooLong
from commonbeat.tips.models import DeskKind, Member, TipDesk
from commonbeat.web.errors import error_page
from commonbeat.web.public import complaint_draft as drafts
from commonbeat.web.public import tip_pages as pages
from commonbeat.web.public.complaint_draft import Draft
from commonbeat.web.public.pages import forgotten, remember_language
from commonbeat.web.public.tip_form import TRAP, refuse_ticket
from commonbeat.web.public.tip_receipt import receipt_page

BODY_LIMIT = 500_000


@dataclass(slots=True)
class Form:
    """One showing of the form; `names` are the desk's members who show themselves, by their number."""

    desks: list[TipDesk]
    desk: TipDesk
    draft: Draft
    step: str = drafts.KIND
    readers: int = 0
    names: dict[int, str] = field(default_factory=dict)
    # The reader came from the last page, and goes back to it.
    returns: bool = False
    # The desk that was chosen takes nothing any more: nothing goes to another one unseen.
    lost_desk: bool = False
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> list[str]:
        """List the steps of this form."""
        return drafts.steps_of(self.draft, has_names=bool(self.names or self.draft.involved))


@pages.set_apart(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def complaint(request: HttpRequest) -> HttpResponse:
    """Show one step of the form, or take it in and show the next; at the end, the receipt."""
    desks = queries.open_desks(DeskKind.COMPLAINTS)
    if not desks:
        status = 503 if request.method == "POST" else 200
        return render(request, "public/complaints/closed.html", status=status)
    now = clock.now()
    if request.method != "POST":
        return show(request, _form(desks, Draft(pages.new_ticket(now), desk=desks[0].pk)))
    form = _form(desks, Draft.from_post(request.POST))
    step = request.POST.get("step", "")
    form.step = step if step in form.steps else drafts.KIND
    if step == drafts.INVOLVED and drafts.WANT in form.steps and form.step != step:
        # Nobody is left to choose among since the page was shown: go on from the page before.
        form.step = drafts.WANT
    form.returns = request.POST.get("returns") == "yes"
    if form.lost_desk:
        form.returns = form.returns or form.step == drafts.CHECK
        form.step = drafts.KIND
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        with translation.override(language):
            response = show(request, form)
        response.headers["Content-Language"] = language
        remember_language(response, language)
        return response
    if form.lost_desk:
        return show(request, form)
    go = request.POST.get("go", "next")
    if go == "back":
        form.step = form.steps[max(0, form.steps.index(form.step) - 1)]
        return show(request, form)
    if go in form.steps:
        form.step, form.returns = go, True
        return show(request, form)
    return _send(request, form, now) if form.step == drafts.CHECK else _go_on(request, form, now)


def show(request: HttpRequest, form: Form, *, status: int = 0) -> HttpResponse:
    """Show a step, with everything that was typed before it carried along."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    desk_name = form.desk.name_in(language)
    if form.lost_desk:
        said = _("The desk that you chose takes nothing now. Nothing was stored. Look to whom it can go instead.")
        # Where there is one desk only, there is no field to choose in.
        form.problems = {"desk" if len(form.desks) > 1 else "": said}
    unnamed = [(pk, drafts.not_shown()) for pk in form.draft.involved if pk not in form.names]
    rows = [(drafts.KIND, _("To whom it goes"), desk_name), *drafts.rows_of(form.draft, form.names)]
    context: dict[str, Any] = {
        "form": form,
        "draft": form.draft,
        "step": form.step,
        "number": form.steps.index(form.step) + 1,
        "total": len(form.steps),
        "carried": list(form.draft.hidden_fields(drafts.OWN_FIELDS[form.step])),
        "problems": form.problems,
        "summary_errors": [(name or None, said) for name, said in form.problems.items()],
        "language_form": "complaint-form",
        "language_action": reverse("public:complaint"),
        "enter_goes_on": True,
        "trap": TRAP,
        "desks": [(desk.pk, desk.name_in(language)) for desk in form.desks],
        "desk_name": desk_name,
        "days": form.desk.answer_within_days,
        "contacts": list(drafts.contacts().items()),
        "wants": list(drafts.wants().items()),
        "names": [*form.names.items(), *unnamed],
        "today": timezone.localdate().isoformat(),
        "what_limit": drafts.WHAT_LIMIT,
        "more_limit": drafts.MORE_LIMIT,
        "rows": rows if form.step == drafts.CHECK else [],
    }
    response = render(request, "public/complaints/step.html", context)
    response.status_code = status or (422 if form.problems else 200)
    return response


def _form(desks: list[TipDesk], draft: Draft) -> Form:
    desk = next((each for each in desks if each.pk == draft.desk), None)
    lost = desk is None and draft.desk != 0
    if desk is None:
        desk, draft.desk = desks[0], desks[0].pk if len(desks) == 1 else 0
    readers, names = readers_of(desk.pk)
    if draft.is_praise:
        draft.involved = []
    elif draft.involved:
        # Also who no longer shows themselves: they are members, and it was to be kept from them.
        admitted = Member.objects.admitted().filter(desk_id=desk.pk, pk__in=draft.involved)
        draft.involved = sorted(admitted.values_list("pk", flat=True))
    return Form(desks, desk, draft, readers=readers, names=dict(names), lost_desk=lost)


def _go_on(request: HttpRequest, form: Form, now: datetime) -> HttpResponse:
    form.problems = _problems(form.step, form, now)
    if form.problems:
        return show(request, form)
    if form.returns and form.step == drafts.KIND and drafts.INVOLVED in form.steps:
        # It may go to other people than before.
        form.step = drafts.INVOLVED
    elif form.returns:
        form.step, form.returns = drafts.CHECK, False
    else:
        form.step = form.steps[form.steps.index(form.step) + 1]
    return show(request, form)


def _send(request: HttpRequest, form: Form, now: datetime) -> HttpResponse:
    for step in form.steps:
        problems = _problems(step, form, now)
        if problems:
            form.step, form.problems, form.returns = step, problems, True
            return show(request, form)
    draft = form.draft
    ticket, sentence = refuse_ticket(draft.ticket, trap=request.POST.get(TRAP, ""), desk=form.desk, now=now)
    if ticket is None:
        if pages.open_ticket(draft.ticket, now) is None:
            draft.ticket = pages.new_ticket(now)
        form.problems = {"": sentence}
        return show(request, form)
    text = drafts.text_of(draft, form.names)
    try:
        with pages.sent_once(ticket, now) as is_first:
            if not is_first:
                said = _("What you wrote has arrived once, and it is not stored twice. The receipt is not shown again.")
                return error_page(request, status=409, title=_("This was sent already"), sentence=said)
            done = submit_text(desk_id=form.desk.pk, text=text, now=now, recused=draft.involved)
    except (TipError, TooLong) as error:
        form.problems = {"": _sentence(error)}
        return show(request, form, status=pages.status_of(error))
    # Nothing of the pages stays in the browser.
    arrived = _("Your praise has arrived") if draft.is_praise else _("Your complaint has arrived")
    return forgotten(receipt_page(request, done.receipt, now=now, is_first=True, arrived=arrived))


def _problems(step: str, form: Form, now: datetime) -> dict[str, str]:
    today = timezone.localtime(now).date()
    return drafts.problems_in(step, form.draft, today=today, readers=form.readers)


def _sentence(error: Exception) -> str:
    if isinstance(error, DeskFull):
        return _(
            "More has come today than can be read, and we take no more. Nothing was stored. Please come back tomorrow."
        )
    if isinstance(error, DeskClosed):
        return _("Complaints cannot be taken now. Nothing was stored.")
    return pages.sentence_of(error)
