"""A member's own key: made, printed, changed, recovered, given up; and the members who wait to be let in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.tips import members, queries
from commonbeat.tips.actions import membership
from commonbeat.tips.errors import Misspelt, TipError, Unopenable
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Member
from commonbeat.web.accounts import signed_in
from commonbeat.web.desk import tips_keyring
from commonbeat.web.desk.pages import draw
from commonbeat.web.desk.tips import frame, standing_of
from commonbeat.web.desk.tips_ask import ask
from commonbeat.web.desk.tips_keyring import Busy, TooOften
from commonbeat.web.desk.tips_side import Side, admitted_place, place_of
from commonbeat.web.desk.tips_unlock import BUSY, TOO_OFTEN, hold

# A desk with very many dialogues is walked in several requests.
SHARING = timedelta(seconds=5)
UNLIKE = "The two are not the same. Type the passphrase twice."
NOT_THE_KEY = "This is not the recovery key of this membership. Compare it with the paper; only the newest one counts."
OLD_WRONG = "That is not your present passphrase."


def enrol(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Let a named member choose a passphrase, and show the printed recovery key this once."""
    member = place_of(request, side, desk_id)
    if member.is_enrolled:
        return redirect(side.url("key", desk_id=desk_id))
    problems: dict[str, str] = {}
    status = 422
    if request.method == "POST":
        passphrase = request.POST.get("passphrase", "")
        if passphrase != request.POST.get("again", ""):
            problems["again"] = UNLIKE
        else:
            try:
                with tips_keyring.stretching():
                    done = membership.enrol_member(
                        desk_id=desk_id, user=signed_in(request), passphrase=passphrase, now=clock.now()
                    )
                return _printed(request, side, done.member, done.recovery, is_new=True)
            except Busy:
                problems["passphrase"], status = BUSY, 503
            except TipError as error:
                problems[error.field or "passphrase"] = error.sentence
    context = {**frame(side, member), "problems": problems}
    return draw(request, "desk/tips/enrol.html", context, status=status if problems else 200)


