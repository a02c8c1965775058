"""Two sides share the pages of sealed dialogues: tips at the desk, complaints about police at the oversight body.

One implementation serves both; a side says which desks it shows, which permission its pages need, and how it calls
things. Nobody reaches a desk of the other side by an address of this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from commonbeat.people.permissions import Permission
from commonbeat.tips import queries
from commonbeat.tips.models import DeskKind, Member
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import LARGEST

Page = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of desk, and how its members' pages differ from those of the other kind."""

    kind: str
    # Of the addresses: "desk" or "oversight".
    namespace: str
    opens: Permission
    base: str
    title: str
    noun: str
    nouns: str

    def url(self, name: str, **numbers: int | str) -> str:
        """Give the address of one of the pages."""
        return reverse(f"{self.namespace}:sealed_{name}", kwargs=numbers)


TIPS = Side(DeskKind.TIPS, "desk", Permission.OPEN_TIPS, "desk/base.html", "Tips", "tip", "tips")
COMPLAINTS = Side(
    DeskKind.COMPLAINTS,
    "oversight",
    Permission.OPEN_COMPLAINTS,
    "oversight/base.html",
    "Complaints about police",
    "complaint",
    "complaints",
)


def page(permission: Permission, side: object, view: Page, *methods: str) -> Page:
    """Make a page that needs a permission of a view that takes its side after the request."""

    @needs(permission)
    @require_http_methods(list(methods))
    def shown(request: HttpRequest, /, **numbers: Any) -> HttpResponseBase:
        return view(request, side, **numbers)

    return shown


def place_of(request: HttpRequest, side: Side, desk_id: int) -> Member:
    """Give the viewer's place in a desk of this side, enrolled or not; 404 for everybody who has none."""
    member = queries.member_of(signed_in(request), desk_id) if desk_id <= LARGEST else None
    if member is None or member.desk.kind != side.kind:
        raise Http404
    return member


def admitted_place(request: HttpRequest, side: Side, desk_id: int) -> Member:
    """Give the viewer's place in a desk, if new dialogues are sealed to them; else 404."""
    member = place_of(request, side, desk_id)
    if not member.is_admitted:
        raise Http404
    return member
