"""Senders of the demo town: with levels, one who is blocked, and one whose messages wait for a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonbeat.messaging.actions import block_contact, contact_for, receive, set_level, understand_batch
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.trust import DOOR, weigh_as_it_stands
from commonbeat.reports.models import Report

DOUBTFUL, BLOCKED = "+38344000107", "+38344000108"
# Five are let in from a doubtful sender; the last two wait.
SAID = (
    "NEW the lamps by the mill are dark, all of them",
    "ok",
    "ok thanks",
    "hello",
    "hello",
    "NEW somebody says that the bridge is closed, perhaps it is true",
    "NEW now they say that it is open again",
)


def tell_of_senders(contacts: list[Contact], actor: User, now: datetime) -> int:
    """Weigh what the reports have earned, and set some levels by hand; give the number of messages that wait."""
    # The journal's past is not read again in the demo, so what was verified is weighed here.
    known = Report.objects.filter(contact__isnull=False, verified_at__isnull=False).order_by("pk")
    for report_id in known.values_list("pk", flat=True):
        weigh_as_it_stands(report_id, now=now)
    set_level(contact_id=contacts[0].pk, level="trusted", reason="Chairs the residents' council.", actor=actor, now=now)
    doubted, blocked = (
        contact_for(kind="phone", address=number, channel="demo_sms", language="en", now=now - timedelta(days=9))
        for number in (DOUBTFUL, BLOCKED)
    )
    set_level(contact_id=doubted.pk, level="doubtful", reason="Passes on hearsay.", actor=actor, now=now)
    block_contact(contact_id=blocked.pk, reason="Insults and threats, twice warned.", actor=actor, now=now)
    begin = now - timedelta(minutes=6)
    for number, (sender, text) in enumerate([*((DOUBTFUL, text) for text in SAID), (BLOCKED, "You will see.")]):
        at = begin + timedelta(seconds=20 * number)
        receive(channel="demo_sms", message=Inbound(f"demo:sender:{number}", sender, text), now=at)
        understand_batch(handle, at, door=DOOR)
    return len(SAID) - 5
