"""One alert on its way to each partner: stored with the alert, posted by the worker, tried until the alert is over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from commonbeat.alerts import events
from commonbeat.alerts.calling import GONE, Answered
from commonbeat.alerts.models import Alert, MsgType, Partner, PartnerCall

# Between one attempt and the next; the last one again and again, until the alert is over.
AGAIN = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900))
# Far longer than a call takes: a worker that was killed in the middle leaves it to the next one.
LEASE = timedelta(seconds=60)
SUPERSEDED, OVER, UNREADABLE = "superseded", "over", "unreadable"
_OPEN = Q(sent_at=None, closed_at=None)


def queue_calls(*, alert: Alert, now: datetime) -> int:
    """Store the calls of an alert that goes out, in the caller's transaction, once; give how many there are.

    What follows an alert goes to every partner that has, or may have, an earlier message of its chain, and what of
    those still waits is given up: an old message must not come behind a new one.
    """
    told: set[int] = set()
    if alert.root_id is not None:
        before = Q(alert_id=alert.root_id) | Q(alert__root_id=alert.root_id)
        # Locked, so that a worker that is about to post one of them either has begun, and is seen, or finds it closed.
        earlier = list(PartnerCall.objects.select_for_update().filter(before).exclude(alert=alert))
        told = {call.partner_id for call in earlier if call.attempts or call.sent_at is not None}
        waiting = [call.pk for call in earlier if call.sent_at is None and call.closed_at is None]
        PartnerCall.objects.filter(pk__in=waiting).update(closed_at=now, error=SUPERSEDED)
    is_for_all = alert.to_partners and alert.msg_type != MsgType.CANCEL
    if not (told or is_for_all):
        return 0
    enabled = Partner.objects.filter(is_enabled=True).values_list("pk", "kinds")
    wanted = [pk for pk, kinds in enabled if pk in told or (is_for_all and (not kinds or alert.kind in kinds))]
    calls = [PartnerCall(partner_id=pk, alert=alert, due_at=now) for pk in sorted(wanted)]
    PartnerCall.objects.bulk_create(calls, ignore_conflicts=True)
    return len(calls)


def claim_calls(*, busy: Collection[int], limit: int, now: datetime) -> list[PartnerCall]:
    """Take what is due, one for each partner that is not busy, oldest first; what is too late is closed."""
    due = PartnerCall.objects.filter(_OPEN, due_at__lte=now).exclude(partner_id__in=busy)
    if limit < 1 or not due.exists():
        return []
    late = list(due.filter(alert__expires_at__lte=now).values_list("pk", flat=True))
    if late:
        PartnerCall.objects.filter(_OPEN, pk__in=late, error="").update(error=OVER)
        PartnerCall.objects.filter(_OPEN, pk__in=late).update(closed_at=now)
    firsts: dict[int, int] = {}
    for pk, partner_id in due.order_by("due_at", "pk").values_list("pk", "partner_id"):
        firsts.setdefault(partner_id, pk)
    taken = [pk for pk in list(firsts.values())[:limit] if _take(pk, now)]
    found = PartnerCall.objects.filter(pk__in=taken).select_related("partner", "alert").order_by("pk")
    return list(found.prefetch_related("alert__texts"))


def note_answer(*, call_id: int, answered: Answered, now: datetime) -> None:
    """Store what came of a call: taken, to be tried again, given up, or the end of the partner."""
    code = answered.code[:60]
    if not code:
        PartnerCall.objects.filter(pk=call_id).update(sent_at=now, error="")
        return
    with transaction.atomic():
        call = PartnerCall.objects.select_for_update().select_related("alert").filter(_OPEN, pk=call_id).first()
        if call is None:
            # Deleted with its partner, or replaced by something newer meanwhile.
            return
        if code == GONE:
            _end_partner(call, now)
            return
        due = now + max(again_in(call.attempts), timedelta(seconds=answered.pause))
        call.error, call.due_at = code, due
        if due >= call.alert.expires_at:
            call.closed_at = now
        call.save(update_fields=["error", "due_at", "closed_at"])


def again_in(attempts: int) -> timedelta:
    """Give the wait after a number of attempts that failed, from 1 on."""
    return AGAIN[min(max(attempts, 1), len(AGAIN)) - 1]


def close_calls(*, partner: Partner, error: str, now: datetime) -> None:
    """Give up whatever still waits for a partner, in the caller's transaction."""
    PartnerCall.objects.filter(_OPEN, partner=partner).update(closed_at=now, error=error)


def _take(call_id: int, now: datetime) -> bool:
    # Whoever changes the row has it: the condition holds for one of two workers at most.
    mine = PartnerCall.objects.filter(_OPEN, pk=call_id, due_at__lte=now, partner__is_enabled=True)
    return bool(mine.update(attempts=F("attempts") + 1, due_at=now + LEASE))


def _end_partner(call: PartnerCall, now: datetime) -> None:
    partner = Partner.objects.select_for_update().get(pk=call.partner_id)
    partner.is_enabled, partner.gone_at = False, now
    partner.save(update_fields=["is_enabled", "gone_at"])
    close_calls(partner=partner, error=GONE, now=now)
    events.write(events.PARTNER_GONE, subject_id=partner.pk, now=now, data={"call": call.pk})
