"""One sealed dialogue, opened: its texts, its files, the answer, and the end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from commonbeat.alerts.models import Alert
from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.models import Report
from commonbeat.tips import queries, rules
from commonbeat.tips.actions.dialogue import ask_as_member, close_tip, open_tip, recuse
from commonbeat.tips.dialogue_queries import Line, Opened, file_blocks
from commonbeat.tips.errors import NotMember, TipError, TooLong, Unopenable
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Complaint, DeskKind, Direction, Member, Outcome, Tip, TipFile, TipState
from commonbeat.web.accounts import signed_in
from commonbeat.web.administration.numbers import LARGEST, whole_number
from commonbeat.web.desk.pages import draw
from commonbeat.web.desk.tips import BADGES, frame
from commonbeat.web.desk.tips_ask import ask, ask_again
from commonbeat.web.desk.tips_keyring import IDLE, WARNED_BEFORE, open_key
from commonbeat.web.desk.tips_side import Side, admitted_place
from commonbeat.web.downloads import attachment

LONGEST = 20_000
# Of a stranger's file: a browser is to store it, and to run nothing of it should somebody open it here after all.
FILE_POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be done, and which field it is about."""

    field: str
    sentence: str
    status: int = 422


@dataclass(frozen=True, slots=True)
class About:
    """What a dialogue is about, and its page where the member may see it."""

    said: str
    url: str


def tip(request: HttpRequest, side: Side, desk_id: int, tip_id: int) -> HttpResponseBase:
    """Show an opened dialogue; first ask for the passphrase, where the key is locked."""
    member = admitted_place(request, side, desk_id)
    _tip_or_404(member, tip_id)
    pair = open_key(request, member, clock.now())
    if pair is None:
        return ask(side, member, request, tip_id=tip_id)
    return show(request, side, member, pair, tip_id)


def act(request: HttpRequest, side: Side, desk_id: int, tip_id: int, verb: str) -> HttpResponseBase:
    """Answer the source, close the dialogue, or take a complaint away from a member whom it concerns."""
    member = admitted_place(request, side, desk_id)
    _tip_or_404(member, tip_id)
    if verb not in ("answer", "close", "recuse"):
        raise Http404
    typed = {name: request.POST.get(name, "") for name in ("text", "outcome")}
    pair = open_key(request, member, clock.now())
    if pair is None:
        return ask_again(request, side, member, tip_id, typed)
    try:
        _do(request, member, tip_id, verb, typed)
    except TooLong:
        problem = Problem("text", f"This is too long. Write at most {LONGEST:,} characters.")
        return show(request, side, member, pair, tip_id, typed=typed, problem=problem)
    except TipError as error:
        problem = Problem(error.field, error.sentence)
        return show(request, side, member, pair, tip_id, typed=typed, problem=problem)
    if verb == "recuse" and queries.tip_for(member, tip_id) is None:
        return redirect(side.url("desk", desk_id=desk_id))
    return redirect(side.url("tip", desk_id=desk_id, tip_id=tip_id))


def file(request: HttpRequest, side: Side, desk_id: int, tip_id: int, file_id: int) -> HttpResponseBase:
    """Send a file of a dialogue, opened while it goes out, as something to store and never as something to show."""
    member = admitted_place(request, side, desk_id)
    _tip_or_404(member, tip_id)
    pair = open_key(request, member, clock.now())
    if pair is None:
        return ask(side, member, request, tip_id=tip_id)
    opened = _opened(request, member, pair, tip_id)
    line = next((each for each in opened.files if each.number == file_id and each.is_whole), None)
    if line is None:
        raise Http404
    found = TipFile.objects.select_related("tip").filter(pk=line.id).first()
    damaged = Problem("", f"File {line.number + 1} cannot be opened: it is damaged, or was not sealed to this desk.")
    if found is None or line.key is None:
        return show(request, side, member, pair, tip_id, problem=damaged)
    blocks = file_blocks(found, line.key)
    try:
        # The first one here: what is damaged from the start is told on a page.
        first = next(blocks, b"")
    except Unopenable:
        return show(request, side, member, pair, tip_id, problem=damaged)
    response = StreamingHttpResponse(_sent(first, blocks), content_type="application/octet-stream")
    response["Content-Disposition"] = attachment(line.name or "", number=line.number)
    response["Content-Security-Policy"] = FILE_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


