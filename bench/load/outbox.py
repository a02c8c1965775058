"""Fill an outbox, understand messages, and write replies, each in a process of its own beside what is measured."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

CONTACTS = 5_000
TEXT = "Water at the old bridge is not safe to drink today. Boil it. Text STOP to end these messages."
REPORT = "There is a broken lamp near the old bridge, number {}, and it is dark there"


def fill(messages: int) -> None:
    """Queue so much bulk, past the action, which queues one at a time."""
    from django.conf import settings
    from django.db import connection, transaction

    from commonbeat.foundation import clock
    from commonbeat.messaging import sealing
    from commonbeat.messaging.models import Contact

    now, secret = clock.now(), settings.COMMONBEAT.secret
    numbers = [f"+383441{at:05d}" for at in range(CONTACTS)]
    Contact.objects.bulk_create(
        Contact(
            kind="phone",
            address_sealed=sealing.seal_address(secret, number),
            address_hash=sealing.address_hash(secret, "phone", number),
            handle=f"Load {at}",
            channel="kannel_sms",
            created_at=now,
            last_seen_at=now,
        )
        for at, number in enumerate(numbers)
    )
    ids = list(Contact.objects.filter(handle__startswith="Load ").values_list("pk", flat=True))
    body = sealing.seal_outbound(secret, TEXT)
    moment = connection.ops.adapt_datetimefield_value(now)
    late = connection.ops.adapt_datetimefield_value(now + timedelta(days=1))
    values = {
        "idempotency_key": "", "contact_id": 0, "channel": "kannel_sms", "body_sealed": body, "priority": 10,
        "state": "queued", "attempts": 0, "due_at": moment, "expires_at": late, "round": 0, "maybe_taken": False,
        "is_vital": False, "moved_from": "", "segments": 1, "encoding": "GSM-7", "provider_id": "", "error": "",
        "created_at": moment, "currency": "",
    }  # fmt: skip
    rest: tuple[Any, ...] = tuple(values.values())[2:]
    columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO messaging_outbound ({columns}) VALUES ({marks})",  # our own names
            [(f"bulk-{at}", ids[at % len(ids)], *rest) for at in range(messages)],
        )


def reply(seconds: float) -> None:
    """Queue a reply every 100 ms; print when each was committed."""
    from commonbeat.foundation import clock
    from commonbeat.messaging.actions import contact_for, enqueue

    queued: dict[str, float] = {}
    until = time.monotonic() + seconds
    contacts = [
        contact_for(kind="phone", address=f"+383491{at:05d}", channel="kannel_sms", now=clock.now()) for at in range(50)
    ]
    while time.monotonic() < until:
        key = f"reply-{len(queued)}"
        enqueue(contact=contacts[len(queued) % 50], text="Thank you.", idempotency_key=key, now=clock.now())
        queued[key] = time.monotonic()
        time.sleep(0.1)
    print(json.dumps(queued))


def understand(messages: int) -> None:
    """Answer messages of new people, one at a time, as the worker does; print the milliseconds of each."""
    from commonbeat.foundation import clock
    from commonbeat.messaging.actions import receive, understand_batch
    from commonbeat.messaging.channel import Inbound
    from commonbeat.reactions.inbound import handle

    spent = []
    for at in range(messages + 5):
        now = clock.now()
        message = Inbound(provider_id=f"load-{at}", sender=f"+383442{at:05d}", text=REPORT.format(at))
        receive(channel="kannel_sms", message=message, now=now)
        begun = time.perf_counter()
        understand_batch(handle, now, limit=1)
        spent.append((time.perf_counter() - begun) * 1000)
    # The first ones load what recognises languages and places.
    print(json.dumps(spent[5:]))


def main() -> None:
    """Run from the command line."""
    import django

    django.setup()
    {"fill": fill, "reply": reply, "understand": understand}[sys.argv[1]](int(sys.argv[2]))


if __name__ == "__main__":
    main()
