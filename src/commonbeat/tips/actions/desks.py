"""Make and change desks; a desk opens only when one forgotten passphrase cannot close it for ever."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.tips import events, rules
from commonbeat.tips.errors import NotAllowed, NotRecoverable, TipError
from commonbeat.tips.keys import KEY_BYTES
from commonbeat.tips.models import DeskKind, Holder, Member, Tip, TipDesk, TipKey
from commonbeat.tips.queries import MANAGES, may_manage

_MOST_DAYS = 3_650
_NUMBERS = ("intake_cap", "expires_after_days", "deletes_after_days", "answer_within_days")


def make_desk(
    *,
    names: Mapping[str, str],
    kind: str,
    actor: User,
    now: datetime,
    unit_id: int | None = None,
    intake_cap: int = 500,
    expires_after_days: int = 180,
    deletes_after_days: int = 90,
    answer_within_days: int = 60,
) -> TipDesk:
    """Make a desk, closed at first; NotAllowed, or TipError for a value that cannot be used."""
    if not may(actor, MANAGES[DeskKind(kind)]):
        raise NotAllowed
    desk = TipDesk(
        names=_names(names),
        kind=kind,
        unit_id=unit_id,
        intake_cap=intake_cap,
        expires_after_days=expires_after_days,
        deletes_after_days=deletes_after_days,
        answer_within_days=answer_within_days,
    )
    _check(desk)
    with transaction.atomic():
        desk.save()
        events.write(events.DESK_MADE, subject_id=desk.pk, now=now, actor_id=actor.pk)
    return desk


def change_desk(
    *,
    desk_id: int,
    actor: User,
    now: datetime,
    names: Mapping[str, str] | None = None,
    unit_id: int | None = None,
    intake_cap: int | None = None,
    expires_after_days: int | None = None,
    deletes_after_days: int | None = None,
    answer_within_days: int | None = None,
) -> TipDesk:
    """Change what is given of a desk; its kind stays. Days count for what is written afterwards."""
    with transaction.atomic():
        desk = _own(desk_id, actor)
        given = (intake_cap, expires_after_days, deletes_after_days, answer_within_days)
        for name, value in zip(_NUMBERS, given, strict=True):
            if value is not None:
                setattr(desk, name, value)
        if names is not None:
            desk.names = _names(names)
        if unit_id is not None:
            desk.unit_id = unit_id
        _check(desk)
        desk.save(update_fields=[*_NUMBERS, "names", "unit_id"])
        events.write(events.DESK_CHANGED, subject_id=desk.pk, now=now, actor_id=actor.pk)
    return desk


def open_desk(*, desk_id: int, actor: User, now: datetime) -> None:
    """Let a desk take new dialogues; NotRecoverable while one forgotten passphrase would close it."""
    with transaction.atomic():
        desk = _own(desk_id, actor)
        if not rules.is_recoverable(holders_of(desk.pk), has_escrow=escrow_opens_all(desk)):
            raise NotRecoverable
        _set_open(desk, True, actor, now)


def close_desk(*, desk_id: int, actor: User, now: datetime) -> None:
    """Let a desk take no new dialogues; those that are open go on."""
    with transaction.atomic():
        _set_open(_own(desk_id, actor), False, actor, now)


def set_escrow(*, desk_id: int, public: bytes, actor: User, now: datetime) -> None:
    """Set the public key that opens what comes from now on in an emergency, or none; the oversight body alone may."""
    if not may(actor, Permission.MANAGE_COMPLAINT_DESKS):
        raise NotAllowed
    if len(public) not in (0, KEY_BYTES):
        raise TipError("A public key has 32 bytes.", "escrow")
    with transaction.atomic():
        desk = TipDesk.objects.select_for_update().get(pk=desk_id)
        if public != bytes(desk.escrow_public):
            # What was sealed to another key opens nothing for the new one.
            opens_all = bool(public) and not Tip.objects.filter(desk=desk).exists()
            if desk.is_open and not rules.is_recoverable(holders_of(desk.pk), has_escrow=opens_all):
                raise NotRecoverable
            desk.escrow_public = public
            desk.save(update_fields=["escrow_public"])
            Member.objects.filter(desk=desk).update(for_escrow=b"")
        events.write(events.ESCROW_SET, subject_id=desk.pk, now=now, actor_id=actor.pk, data={"set": bool(public)})


def holders_of(desk_id: int) -> list[rules.Holder]:
    """Read who holds keys of a desk, as the rules want it."""
    found = Member.objects.admitted().filter(desk_id=desk_id).values_list("uid", "recovery_confirmed")
    return [rules.Holder(bytes(uid), confirmed) for uid, confirmed in found]


def escrow_opens_all(desk: TipDesk, *, without: int = 0) -> bool:
    """Tell whether the escrow key can stand in for the members that stay: by a key of theirs, or by every tip's box."""
    if not desk.escrow_public:
        return False
    if not Member.objects.admitted().filter(desk=desk, for_escrow=b"").exclude(pk=without).exists():
        return True
    boxes = TipKey.objects.filter(tip=OuterRef("pk"), holder=Holder.ESCROW)
    return not Tip.objects.filter(~Exists(boxes), desk=desk).exists()


def _own(desk_id: int, actor: User) -> TipDesk:
    desk = TipDesk.objects.select_for_update().filter(pk=desk_id).first()
    if desk is None or not may_manage(actor, desk):
        raise NotAllowed
    return desk


def _set_open(desk: TipDesk, is_open: bool, actor: User, now: datetime) -> None:
    if desk.is_open == is_open:
        return
    desk.is_open = is_open
    desk.save(update_fields=["is_open"])
    kind = events.DESK_OPENED if is_open else events.DESK_CLOSED
    events.write(kind, subject_id=desk.pk, now=now, actor_id=actor.pk)


def _names(names: Mapping[str, str]) -> dict[str, str]:
    found = {language: name.strip()[:120] for language, name in names.items() if name.strip()}
    if not found:
        raise TipError("Give the desk a name.", "names")
    return found


def _check(desk: TipDesk) -> None:
    for name in _NUMBERS:
        most = 100_000 if name == "intake_cap" else _MOST_DAYS
        if not 1 <= getattr(desk, name) <= most:
            raise TipError(f"Enter a number from 1 to {most}.", name)
