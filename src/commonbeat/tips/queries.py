"""Read desks and members, and find tips; whoever is no member finds nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from commonbeat.foundation import crypto
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.tips import members, receipts, rules
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Complaint, DeskKind, Member, Tip, TipDesk, TipKey, TipState

# What an account needs to be a member of a desk, and to manage it, by the kind of the desk.
OPENS = {DeskKind.TIPS: Permission.OPEN_TIPS, DeskKind.COMPLAINTS: Permission.OPEN_COMPLAINTS}
MANAGES = {DeskKind.TIPS: Permission.MANAGE_TIP_DESKS, DeskKind.COMPLAINTS: Permission.MANAGE_COMPLAINT_DESKS}


@dataclass(frozen=True, slots=True)
class Seat:
    """A desk in which an account is, and how many dialogues wait there that it can open."""

    desk: TipDesk
    member: Member
    waiting: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A dialogue in a list; `copies` others began the same day with the same words."""

    tip: Tip
    copies: int
    due_day: date | None


def today(now: datetime) -> date:
    """Give the day that is stored of a moment."""
    return now.astimezone(UTC).date()


def may_manage(user: User, desk: TipDesk) -> bool:
    """Tell whether an account may change a desk and name its members."""
    return may(user, MANAGES[DeskKind(desk.kind)])


def may_be_member(user: User | None, desk: TipDesk) -> bool:
    """Tell whether an account is open and has a role that fits the desk."""
    return may(user, OPENS[DeskKind(desk.kind)])


def manageable_desks(user: User) -> list[TipDesk]:
    """Read the desks that an account may change, with the number of admitted members as `members_count`."""
    kinds = [kind for kind, permission in MANAGES.items() if may(user, permission)]
    counted = Count("members", filter=Q(members__left_day=None, members__admitted_day__isnull=False))
    return list(TipDesk.objects.filter(kind__in=kinds).annotate(members_count=counted).order_by("pk"))


def open_desks(kind: str | None = None) -> list[TipDesk]:
    """Read the desks that take new dialogues."""
    found = TipDesk.objects.filter(is_open=True)
    return list((found.filter(kind=kind) if kind else found).order_by("pk"))


def takes_tips(desk: TipDesk, now: datetime) -> bool:
    """Tell whether a desk takes a new dialogue now: it is open and has not reached its number of the day."""
    return desk.is_open and not rules.is_full(begun_today=begun_today(desk.pk, now), cap=desk.intake_cap)


def begun_today(desk_id: int, now: datetime, *, copies: bool = False) -> int:
    """Count the dialogues that began today; those that repeat another one's words are counted apart."""
    found = Tip.objects.filter(desk_id=desk_id, created_day=today(now))
    return found.filter(same_as__isnull=not copies).count()


def desk_for_sealing(desk: TipDesk) -> dict[str, object]:
    """Give what a browser needs to seal to a desk, as JSON has it: public keys only, in hexadecimal digits."""
    publics = admitted_keys(desk.pk)
    escrow = bytes(desk.escrow_public)
    return {
        "desk": desk.pk,
        "members": {uid.hex(): public.hex() for uid, public in publics.items()},
        "escrow": escrow.hex() if escrow else None,
    }


def admitted_keys(desk_id: int, *, without: Collection[int] = ()) -> dict[bytes, bytes]:
    """Read the public keys to which a new tip is sealed: member's id → key."""
    found = Member.objects.admitted().filter(desk_id=desk_id).exclude(user_id__in=accounts_of(without)).order_by("pk")
    return {bytes(uid): bytes(public) for uid, public in found.values_list("uid", "public")}


def accounts_of(member_ids: Collection[int]) -> set[int]:
    """Read the accounts of members by number, those that have left too: who comes back has another place."""
    return set(Member.objects.filter(pk__in=list(member_ids)).values_list("user_id", flat=True))


def members_in(desk_id: int) -> list[Member]:
    """Read the members of a desk that have not left, admitted or not."""
    return list(Member.objects.present().filter(desk_id=desk_id).order_by("pk"))


