"""Who can open a desk's dialogues: named by who manages it, enrolled with a key, admitted by who can open already.

Whoever manages a desk can name, and cannot thereby read: nothing is sealed to a new member before another one, with an
opened key, has admitted them. Only the first member of a desk needs nobody.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from commonbeat.people.models import User
from commonbeat.tips import events, members, rules, tipkeys
from commonbeat.tips.actions.desks import escrow_opens_all, holders_of
from commonbeat.tips.errors import NotAllowed, NotMember, NotRecoverable, TipError, Unopenable
from commonbeat.tips.keys import ID_BYTES, KeyPair, new_key_pair
from commonbeat.tips.members import COST, Cost
from commonbeat.tips.models import Complaint, Holder, Member, Tip, TipDesk, TipKey
from commonbeat.tips.queries import may_be_member, may_manage, today

SHARED_AT_ONCE = 200
_ALONE = (
    "Some dialogues here can be opened by this member alone. Let another member open them first: they get theirs when "
    "this member unlocks the desk."
)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A member with a key, and the recovery key that is shown this once."""

    member: Member
    recovery: str = field(repr=False)


def name_member(*, desk_id: int, user_id: int, actor: User, now: datetime) -> Member:
    """Name an account that may enrol; NotAllowed, or TipError where its role does not fit or it is named already."""
    with transaction.atomic():
        desk = TipDesk.objects.select_for_update().filter(pk=desk_id).first()
        if desk is None or not may_manage(actor, desk):
            raise NotAllowed
        if not may_be_member(User.objects.filter(pk=user_id).first(), desk):
            raise TipError("This account has no role that may open what goes to this desk.", "user")
        if Member.objects.present().filter(desk=desk, user_id=user_id).exists():
            raise TipError("This account is named already.", "user")
        member = Member.objects.create(
            desk=desk, uid=secrets.token_bytes(ID_BYTES), user_id=user_id, named_day=today(now)
        )
        events.write(events.MEMBER_NAMED, subject_id=member.pk, now=now, actor_id=actor.pk, data={"desk": desk.pk})
    return member


def enrol_member(*, desk_id: int, user: User, passphrase: str, now: datetime, cost: Cost = COST) -> Enrolled:
    """Make a named member's key under a passphrase of their own; the first one of a desk is admitted at once."""
    _check_passphrase(passphrase)
    member = Member.objects.present().select_related("desk").filter(desk_id=desk_id, user_id=user.pk).first()
    if member is None or not may_be_member(user, member.desk):
        raise NotMember
    if member.is_enrolled:
        raise TipError("You have enrolled already.")
    pair, uid, recovery = new_key_pair(), bytes(member.uid), members.new_recovery_key()
    escrow = bytes(member.desk.escrow_public)
    # Half a second of Argon2id, while nobody waits for the database.
    wrapped = members.wrap_by_passphrase(pair, member=uid, passphrase=passphrase, cost=cost)
    with transaction.atomic():
        TipDesk.objects.select_for_update().get(pk=member.desk_id)
        member = Member.objects.present().select_for_update(of=("self",)).select_related("desk").get(pk=member.pk)
        if member.is_enrolled:
            raise TipError("You have enrolled already.")
        member.public, member.by_passphrase = pair.public, wrapped
        member.by_recovery = members.wrap_by_recovery(pair, member=uid, recovery=recovery)
        member.for_escrow = members.seal_for_escrow(pair, member=uid, escrow_public=escrow) if escrow else b""
        if not Member.objects.admitted().filter(desk_id=member.desk_id).exists():
            member.admitted_day = today(now)
        member.save()
        is_first = member.admitted_day is not None
        data = {"desk": member.desk_id, "first": is_first}
        events.write(events.MEMBER_ENROLLED, subject_id=member.pk, now=now, actor_id=user.pk, data=data)
    return Enrolled(member, recovery)


def confirm_recovery(*, member_id: int, user: User, typed: str) -> None:
    """Note that a member typed the printed key back; Misspelt, or Unopenable when it is another one."""
    member = _own(member_id, user)
    _by_recovery(member, typed)
    Member.objects.filter(pk=member.pk, by_recovery=bytes(member.by_recovery)).update(recovery_confirmed=True)


def renew_recovery(*, member_id: int, user: User, pair: KeyPair) -> str:
    """Make another recovery key, to be shown once; the old one opens nothing any more."""
    member, recovery = _own(member_id, user), members.new_recovery_key()
    _check_pair(member, pair)
    wrapped = members.wrap_by_recovery(pair, member=bytes(member.uid), recovery=recovery)
    Member.objects.filter(pk=member.pk).update(by_recovery=wrapped, recovery_confirmed=False)
    return recovery


