"""Erase a sender who asks for it, or keep a report for the law; what goes, what stays and why is said before."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from commonbeat.foundation import clock
from commonbeat.messaging.models import Contact
from commonbeat.people.permissions import Permission
from commonbeat.reactions.erasing import erase_contact, own_reports, what_goes
from commonbeat.reports.actions.retention import end_hold, place_hold
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Report, State
from commonbeat.topics.queries import all_topics
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.pages import draw

# Of somebody who sent thousands, the newest tell whom one has before oneself.
SHOWN_REPORTS = 100


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ERASE)
def erase(request: HttpRequest, handle: str) -> HttpResponseBase:
    """Show what would go and what must stay, and erase once the handle has been typed."""
    contact = _contact(handle)
    if request.method != "POST":
        return _page(request, contact)
    problems: dict[str, str] = {}
    texts = request.POST.get("texts", "")
    if texts not in ("all", "texts", "none"):
        problems["texts"] = _("Choose what becomes of the reports.")
    if " ".join(request.POST.get("confirm", "").split()).casefold() != contact.handle.casefold():
        problems["confirm"] = _("Type the name as it stands above, to say that you mean this person.")
    if problems:
        return _page(request, contact, problems=problems)
    erase_contact(
        contact_id=contact.pk,
        texts=texts != "none",
        withdraw=texts == "all",
        actor_id=signed_in(request).pk,
        now=clock.now(),
    )
    messages.success(request, _("Erased. If this person writes again, they are a stranger to this site."))
    return redirect("desk:list")


@require_POST
@needs(Permission.ERASE)
def hold(request: HttpRequest, handle: str, report_id: int) -> HttpResponseBase:
    """Keep one report of a sender for the law up to a day, or lift that."""
    contact, actor = _contact(handle), signed_in(request)
    if not own_reports(contact.pk).filter(pk=report_id).exists():
        raise Http404
    try:
        if request.POST.get("do") == "lift":
            end_hold(report_id=report_id, actor=actor, now=clock.now())
            messages.success(request, _("The report is no longer kept for the law."))
        else:
            place_hold(
                report_id=report_id,
                reason=request.POST.get("reason", ""),
                until=_day(request.POST.get("until", "")),
                actor=actor,
                now=clock.now(),
            )
            messages.success(request, _("The report is kept for the law until that day."))
    except ReportError as error:
        return _page(request, contact, problems={f"hold-{report_id}": error.sentence})
    return redirect("desk:contact_erase", handle=contact.handle)


def _contact(handle: str) -> Contact:
    # Whoever may erase sees every desk.
    found = Contact.objects.filter(handle=handle[:40]).first()
    if found is None:
        raise Http404
    return found


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        return None


def _page(request: HttpRequest, contact: Contact, *, problems: dict[str, str] | None = None) -> HttpResponseBase:
    reports = own_reports(contact.pk).select_related("hold", "publication").order_by("-pk")
    shown: list[Report] = list(reports[:SHOWN_REPORTS])
    language = "en"
    context: dict[str, Any] = {
        "contact": contact,
        "goes": what_goes(contact.pk),
        "reports": shown,
        "topic_names": {topic.pk: topic.name_in(language) for topic in all_topics()},
        "states": dict(State.choices),
        "today": timezone.localdate(clock.now()),
        "typed": request.POST if problems else {},
        "problems": problems or {},
    }
    return draw(request, "desk/erasing/erase.html", context, status=422 if problems else 200)