def member_of(user: User, desk_id: int) -> Member | None:
    """Find an account's place in a desk; None where its role does not fit, it has left, or it is closed."""
    member = Member.objects.present().select_related("desk").filter(desk_id=desk_id, user_id=user.pk).first()
    return member if member is not None and may_be_member(user, member.desk) else None


def desks_of(user: User) -> list[Seat]:
    """Read the desks of an account, each with the number of dialogues that it can open and that have news."""
    found = Member.objects.present().select_related("desk").filter(user_id=user.pk).order_by("pk")
    theirs = TipKey.objects.filter(member__user_id=user.pk, member__left_day=None)
    new = theirs.filter(tip__news_for_desk=True, tip__same_as=None)
    news = dict(new.order_by().values_list("member_id").annotate(number=Count("pk")))
    return [Seat(member.desk, member, news.get(member.pk, 0)) for member in found if may_be_member(user, member.desk)]


def unlock(member: Member, passphrase: str) -> KeyPair:
    """Open a member's key by one Argon2id; Unopenable when the passphrase is wrong or there is no key."""
    if not member.is_enrolled or member.left_day is not None:
        raise Unopenable
    return members.open_by_passphrase(
        bytes(member.by_passphrase), member=bytes(member.uid), passphrase=passphrase, public=bytes(member.public)
    )


def openable_by(member: Member) -> QuerySet[Tip]:
    """Narrow to the tips whose key is in a box for this member."""
    if not member.is_admitted:
        return Tip.objects.none()
    theirs = TipKey.objects.filter(tip=OuterRef("pk"), member_id=member.pk)
    return Tip.objects.filter(Exists(theirs), desk_id=member.desk_id)


def waiting(member: Member, *, state: str = TipState.OPEN, before: int | None = None, limit: int = 100) -> list[Listed]:
    """List the dialogues of a state that a member can open, newest first; copies are told as a number only."""
    found = openable_by(member).filter(state=state, same_as=None)
    if before is not None:
        found = found.filter(pk__lt=before)
    tips = list(found.order_by("-pk")[:limit])
    ids = [tip.pk for tip in tips]
    copies = dict(Tip.objects.filter(same_as__in=ids).order_by().values_list("same_as").annotate(number=Count("pk")))
    due = dict(Complaint.objects.filter(pk__in=ids).values_list("pk", "due_day"))
    return [Listed(tip, copies.get(tip.pk, 0), due.get(tip.pk)) for tip in tips]


def copies_of(member: Member, tip_id: int, *, limit: int = 100) -> list[Tip]:
    """List the dialogues that began with the same words as one: each has a source that may be answered."""
    return list(openable_by(member).filter(same_as=tip_id).order_by("-pk")[:limit])


def tip_for(member: Member, tip_id: int) -> Tip | None:
    """Find a tip of which a member has a box; None for everybody else."""
    return openable_by(member).select_related("desk").filter(pk=tip_id).first()


def find_by_receipt(receipt: str) -> Tip | None:
    """Find the tip of a receipt, as read_receipt gives it; None when it is unknown."""
    return find_by_look_up(receipts.look_up(receipt))


def find_by_look_up(looked_up: bytes) -> Tip | None:
    """Find the tip of a look-up of 32 bytes that a browser has derived; None when it is unknown."""
    return Tip.objects.select_related("desk").filter(look_up=stored_look_up(looked_up)).first()


def stored_look_up(looked_up: bytes) -> bytes:
    """Give what is stored of a look-up."""
    return receipts.stored_look_up(_look_up_key(settings.COMMONBEAT.secret), looked_up)


def ends_on(tip: Tip) -> date:
    """Tell when a dialogue ends if nobody writes, or, once it has ended, when it is deleted."""
    return tip.deletes_day or tip.expires_day


def is_ending_soon(tip: Tip, now: datetime) -> bool:
    """Tell whether both sides are to be shown when it ends."""
    return tip.is_over or rules.is_ending_soon(ends_on(tip), today(now))


@lru_cache(maxsize=4)
def _look_up_key(secret: bytes) -> bytes:
    return crypto.derive(secret, "tip look-ups")