def show(
    request: HttpRequest,
    side: Side,
    member: Member,
    pair: KeyPair,
    tip_id: int,
    *,
    typed: Mapping[str, str] | None = None,
    problem: Problem | None = None,
    was_locked: bool = False,
) -> HttpResponseBase:
    """Draw a dialogue that opens with this key, and a sentence where it does not."""
    user, now = signed_in(request), clock.now()
    found = _tip_or_404(member, tip_id)
    opened: Opened | None = None
    try:
        opened = _opened(request, member, pair, tip_id)
    except Unopenable:
        problem = problem or Problem("", "This cannot be opened with your key. Another member may be able to.")
    complaint = Complaint.objects.filter(pk=tip_id).first() if side.kind == DeskKind.COMPLAINTS else None
    idle = int(IDLE.total_seconds())
    context = {
        **frame(side, member),
        "tip": found,
        "badge_name": BADGES[TipState(found.state)],
        "lines": _in_order(opened.texts) if opened else [],
        "files": opened.files if opened else [],
        "copies": queries.copies_of(member, tip_id),
        "about": _about(user, found),
        "complaint": complaint,
        "others": _others(member, complaint),
        "outcomes": [(code, Outcome(code).label) for code in rules.OUTCOMES[side.kind]],
        "is_ending_soon": queries.is_ending_soon(found, now),
        "ends_on": queries.ends_on(found),
        "typed": typed or {},
        "problem": problem,
        "was_locked": was_locked,
        "longest": LONGEST,
        "idle_minutes": idle // 60,
        "idle_seconds": idle,
        "warn_seconds": idle - int(WARNED_BEFORE.total_seconds()),
    }
    return draw(request, "desk/tips/tip.html", context, status=problem.status if problem else 200)


def _do(request: HttpRequest, member: Member, tip_id: int, verb: str, typed: Mapping[str, str]) -> None:
    own: dict[str, Any] = {"tip_id": tip_id, "user": signed_in(request), "now": clock.now()}
    if verb == "answer":
        text = typed["text"].replace("\r\n", "\n").strip()
        if len(text) > LONGEST:
            raise TooLong
        ask_as_member(member_id=member.pk, text=text, **own)
        messages.success(request, "Sealed and left for the source, who sees it with the receipt.")
    elif verb == "close":
        close_tip(member_id=member.pk, outcome=typed["outcome"], **own)
        messages.success(request, "Closed. The source reads how it ended.")
    else:
        whom = whole_number(request.POST.get("member", ""))
        if whom is None:
            raise TipError("Choose whom it concerns.", "member")
        recuse(member_id=whom, by_member_id=member.pk, **own)
        messages.success(request, "That member cannot open this any more. It stands in the journal.")


def _tip_or_404(member: Member, tip_id: int) -> Tip:
    found = queries.tip_for(member, tip_id) if tip_id <= LARGEST else None
    if found is None:
        raise Http404
    return found


def _opened(request: HttpRequest, member: Member, pair: KeyPair, tip_id: int) -> Opened:
    """Open it by the action, which writes the journal."""
    try:
        return open_tip(tip_id=tip_id, member_id=member.pk, user=signed_in(request), pair=pair, now=clock.now())
    except NotMember:
        raise Http404 from None


def _sent(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    # Broken off in the middle: the browser is told that the download has failed, and keeps nothing.
    yield from itertools.chain([first], blocks)


def _in_order(lines: list[Line]) -> list[tuple[Line, bool]]:
    """Give the texts in the order in which they came, and whether the desk wrote them."""
    return [(line, line.direction == Direction.TO_SOURCE) for line in lines]


def _others(member: Member, complaint: Complaint | None) -> list[tuple[int, str]]:
    if complaint is None:
        return []
    gone = queries.accounts_of(complaint.recused)
    found = [each for each in queries.members_in(member.desk_id) if each.is_admitted and each.user_id not in gone]
    names = User.objects.in_bulk([each.user_id for each in found])
    return [(each.pk, names[each.user_id].shown_name) for each in found if each.user_id in names]


def _about(user: User, tip: Tip) -> About | None:
    number = tip.about_id
    if number is None:
        return None
    if tip.about_kind == "alert":
        alert = Alert.objects.visible_to(user).filter(pk=number).first()
        if alert is None:
            return About(f"alert {number}, which you may not see", "")
        if may(user, Permission.ALERT):
            return About(f"alert {number}", reverse("desk:alert", kwargs={"alert_id": number}))
        return About(f"alert {number}", reverse("public:alert", kwargs={"number": alert.root_id_or_own}))
    report = Report.objects.visible_to(user).filter(pk=number).first() if may(user, Permission.SEE_DESK) else None
    if report is None:
        return About(f"report {number}, which you may not see", "")
    return About(f"report {report.reference}", reverse("desk:report", kwargs={"report_id": number}))