def change_passphrase(*, member_id: int, user: User, old: str, new: str, cost: Cost = COST) -> None:
    """Wrap a member's key under another passphrase; Unopenable when the old one is wrong."""
    _check_passphrase(new)
    member = _own(member_id, user)
    uid, public = bytes(member.uid), bytes(member.public)
    pair = members.open_by_passphrase(bytes(member.by_passphrase), member=uid, passphrase=old, public=public)
    wrapped = members.wrap_by_passphrase(pair, member=uid, passphrase=new, cost=cost)
    # Of two at once the first one counts: the other's old passphrase is no more.
    found = Member.objects.filter(pk=member.pk, by_passphrase=bytes(member.by_passphrase))
    if not found.update(by_passphrase=wrapped):
        raise Unopenable


def recover_member(
    *, member_id: int, user: User, typed: str, passphrase: str, now: datetime, cost: Cost = COST
) -> KeyPair:
    """Open a member's key with the printed key and wrap it under a new passphrase; Misspelt, Unopenable."""
    _check_passphrase(passphrase)
    member = _own(member_id, user)
    pair = _by_recovery(member, typed)
    wrapped = members.wrap_by_passphrase(pair, member=bytes(member.uid), passphrase=passphrase, cost=cost)
    with transaction.atomic():
        # Whoever can type it has it.
        Member.objects.filter(pk=member.pk).update(by_passphrase=wrapped, recovery_confirmed=True)
        events.write(events.MEMBER_RECOVERED, subject_id=member.pk, now=now, actor_id=user.pk)
    return pair


def add_member(*, member_id: int, by_member_id: int, user: User, pair: KeyPair, now: datetime) -> int:
    """Admit an enrolled member and make boxes for them; gives how many tips are left for share_keys."""
    by = _own(by_member_id, user, is_admitted=True)
    _check_pair(by, pair)
    with transaction.atomic():
        found = Member.objects.present().select_for_update(of=("self",)).select_related("desk")
        member = found.filter(pk=member_id, desk_id=by.desk_id).first()
        if member is None or not member.is_enrolled:
            raise TipError("This member has not enrolled yet.")
        if not may_be_member(User.objects.filter(pk=member.user_id).first(), member.desk):
            raise TipError("This account has no role that may open what goes to this desk.")
        if member.admitted_day is None:
            member.admitted_day = today(now)
            member.save(update_fields=["admitted_day"])
            data = {"desk": by.desk_id}
            events.write(events.MEMBER_ADDED, subject_id=member.pk, now=now, actor_id=user.pk, data=data)
    return share_keys(by_member_id=by_member_id, user=user, pair=pair)


def share_keys(*, by_member_id: int, user: User, pair: KeyPair, limit: int = SHARED_AT_ONCE) -> int:
    """Make boxes for admitted members who have none of a tip, at most `limit`; gives how many are left.

    So everybody gets theirs who was admitted while a browser was sealing, or before a walk through all tips was done.
    """
    by = _own(by_member_id, user, is_admitted=True)
    _check_pair(by, pair)
    left = 0
    for member in Member.objects.admitted().filter(desk_id=by.desk_id).exclude(pk=by.pk).order_by("pk"):
        missing = _without_box(by, member)
        for tip, box in missing.values_list("pk", "keys__box")[:limit] if limit else ():
            limit -= 1
            _share(by, member, tip, bytes(box), pair)
        left += missing.count()
    return left


def remove_member(*, member_id: int, actor: User, now: datetime) -> None:
    """Take a member out of a desk with all boxes: who manages the desk does it, or the member; NotRecoverable."""
    with transaction.atomic():
        member = _present(member_id)
        if member.user_id != actor.pk and not may_manage(actor, member.desk):
            raise NotAllowed
        if not _may_go(member):
            raise NotRecoverable
        if _opens_alone(member):
            raise NotRecoverable(_ALONE)
        _remove(member, actor.pk, now)


def end_memberships(*, user_id: int, now: datetime) -> int:
    """End the places of an account that is closed or has another role; gives how many could not end.

    The keys of the last one who could open a desk, or a dialogue of it, stay, for the account may be opened again; the
    desk takes no more.
    """
    kept = 0
    for member_id in list(Member.objects.present().filter(user_id=user_id).values_list("pk", flat=True)):
        with transaction.atomic():
            member = _present(member_id)
            if may_be_member(User.objects.filter(pk=user_id).first(), member.desk):
                continue
            if _may_go(member) and not _opens_alone(member):
                _remove(member, None, now)
                continue
            kept += 1
            TipDesk.objects.filter(pk=member.desk_id).update(is_open=False)
            events.write(events.MEMBER_KEPT, subject_id=member.pk, now=now, data={"desk": member.desk_id})
    return kept


