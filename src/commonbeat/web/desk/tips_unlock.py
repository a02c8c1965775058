"""Unlock one's key with the passphrase, keep it open, lock it; what was typed meanwhile is not lost."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from commonbeat.foundation import clock
from commonbeat.tips import queries
from commonbeat.tips.actions.membership import share_keys
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Member
from commonbeat.web.accounts import signed_in
from commonbeat.web.administration.numbers import whole_number
from commonbeat.web.desk import tips_keyring
from commonbeat.web.desk.tips_ask import ask
from commonbeat.web.desk.tips_dialogue import show
from commonbeat.web.desk.tips_keyring import Busy, TooOften
from commonbeat.web.desk.tips_side import Side, place_of
from commonbeat.web.desk.tips_typed import open_typed

TOO_OFTEN = "Five wrong passphrases in a few minutes. Wait five minutes, then try again."
BUSY = "Several people are unlocking at this moment. Try again in a moment."
WRONG = "That is not the passphrase of this key."


def unlock(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Ask for the passphrase, and go to where the viewer wanted to be."""
    member = place_of(request, side, desk_id)
    if not member.is_enrolled:
        return redirect(side.url("enrol", desk_id=desk_id))
    tip_id = whole_number(request.POST.get("tip", request.GET.get("tip", "")))
    typed = request.POST.get("typed", "")
    if request.method != "POST":
        return ask(side, member, request, tip_id=tip_id)
    try:
        with tips_keyring.trying(member):
            pair = queries.unlock(member, request.POST.get("passphrase", ""))
    except TooOften:
        return ask(side, member, request, tip_id=tip_id, sealed=typed, problem=TOO_OFTEN, status=429)
    except Busy:
        return ask(side, member, request, tip_id=tip_id, sealed=typed, problem=BUSY, status=503)
    except Unopenable:
        return ask(side, member, request, tip_id=tip_id, sealed=typed, problem=WRONG, status=422)
    if member.is_admitted:
        # Heals what a race left out: a browser that was sealing while somebody was admitted.
        share_keys(by_member_id=member.pk, user=signed_in(request), pair=pair)
    return hold(request, side, member, pair, _onward(request, side, member, pair, tip_id, typed))


def hold(
    request: HttpRequest, side: Side, member: Member, pair: KeyPair, response: HttpResponseBase
) -> HttpResponseBase:
    """Keep a key open for the pages of its desk, from this answer on."""
    path = side.url("desk", desk_id=member.desk_id)
    tips_keyring.hold_open(request, response, member=member, pair=pair, path=path, now=clock.now())
    return response


def lock(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Lock the key at once."""
    member = place_of(request, side, desk_id)
    path = side.url("desk", desk_id=desk_id)
    messages.success(request, "Locked. To open something, type your passphrase again.")
    response = redirect(path)
    tips_keyring.lock(request, response, member=member, path=path)
    return response


def stay(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Begin the fifteen minutes anew, for somebody who is writing; 409 where the key is locked."""
    member = place_of(request, side, desk_id)
    is_open = tips_keyring.open_key(request, member, clock.now()) is not None
    return HttpResponse(status=204 if is_open else 409)


def _onward(
    request: HttpRequest, side: Side, member: Member, pair: KeyPair, tip_id: int | None, typed: str
) -> HttpResponseBase:
    if tip_id is None:
        return redirect(side.url("desk", desk_id=member.desk_id))
    fields = open_typed(pair, tip_id=tip_id, sealed=typed)
    if not fields:
        return redirect(side.url("tip", desk_id=member.desk_id, tip_id=tip_id))
    try:
        return show(request, side, member, pair, tip_id, typed=fields, was_locked=True)
    except Http404:
        messages.error(request, f"That {side.noun} is not there any more, so what you had typed cannot be sent.")
        return redirect(side.url("desk", desk_id=member.desk_id))
