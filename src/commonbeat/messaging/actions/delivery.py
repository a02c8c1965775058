"""What became of a message: the gateway's answer, its receipts, what it cost, a person's wish to try again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet

from commonbeat.journal.actions import append
from commonbeat.messaging import channel as contract
from commonbeat.messaging import events, policy, sealing
from commonbeat.messaging.actions.contacts import stop_contact
from commonbeat.messaging.models import Contact, Outbound, OutboundState, Part, Spending
from commonbeat.messaging.queries import round_of, sealed_body
from commonbeat.messaging.rules import is_known_not_taken, send_again_in

Outcome = contract.Sent | contract.Failed
RETRY_EXPIRES = timedelta(days=1)

_OPEN = (OutboundState.LEASED, OutboundState.QUEUED)
_SENT = (
    "UPDATE messaging_outbound SET state = 'sent', sent_at = %s, provider_id = %s, cost_micros = %s, currency = %s,"
    " leased_until = NULL, error = '' WHERE id = %s"
)
# The receipt came before the gateway's answer to us: the state stays.
_SENT_LATE = (
    "UPDATE messaging_outbound SET sent_at = %s, provider_id = %s, cost_micros = %s, currency = %s,"
    " leased_until = NULL WHERE id = %s"
)


class NotRetried(Exception):
    """This message cannot be sent again; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def record_outcomes(outcomes: Sequence[tuple[int, Outcome]], *, now: datetime) -> None:
    """Record what a gateway answered to several messages, in one transaction."""
    with transaction.atomic():
        _record_sent([(pk, one) for pk, one in outcomes if isinstance(one, contract.Sent)], now)
        for pk, one in outcomes:
            if isinstance(one, contract.Failed):
                _record_failed(pk, one, now)


def record_sent(*, outbound_id: int, provider_id: str, now: datetime) -> None:
    """Record that the gateway took a message."""
    record_outcomes([(outbound_id, contract.Sent(provider_id))], now=now)


def record_failed(*, outbound_id: int, code: str, permanent: bool, now: datetime) -> None:
    """Record that the gateway did not take a message: try again later, or give up."""
    record_outcomes([(outbound_id, contract.Failed(code, permanent))], now=now)


@transaction.atomic
def note_receipt(*, channel: str, receipt: contract.Receipt, now: datetime) -> bool:
    """Record what a gateway says became of a message, or of a part; False when no such message is known."""
    row, number = _find(channel, receipt)
    if row is None:
        return False
    if row.sent_at is None:
        # The gateway's answer is on its way, or was lost: it has the message all the same, and wants its money.
        _take_as_sent(row, now)
    _correct_cost(row, receipt, number, now)
    if receipt.error == contract.OPTED_OUT:
        stop_contact(contact=Contact.objects.get(pk=row.contact_id), now=now)
    if row.state == OutboundState.DELIVERED:
        return True
    if number:
        return _note_part(row, receipt, number, now)
    if receipt.outcome == "delivered":
        _deliver(row.pk, now)
    elif row.state != OutboundState.FAILED:
        give_up(row.pk, receipt.error or "undelivered", now)
    return True


def retry_outbound(*, outbound_id: int, actor_id: int, now: datetime) -> Outbound:
    """Send a message again that failed or came too late, because a person wants it; raise NotRetried."""
    with transaction.atomic():
        locked = Outbound.objects.select_for_update(of=("self",))
        row = locked.select_related("contact", "broadcast").get(pk=outbound_id)
        if row.state not in (OutboundState.FAILED, OutboundState.EXPIRED):
            raise NotRetried("This message has not failed.")
        if row.contact.stopped_at is not None:
            raise NotRetried("The person wants no more messages.")
        if row.contact.blocked_at is not None:
            raise NotRetried("The sender is blocked, and gets no messages.")
        if not sealed_body(row):
            raise NotRetried("The text is no longer kept.")
        if row.state == OutboundState.FAILED:
            # The gateway knows the old key, and would take the new attempt for the old message.
            row.round += 1
            row.maybe_taken = False
            row.provider_id = ""
            row.sent_at = None
            row.parts.all().delete()
        row.state, row.error, row.attempts = OutboundState.QUEUED, "", 0
        row.due_at, row.expires_at, row.leased_until = now, now + RETRY_EXPIRES, None
        row.save()
        append(kind=events.RETRIED, subject_id=row.pk, actor_id=actor_id, now=now)
    return row


def give_up(pk: int, code: str, now: datetime) -> None:
    """Close a message that will not arrive."""
    with transaction.atomic():
        Outbound.objects.filter(pk=pk).update(state=OutboundState.FAILED, error=code[:60], leased_until=None)
        append(kind=events.UNDELIVERED, subject_id=pk, now=now)