def key(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Show how the viewer's key is kept, and what can be done with it."""
    member = place_of(request, side, desk_id)
    if not member.is_enrolled:
        return redirect(side.url("enrol", desk_id=desk_id))
    return _key_page(request, side, member)


def act_on_key(request: HttpRequest, side: Side, desk_id: int, verb: str) -> HttpResponseBase:
    """Confirm or renew the recovery key, change the passphrase, or leave the desk."""
    member = place_of(request, side, desk_id)
    acts = {"confirm": _confirm, "renew": _renew, "passphrase": _change, "leave": _leave}
    if verb not in acts or not member.is_enrolled:
        raise Http404
    return acts[verb](request, side, member)


def recover(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Open the key with the printed recovery key, and choose a new passphrase."""
    member = place_of(request, side, desk_id)
    if not member.is_enrolled:
        return redirect(side.url("enrol", desk_id=desk_id))
    problems: dict[str, str] = {}
    status = 422
    if request.method == "POST":
        passphrase = request.POST.get("passphrase", "")
        try:
            if passphrase != request.POST.get("again", ""):
                raise TipError(UNLIKE, "again")
            with tips_keyring.trying(member):
                pair = membership.recover_member(
                    member_id=member.pk,
                    user=signed_in(request),
                    typed=request.POST.get("recovery", ""),
                    passphrase=passphrase,
                    now=clock.now(),
                )
            return _recovered(request, side, member, pair)
        except Misspelt as error:
            problems["recovery"] = misspelt(error)
        except Unopenable:
            problems["recovery"] = NOT_THE_KEY
        except TooOften:
            problems["recovery"], status = TOO_OFTEN, 429
        except Busy:
            problems["passphrase"], status = BUSY, 503
        except TipError as error:
            problems[error.field or "passphrase"] = error.sentence
    context = {**frame(side, member), "problems": problems}
    return draw(request, "desk/tips/recover.html", context, status=status if problems else 200)


def members_page(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """Show who is in the desk, and who waits to be let in."""
    return _members_page(request, side, admitted_place(request, side, desk_id))


def admit(request: HttpRequest, side: Side, desk_id: int, member_id: int) -> HttpResponseBase:
    """Let an enrolled member in: with the viewer's open key, what has come so far is sealed to them as well."""
    member = admitted_place(request, side, desk_id)
    now = clock.now()
    pair = tips_keyring.open_key(request, member, now)
    if pair is None:
        return ask(side, member, request, status=409)
    user, until = signed_in(request), now + SHARING
    try:
        left = membership.add_member(member_id=member_id, by_member_id=member.pk, user=user, pair=pair, now=now)
    except TipError as error:
        return _members_page(request, side, member, problem=error.sentence)
    before = left + 1
    # What a box of nonsense keeps from being shared stays: then the number does not fall any more.
    while 0 < left < before and clock.now() < until:
        before, left = left, membership.share_keys(by_member_id=member.pk, user=user, pair=pair)
    said = f"{side.nouns} are left to be shared: unlock again later, and it goes on."
    messages.success(request, "Let in. " + (f"{left} {said}" if left else f"They can open all {side.nouns} so far."))
    return redirect(side.url("members", desk_id=desk_id))


def misspelt(error: Misspelt) -> str:
    """Say which word of a recovery key cannot be right."""
    if error.word is None:
        return "The key has twelve words of four letters. Type all of them, as they stand on the paper."
    return f"Word {error.word} cannot be right. Compare it with the paper."


def _confirm(request: HttpRequest, side: Side, member: Member) -> HttpResponseBase:
    try:
        membership.confirm_recovery(
            member_id=member.pk, user=signed_in(request), typed=request.POST.get("recovery", "")
        )
    except Misspelt as error:
        return _key_page(request, side, member, field="recovery", problem=misspelt(error))
    except Unopenable:
        return _key_page(request, side, member, field="recovery", problem=NOT_THE_KEY)
    messages.success(request, "The recovery key is right. Keep the paper where only you get at it.")
    return redirect(side.url("key", desk_id=member.desk_id))


def _renew(request: HttpRequest, side: Side, member: Member) -> HttpResponseBase:
    pair = tips_keyring.open_key(request, member, clock.now())
    if pair is None:
        return ask(side, member, request, status=409)
    recovery = membership.renew_recovery(member_id=member.pk, user=signed_in(request), pair=pair)
    return _printed(request, side, member, recovery, is_new=False)


def _change(request: HttpRequest, side: Side, member: Member) -> HttpResponseBase:
    new = request.POST.get("passphrase", "")
    if new != request.POST.get("again", ""):
        return _key_page(request, side, member, field="again", problem=UNLIKE)
    try:
        with tips_keyring.trying(member):
            membership.change_passphrase(
                member_id=member.pk, user=signed_in(request), old=request.POST.get("old", ""), new=new
            )
    except Unopenable:
        return _key_page(request, side, member, field="old", problem=OLD_WRONG)
    except TooOften:
        return _key_page(request, side, member, field="old", problem=TOO_OFTEN, status=429)
    except Busy:
        return _key_page(request, side, member, field="old", problem=BUSY, status=503)
    except TipError as error:
        return _key_page(request, side, member, field=error.field or "passphrase", problem=error.sentence)
    tips_keyring.forget_member(member.pk)
    messages.success(request, "The passphrase is changed. Unlock with the new one.")
    return redirect(side.url("unlock", desk_id=member.desk_id))


def _leave(request: HttpRequest, side: Side, member: Member) -> HttpResponseBase:
    if request.POST.get("sure") != "yes":
        problem = "Tick the box to say that you want to leave."
        return _key_page(request, side, member, field="sure", problem=problem)
    try:
        membership.remove_member(member_id=member.pk, actor=signed_in(request), now=clock.now())
    except TipError as error:
        return _key_page(request, side, member, field="sure", problem=error.sentence)
    tips_keyring.forget_member(member.pk)
    messages.success(request, "You have left the desk. Your key for it is deleted.")
    return redirect(side.url("home"))


def _recovered(request: HttpRequest, side: Side, member: Member, pair: KeyPair) -> HttpResponseBase:
    tips_keyring.forget_member(member.pk)
    messages.success(request, "The new passphrase counts from now. The printed key stays as it is.")
    return hold(request, side, member, pair, redirect(side.url("desk", desk_id=member.desk_id)))


def _printed(request: HttpRequest, side: Side, member: Member, recovery: str, *, is_new: bool) -> HttpResponseBase:
    # In the answer itself, not after a redirect: to get there the key would have to be stored somewhere.
    context = {**frame(side, member), "lines": members.show_recovery_key(recovery), "is_new": is_new}
    return draw(request, "desk/tips/printed.html", context)


def _key_page(
    request: HttpRequest, side: Side, member: Member, *, field: str = "", problem: str = "", status: int = 422
) -> HttpResponseBase:
    context: dict[str, Any] = {
        **frame(side, member),
        "standing": standing_of(member),
        "is_open": tips_keyring.open_key(request, member, clock.now()) is not None,
        "problems": {field: problem} if problem else {},
    }
    return draw(request, "desk/tips/key.html", context, status=status if problem else 200)


def _members_page(request: HttpRequest, side: Side, member: Member, *, problem: str = "") -> HttpResponseBase:
    present = queries.members_in(member.desk_id)
    names = User.objects.in_bulk([each.user_id for each in present])
    context = {
        **frame(side, member),
        "rows": [
            (each, names[each.user_id].shown_name if each.user_id in names else "–", *standing_of(each))
            for each in present
        ],
        "is_open": tips_keyring.open_key(request, member, clock.now()) is not None,
        "problem": problem,
    }
    return draw(request, "desk/tips/members.html", context, status=422 if problem else 200)