def own_member(member_id: int, user: User) -> Member:
    """Find an admitted member as whom an account acts; NotMember for everybody else."""
    return _own(member_id, user, is_admitted=True)


def _own(member_id: int, user: User, *, is_admitted: bool = False) -> Member:
    member = Member.objects.present().select_related("desk").filter(pk=member_id, user_id=user.pk).first()
    if member is None or not member.is_enrolled or not may_be_member(user, member.desk):
        raise NotMember
    if is_admitted and not member.is_admitted:
        raise NotMember
    return member


def _present(member_id: int) -> Member:
    found = Member.objects.present().select_related("desk").filter(pk=member_id).first()
    if found is None:
        raise NotMember
    # One lock for all who come and go at a desk, so that two do not leave at once, each counting on the other.
    TipDesk.objects.select_for_update().get(pk=found.desk_id)
    member = (
        Member.objects.present().select_for_update(of=("self",)).select_related("desk").filter(pk=member_id).first()
    )
    if member is None:
        raise NotMember
    return member


def _may_go(member: Member) -> bool:
    if not member.is_admitted:
        return True
    if not member.desk.is_open and not Tip.objects.filter(desk_id=member.desk_id).exists():
        return True
    has_escrow = escrow_opens_all(member.desk, without=member.pk)
    return rules.may_remove(bytes(member.uid), holders_of(member.desk_id), has_escrow=has_escrow)


def _opens_alone(member: Member) -> bool:
    """Tell whether a tip has a box for this member and for nobody else but its source."""
    boxes = TipKey.objects.filter(tip=OuterRef("pk"))
    others = boxes.filter(Q(holder=Holder.ESCROW) | Q(member__in=Member.objects.admitted().exclude(pk=member.pk)))
    theirs = boxes.filter(member_id=member.pk)
    return Tip.objects.filter(Exists(theirs), ~Exists(others), desk_id=member.desk_id).exists()


def _remove(member: Member, actor_id: int | None, now: datetime) -> None:
    TipKey.objects.filter(member_id=member.pk).delete()
    member.public = member.by_passphrase = member.by_recovery = member.for_escrow = b""
    member.recovery_confirmed, member.left_day = False, today(now)
    member.save()
    data = {"desk": member.desk_id}
    events.write(events.MEMBER_REMOVED, subject_id=member.pk, now=now, actor_id=actor_id, data=data)


def _without_box(by: Member, member: Member) -> QuerySet[Tip]:
    """Narrow to the tips that one can open and the other should, joined to the first one's box."""
    # Every place that the account ever had here: who comes back is still whom it concerns.
    places = set(Member.objects.filter(user_id=member.user_id).values_list("pk", flat=True))
    recused = Complaint.objects.filter(tip__desk_id=by.desk_id).exclude(recused=[])
    not_theirs = [pk for pk, whom in recused.values_list("pk", "recused") if places.intersection(whom)]
    theirs = TipKey.objects.filter(tip=OuterRef("pk"), member_id=member.pk)
    found = Tip.objects.filter(~Exists(theirs), desk_id=by.desk_id, keys__member_id=by.pk)
    return found.exclude(pk__in=not_theirs).order_by("-pk")


def _share(by: Member, member: Member, tip_id: int, box: bytes, pair: KeyPair) -> None:
    tip = Tip.objects.filter(pk=tip_id).first()
    if tip is None:
        return
    uid, public = bytes(tip.uid), bytes(tip.public)
    try:
        key = tipkeys.open_as_member(box, tip=uid, member=bytes(by.uid), own=pair, tip_public=public)
    except Unopenable:
        # A box that a browser has filled with something else; the other members' may be right.
        return
    wrapped = tipkeys.wrap_for_member(key, tip=uid, member=bytes(member.uid), public=bytes(member.public))
    TipKey.objects.bulk_create(
        [TipKey(tip=tip, holder=Holder.MEMBER, member=member, box=wrapped)], ignore_conflicts=True
    )


def _check_passphrase(passphrase: str) -> None:
    if members.is_too_short(passphrase):
        raise TipError("Use 12 characters or more, such as four words that do not belong together.", "passphrase")
    if members.is_too_long(passphrase):
        raise TipError("Use at most 512 characters.", "passphrase")


def _check_pair(member: Member, pair: KeyPair) -> None:
    if pair.public != bytes(member.public):
        raise Unopenable


def _by_recovery(member: Member, typed: str) -> KeyPair:
    return members.open_by_recovery(
        bytes(member.by_recovery),
        member=bytes(member.uid),
        recovery=members.read_recovery_key(typed),
        public=bytes(member.public),
    )
