"""The emergency key of each sealed desk: its public half, set by the oversight body; the private half is never here."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.tips.actions.desks import set_escrow
from commonbeat.tips.errors import TipError
from commonbeat.tips.models import TipDesk
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number

NOT_HEX = "A public key is written as 64 of the signs 0 to 9 and a to f."


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.MANAGE_COMPLAINT_DESKS)
def keys(request: HttpRequest) -> HttpResponseBase:
    """Show which desk has an emergency key, and set or take away one."""
    problem, number = "", whole_number(request.POST.get("desk", ""))
    if request.method == "POST":
        if number is None or not TipDesk.objects.filter(pk=number).exists():
            raise Http404
        try:
            typed = "" if request.POST.get("do") == "remove" else request.POST.get("key", "")
            public = _read(typed, may_be_empty=request.POST.get("do") == "remove")
            set_escrow(desk_id=number, public=public, actor=signed_in(request), now=clock.now())
            messages.success(request, "It is set, and stands in the journal." if public else "The key is taken away.")
            return redirect("oversight:escrow")
        except TipError as error:
            problem = error.sentence
    rows = [(desk, desk.name_in("en"), bytes(desk.escrow_public).hex()) for desk in TipDesk.objects.order_by("pk")]
    context = {"rows": rows, "problem": problem, "number": number, "typed": request.POST.get("key", "")}
    return render(request, "oversight/escrow.html", context, status=422 if problem else 200)


def _read(typed: str, *, may_be_empty: bool) -> bytes:
    plain = "".join(typed.split()).lower()
    if may_be_empty and not plain:
        return b""
    try:
        public = bytes.fromhex(plain)
    except ValueError:
        raise TipError(NOT_HEX, "key") from None
    if len(public) != 32:
        raise TipError(NOT_HEX, "key")
    return public