def _record_sent(sent: Sequence[tuple[int, contract.Sent]], now: datetime) -> None:
    if not sent:
        return
    secret, currency = settings.COMMONBEAT.secret, settings.COMMONBEAT.currency
    ids = [pk for pk, _ in sent]
    rows = {row.pk: row for row in Outbound.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    on_time: list[tuple[Any, ...]] = []
    late: list[tuple[Any, ...]] = []
    parts: list[Part] = []
    spent: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    moment = connection.ops.adapt_datetimefield_value(now)
    for pk, one in sent:
        row = rows.pop(pk, None)
        is_booked = row is not None and row.sent_at is not None
        if row is None or (is_booked and row.provider_id and row.state not in _OPEN):
            continue
        provider_id = sealing.stored_provider_id(secret, one.provider_id) if one.provider_id else ""
        cost = policy.cost_of(row.channel, row.segments, one.price)
        if is_booked and (one.price is None or one.price.currency != currency):
            # By its receipt, which may have told the price.
            cost = row.cost_micros
        values = (moment, provider_id, cost, currency if cost is not None else "", pk)
        (on_time if row.state in _OPEN else late).append(values)
        if len(one.part_ids) > 1:
            parts += [
                Part(outbound_id=pk, number=n, provider_id=sealing.stored_provider_id(secret, part), changed_at=now)
                for n, part in enumerate(one.part_ids, 1)
            ]
        more = (0, 0, (cost or 0) - (row.cost_micros or 0)) if is_booked else (1, row.segments, cost or 0)
        for at, number in enumerate(more):
            spent[row.channel][at] += number
    with connection.cursor() as cursor:
        for statement, values_of in ((_SENT, on_time), (_SENT_LATE, late)):
            if values_of:
                cursor.executemany(statement, values_of)
    Part.objects.bulk_create(parts, ignore_conflicts=True)
    for channel, (messages, segments, micros) in spent.items():
        _book(channel, now, messages=messages, parts=segments, micros=micros)


def _record_failed(pk: int, failed: contract.Failed, now: datetime) -> None:
    row = Outbound.objects.select_for_update().filter(pk=pk, state=OutboundState.LEASED).first()
    if row is None:
        return
    if failed.code == contract.OPTED_OUT:
        stop_contact(contact=Contact.objects.get(pk=row.contact_id), now=now)
    if failed.permanent or failed.code == contract.OPTED_OUT:
        give_up(row.pk, failed.code, now)
        return
    attempts = row.attempts + 1
    Outbound.objects.filter(pk=row.pk).update(
        state=OutboundState.QUEUED,
        attempts=attempts,
        due_at=now + send_again_in(attempts),
        leased_until=None,
        maybe_taken=row.maybe_taken or not is_known_not_taken(failed.code),
        error=failed.code[:60],
    )


def _take_as_sent(row: Outbound, now: datetime) -> None:
    cost = policy.cost_of(row.channel, row.segments, None)
    row.sent_at, row.cost_micros = now, cost
    row.currency = settings.COMMONBEAT.currency if cost is not None else ""
    row.save(update_fields=["sent_at", "cost_micros", "currency"])
    _book(row.channel, now, messages=1, parts=row.segments, micros=cost or 0)


def _book(channel: str, now: datetime, *, messages: int = 0, parts: int = 0, micros: int = 0) -> None:
    day, currency = policy.day_of(now), settings.COMMONBEAT.currency
    Spending.objects.get_or_create(day=day, channel=channel, currency=currency)
    Spending.objects.filter(day=day, channel=channel, currency=currency).update(
        messages=F("messages") + messages, parts=F("parts") + parts, cost_micros=F("cost_micros") + micros
    )


def _find(channel: str, receipt: contract.Receipt) -> tuple[Outbound | None, int]:
    key, round_ = round_of(receipt.about)
    mine = Outbound.objects.select_for_update().filter(channel=channel)
    row = mine.filter(idempotency_key=key).first()
    if row is not None:
        # A late word about an earlier attempt counts only when it is good.
        return (row if row.round == round_ or receipt.outcome == "delivered" else None), receipt.part
    found = _find_by_number(mine, channel, [receipt.about], receipt.part)
    if found[0] is None and receipt.spellings:
        found = _find_by_number(mine, channel, receipt.spellings, receipt.part)
    return found


def _find_by_number(
    mine: QuerySet[Outbound], channel: str, numbers: Sequence[str], part: int
) -> tuple[Outbound | None, int]:
    stored = [sealing.stored_provider_id(settings.COMMONBEAT.secret, number) for number in numbers]
    # Of several the newest: the numbers of a message centre begin again, and its receipts come within days.
    known = Part.objects.filter(provider_id__in=stored, outbound__channel=channel).order_by("-outbound_id").first()
    if known is not None:
        return mine.filter(pk=known.outbound_id).first(), known.number
    return mine.filter(provider_id__in=stored).order_by("-pk").first(), part


def _note_part(row: Outbound, receipt: contract.Receipt, number: int, now: datetime) -> bool:
    is_delivered = receipt.outcome == "delivered"
    part, _ = Part.objects.get_or_create(outbound=row, number=number, defaults={"changed_at": now})
    if part.state != OutboundState.DELIVERED:
        part.state = OutboundState.DELIVERED if is_delivered else OutboundState.FAILED
        part.error = "" if is_delivered else (receipt.error or "undelivered")[:60]
        part.changed_at = now
        part.save()
    states = list(row.parts.values_list("state", flat=True))
    if states.count(OutboundState.DELIVERED) >= max(row.segments, len(states)):
        _deliver(row.pk, now)
    elif not is_delivered and row.state != OutboundState.FAILED:
        give_up(row.pk, receipt.error or "undelivered", now)
    return True


def _deliver(pk: int, now: datetime) -> None:
    Outbound.objects.filter(pk=pk).update(state=OutboundState.DELIVERED, delivered_at=now, leased_until=None, error="")


def _correct_cost(row: Outbound, receipt: contract.Receipt, number: int, now: datetime) -> None:
    price = receipt.price
    # A price of one part of several says nothing of the whole.
    if price is None or price.currency != settings.COMMONBEAT.currency or (number and row.segments > 1):
        return
    before = row.cost_micros or 0
    if row.cost_micros == price.micros:
        return
    Outbound.objects.filter(pk=row.pk).update(cost_micros=price.micros, currency=price.currency)
    _book(row.channel, now, micros=price.micros - before)
