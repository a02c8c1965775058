"""Desks for sealed dialogues, as who manages them sees them: names, numbers, members, and nothing that is sealed.

Administrators manage desks for tips; the oversight body manages desks for complaints about police, with the same pages
under its own addresses. Nobody reaches a desk of the other kind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse

from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.people.permissions import PERMISSIONS, Permission
from commonbeat.people.queries import units
from commonbeat.tips import queries
from commonbeat.tips.actions import desks, membership
from commonbeat.tips.errors import TipError
from commonbeat.tips.models import DeskKind, Member, Tip, TipDesk, TipState
from commonbeat.web.accounts import signed_in
from commonbeat.web.administration.numbers import LARGEST, whole_number
from commonbeat.web.desk import tips_keyring
from commonbeat.web.desk.tips import standing_of
from commonbeat.web.desk.tips_side import Page, page

NUMBERS = ("intake_cap", "expires_after_days", "deletes_after_days", "answer_within_days")
SAID = {
    "open": "The desk is open: sources can write to it.",
    "close": "The desk takes nothing new. What is open goes on.",
    "name": "Named. The person makes a key on their own page; then a member lets them in.",
    "remove": "Removed. Nothing more is sealed to them.",
}


@dataclass(frozen=True, slots=True)
class Manages:
    """One kind of desk, and how the pages of those differ who manage it."""

    kind: str
    # Of the addresses: "administration" or "oversight".
    namespace: str
    needs: Permission
    base: str
    title: str
    nouns: str

    def url(self, name: str, **numbers: int | str) -> str:
        """Give the address of one of the pages."""
        return reverse(f"{self.namespace}:{name}", kwargs=numbers)


TIP_DESKS = Manages(
    DeskKind.TIPS, "administration", Permission.MANAGE_TIP_DESKS, "administration/base.html", "Tip desks", "tips"
)
COMPLAINT_DESKS = Manages(
    DeskKind.COMPLAINTS,
    "oversight",
    Permission.MANAGE_COMPLAINT_DESKS,
    "oversight/base.html",
    "Desks for complaints about police",
    "complaints",
)


def patterns(manages: Manages, prefix: str) -> list[URLPattern]:
    """Give the addresses of one kind of desk under a prefix such as "tip-desks/"."""
    pages: list[tuple[str, str, Page, tuple[str, ...]]] = [
        ("tip_desks", "", listing, ("GET", "HEAD")),
        ("tip_desk_new", "new/", new, ("GET", "HEAD", "POST")),
        ("tip_desk", "<int:pk>/", edit, ("GET", "HEAD", "POST")),
        ("tip_desk_act", "<int:pk>/<slug:verb>/", act, ("POST",)),
    ]
    return [
        path(prefix + address, page(manages.needs, manages, view, *methods), name=name)
        for name, address, view, methods in pages
    ]


def listing(request: HttpRequest, manages: Manages) -> HttpResponseBase:
    """Show the desks of a kind; of tips also how many wait, which tells whether a desk keeps up."""
    found = [desk for desk in queries.manageable_desks(signed_in(request)) if desk.kind == manages.kind]
    has_counts = manages.kind == DeskKind.TIPS
    counts = _waiting([desk.pk for desk in found]) if has_counts else {}
    rows = [(desk, desk.name_in("en"), manages.url("tip_desk", pk=desk.pk), counts.get(desk.pk, 0)) for desk in found]
    context = {"manages": manages, "rows": rows, "has_counts": has_counts}
    return render(request, "administration/tip_desks.html", context)


def new(request: HttpRequest, manages: Manages) -> HttpResponseBase:
    """Make a desk, closed at first."""
    problems: dict[str, str] = {}
    if request.method == "POST":
        try:
            made = desks.make_desk(
                kind=manages.kind, names=_names(request), actor=signed_in(request), now=clock.now(), **_numbers(request)
            )
            messages.success(request, "The desk is made. Name its members; it opens when it has two with keys.")
            return redirect(manages.url("tip_desk", pk=made.pk))
        except TipError as error:
            problems[_field(error)] = error.sentence
    return _desk_page(request, manages, None, problems)


def edit(request: HttpRequest, manages: Manages, pk: int) -> HttpResponseBase:
    """Show a desk and its members, and change its name and numbers."""
    desk = _desk_or_404(manages, pk)
    problems: dict[str, str] = {}
    if request.method == "POST":
        try:
            desks.change_desk(
                desk_id=desk.pk, names=_names(request), actor=signed_in(request), now=clock.now(), **_numbers(request)
            )
            messages.success(request, "Saved. Days count for what is written from now on.")
            return redirect(manages.url("tip_desk", pk=desk.pk))
        except TipError as error:
            problems[_field(error)] = error.sentence
    return _desk_page(request, manages, desk, problems)


def act(request: HttpRequest, manages: Manages, pk: int, verb: str) -> HttpResponseBase:
    """Open or close a desk, name a member, remove one."""
    desk = _desk_or_404(manages, pk)
    actor, now = signed_in(request), clock.now()
    try:
        if verb == "open":
            desks.open_desk(desk_id=desk.pk, actor=actor, now=now)
        elif verb == "close":
            desks.close_desk(desk_id=desk.pk, actor=actor, now=now)
        elif verb == "name":
            user_id = whole_number(request.POST.get("user", ""))
            if user_id is None:
                raise TipError("Choose an account.", "user")
            membership.name_member(desk_id=desk.pk, user_id=user_id, actor=actor, now=now)
        elif verb == "remove":
            member = _member_or_404(desk, request.POST.get("member", ""))
            membership.remove_member(member_id=member.pk, actor=actor, now=now)
            tips_keyring.forget_member(member.pk)
        else:
            raise Http404
    except TipError as error:
        return _desk_page(request, manages, desk, {error.field or verb: error.sentence})
    messages.success(request, SAID[verb])
    return redirect(manages.url("tip_desk", pk=desk.pk))


def _waiting(desk_ids: Collection[int]) -> dict[int, int]:
    found = Tip.objects.filter(desk_id__in=desk_ids, state=TipState.OPEN, same_as=None).order_by()
    return dict(found.values_list("desk_id").annotate(number=Count("pk")))


def _desk_or_404(manages: Manages, pk: int) -> TipDesk:
    desk = TipDesk.objects.filter(pk=pk, kind=manages.kind).first() if pk <= LARGEST else None
    if desk is None:
        raise Http404
    return desk


def _member_or_404(desk: TipDesk, number: str) -> Member:
    member = Member.objects.present().filter(desk=desk, pk=whole_number(number) or 0).first()
    if member is None:
        raise Http404
    return member


def _names(request: HttpRequest) -> dict[str, str]:
    return {code: request.POST.get(f"name_{code or 'plain'}", "") for code in ("", *settings.COMMONBEAT.languages)}


def _numbers(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in NUMBERS:
        if name in request.POST:
            number = whole_number(request.POST[name].strip())
            if number is None:
                raise TipError("Enter a whole number.", name)
            found[name] = number
    unit = whole_number(request.POST.get("unit", ""))
    if unit is not None:
        if unit not in {one.pk for one in units()}:
            raise TipError("Choose a unit of the list.", "unit")
        found["unit_id"] = unit
    return found


def _field(error: TipError) -> str:
    return "name_plain" if error.field == "names" else error.field or "name_plain"


def _desk_page(
    request: HttpRequest, manages: Manages, desk: TipDesk | None, problems: dict[str, str]
) -> HttpResponseBase:
    names = dict(settings.LANGUAGES)
    languages = [(f"name_{code}", f"In {names.get(code, code)}", code) for code in settings.COMMONBEAT.languages]
    posted = request.POST if problems and "name_plain" in request.POST else None
    shown = desk or TipDesk()
    values: dict[str, Any] = {
        "name_plain": shown.names.get("", ""),
        "unit": shown.unit_id or "",
        **{field: shown.names.get(code, "") for field, _label, code in languages},
        **{name: getattr(shown, name) for name in NUMBERS},
    }
    context = {
        "manages": manages,
        "desk": desk,
        "desk_name": desk.name_in("en") if desk else "",
        "values": values if posted is None else {name: posted.get(name, "") for name in values},
        "problems": problems,
        "languages_of_names": languages,
        "units": [(unit.pk, unit.name) for unit in units()],
        "is_complaints": manages.kind == DeskKind.COMPLAINTS,
        **(_people(desk) if desk else {}),
    }
    return render(request, "administration/tip_desk.html", context, status=422 if problems else 200)


def _people(desk: TipDesk) -> dict[str, Any]:
    rows = list(Member.objects.filter(desk=desk).order_by("pk"))
    roles = [role for role, may_do in PERMISSIONS.items() if queries.OPENS[DeskKind(desk.kind)] in may_do]
    present = {member.user_id for member in rows if member.left_day is None}
    fitting = User.objects.filter(is_active=True, role__in=roles).exclude(pk__in=present).order_by("username")
    names = User.objects.in_bulk([member.user_id for member in rows])
    return {
        "rows": [
            (member, names[member.user_id].shown_name if member.user_id in names else "–", *standing_of(member))
            for member in rows
        ],
        "accounts": [(user.pk, f"{user.shown_name} ({user.username})") for user in fitting],
        "has_escrow": bool(desk.escrow_public),
    }
