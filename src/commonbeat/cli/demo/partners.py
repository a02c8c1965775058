"""Partners of the demo town, whose servers are nowhere: the names of their hosts are kept for examples."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonbeat.alerts.actions.partner_calls import claim_calls, note_answer
from commonbeat.alerts.actions.partners import add_partner, change_partner
from commonbeat.alerts.calling import Answered
from commonbeat.alerts.models import Partner
from commonbeat.people.models import User

# Name, address, kinds (none: all that go to partners).
PARTNERS = (
    ("Linden School", "https://linden-school.invalid/look-outs", ("missing_child", "missing_person")),
    ("Bregova Taxi", "https://bregova-taxi.invalid/hooks/look-outs", ()),
)
PAUSED = "Bregova Taxi"


def add_partners(actor: User, now: datetime) -> None:
    """Add a school and a taxi service, before the first alert that goes to them."""
    for number, (name, url, kinds) in enumerate(PARTNERS):
        when = now - timedelta(days=20 - number)
        add_partner(name=name, url=url, kinds=kinds, actor_id=actor.pk, now=when)


def take_calls(now: datetime) -> None:
    """Let what waits for partners be taken, as if their servers had answered."""
    when = now + timedelta(seconds=2)
    for _message in range(10):
        calls = claim_calls(busy=(), limit=10, now=when)
        for call in calls:
            note_answer(call_id=call.pk, answered=Answered(), now=when)


def pause(actor: User, now: datetime) -> None:
    """Switch one of them off, as an administrator does who was asked to."""
    partner = Partner.objects.get(name=PAUSED)
    change_partner(
        partner_id=partner.pk, name=partner.name, url="", kinds=partner.kinds, is_enabled=False, actor_id=actor.pk,
        now=now,
    )  # fmt: skip
