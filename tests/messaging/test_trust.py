"""Levels, limits, what is held and who is blocked: nothing is lost, nothing is answered twice."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from commonbeat.journal.models import Entry
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import (
    NotRetried,
    TrustError,
    block_contact,
    discard,
    enqueue,
    lease_batch,
    let_in,
    receive,
    record_failed,
    retry_outbound,
    set_level,
    take_back,
    unblock_contact,
    understand_batch,
)
from commonbeat.messaging.actions.calls import Answer, hear_in_call
from commonbeat.messaging.actions.door import Door
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound, OutboundState
from commonbeat.messaging.queries import text_of
from commonbeat.messaging.trust import DEFAULT_LIMITS, Level, Limit, level_of, limit_of
from commonbeat.people.models import User
from tests import make
from tests.make import NOW

NUMBER, OTHER = "+38344123456", "+38344999888"
_ids = itertools.count(1)
db = pytest.mark.django_db


class House:
    """A dialogue that writes down what it hears, behind a door."""

    def __init__(self, counted_on: tuple[str, ...] = ()) -> None:
        self.heard: list[str] = []
        self.now = NOW
        self.door = Door(
            is_stop=lambda message: message.text == "STOP",
            is_word=lambda message: message.text in ("STOP", "START", "HELP"),
            is_counted_on=lambda contact: contact.handle in counted_on,
            notice=lambda contact: "A person looks at it.",
        )

    def handle(self, contact: Contact, message: contract.Inbound, now: datetime) -> list[str]:
        from commonbeat.messaging.actions import stop_contact

        self.heard.append(message.text)
        if message.text == "STOP":
            stop_contact(contact=contact, now=now)
        return [f"Heard {message.text}"]

    def take(self, *texts: str, sender: str = NUMBER, understand: bool = True, **more: object) -> None:
        for text in texts:
            message = contract.Inbound(provider_id=f"trust-{next(_ids)}", sender=sender, text=text, **more)  # type: ignore[arg-type]
            receive(channel="demo_sms", message=message, now=self.now)
        if understand:
            self.understand()

    def understand(self) -> None:
        while understand_batch(self.handle, self.now, limit=1_000, door=self.door):
            pass


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def contact(db: None) -> Contact:
    return make.make_contact(NUMBER)


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Inbound.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


@pytest.mark.parametrize(
    ("points", "level"),
    [(-9, "doubtful"), (-2, "doubtful"), (-1, "unknown"), (0, "unknown"), (1, "known"), (4, "known"), (5, "trusted")],
)
def test_points_earn_a_level(points: int, level: str) -> None:
    assert level_of(points) == level


def test_what_staff_set_stands_above_what_was_earned() -> None:
    assert level_of(9, "doubtful") is Level.DOUBTFUL
    assert level_of(-9, "trusted") is Level.TRUSTED
    assert level_of(1, "no such level") is Level.KNOWN


def test_the_stricter_the_less_a_level_is_trusted() -> None:
    limits = [limit_of(level) for level in Level]
    assert [one.short for one in limits] == sorted({one.short for one in limits})
    assert [one.long for one in limits] == sorted({one.long for one in limits})
    assert limit_of(Level.KNOWN, ("known=3/9",)) == Limit(3, 9)
    assert limit_of(Level.UNKNOWN, ("known=3/9",)) == limit_of(Level.UNKNOWN, DEFAULT_LIMITS)


@db
def test_over_the_limit_is_held_and_told_once(house: House, contact: Contact) -> None:
    most = limit_of(Level.UNKNOWN).short
    house.take(*(f"m{n}" for n in range(most + 15)))
    assert house.heard == [f"m{n}" for n in range(most)]
    assert states() == {"understood": most, "held": 15}
    notices = Outbound.objects.filter(idempotency_key__startswith="held:")
    assert [text_of(row) for row in notices] == ["A person looks at it."]
    house.now += timedelta(minutes=11)
    house.take("later")
    assert house.heard[-1] == "later"


@db
def test_a_day_has_its_own_limit(house: House, contact: Contact) -> None:
    limit = limit_of(Level.UNKNOWN)
    for _ in range(6):
        house.take(*("x" for _n in range(limit.short - 5)))
        house.now += timedelta(minutes=30)
    assert len(house.heard) == limit.long
    house.now += timedelta(days=1)
    house.take("tomorrow")
    assert house.heard[-1] == "tomorrow"


@db
def test_what_waited_while_we_were_down_is_no_flood(house: House, contact: Contact) -> None:
    for _ in range(40):
        house.take("x", understand=False)
        house.now += timedelta(minutes=2)
    house.understand()
    assert states() == {"understood": 40}


@db
def test_levels_open_and_close_the_door(house: House, contact: Contact, officer: User) -> None:
    set_level(contact_id=contact.pk, level="doubtful", reason="Made things up.", actor=officer, now=NOW)
    house.take(*("x" for _ in range(10)))
    assert len(house.heard) == limit_of(Level.DOUBTFUL).short
    set_level(contact_id=contact.pk, level="trusted", reason="Met in person.", actor=officer, now=NOW)
    house.take(*("y" for _ in range(30)))
    assert house.heard.count("y") == 30


@db
def test_whoever_was_asked_to_report_may_send_more_unless_staff_doubt_it(contact: Contact, officer: User) -> None:
    house = House(counted_on=(contact.handle,))
    house.take(*("x" for _ in range(60)))
    assert len(house.heard) == 60
    set_level(contact_id=contact.pk, level="doubtful", reason="Telephone stolen.", actor=officer, now=NOW)
    house.take("y")
    assert "y" not in house.heard


@db
def test_two_senders_do_not_influence_one_another(house: House) -> None:
    house.take(*("flood" for _ in range(500)), understand=False)
    house.take("one", "two", sender=OTHER, understand=False)
    house.understand()
    assert house.heard.count("flood") == limit_of(Level.UNKNOWN).short
    assert [text for text in house.heard if text != "flood"] == ["one", "two"]


@db
def test_who_only_claims_an_address_uses_up_nothing_of_its_owner(house: House, contact: Contact) -> None:
    house.take(*("claim" for _ in range(100)), is_proven=False)
    house.take("mine")
    assert house.heard.count("claim") == limit_of(Level.UNKNOWN).short and house.heard[-1] == "mine"
    # Nobody has us write to a stranger by forging that stranger's address.
    assert not Outbound.objects.filter(idempotency_key__startswith="held:").exists()


@db
def test_a_claim_has_no_more_room_than_a_stranger(house: House, contact: Contact, officer: User) -> None:
    set_level(contact_id=contact.pk, level="trusted", reason="Known in town.", actor=officer, now=NOW)
    house.take(*("claim" for _ in range(100)), is_proven=False)
    assert len(house.heard) == limit_of(Level.UNKNOWN).short


@db
def test_a_machine_is_not_told(house: House, contact: Contact) -> None:
    house.take(*("x" for _ in range(60)), is_automatic=True)
    assert states()["held"] > 0
    assert not Outbound.objects.filter(idempotency_key__startswith="held:").exists()


@db
def test_held_messages_are_let_in_once_and_in_order(house: House, contact: Contact, officer: User) -> None:
    most = limit_of(Level.UNKNOWN).short
    house.take(*(f"m{n}" for n in range(most + 30)))
    assert let_in(contact_id=contact.pk, actor=officer, now=NOW) == 30
    assert let_in(contact_id=contact.pk, actor=officer, now=NOW) == 0
    house.understand()
    house.understand()
    assert house.heard == [f"m{n}" for n in range(most + 30)]
    # What a person let in uses up nothing.
    house.now += timedelta(minutes=11)
    house.take("next")
    assert house.heard[-1] == "next"
    entry = Entry.objects.get(kind="messaging.let_in")
    assert (entry.subject_id, entry.actor_id, entry.data) == (contact.pk, officer.pk, {"messages": 30})


@db
def test_pieces_that_were_held_are_put_together(house: House, contact: Contact, officer: User) -> None:
    house.take(*("x" for _ in range(limit_of(Level.UNKNOWN).short)))
    for number, text in ((1, "a long "), (2, "text")):
        house.take(text, piece=contract.Piece("7", number, 2))
    assert states()["held"] == 2
    let_in(contact_id=contact.pk, actor=officer, now=NOW)
    house.understand()
    assert house.heard[-1] == "a long text"


@db
def test_some_are_discarded_and_held_again(house: House, contact: Contact, officer: User) -> None:
    most = limit_of(Level.UNKNOWN).short
    house.take(*(f"m{n}" for n in range(most + 4)))
    first = Inbound.objects.filter(state="held").order_by("id").first()
    assert first is not None
    assert discard(contact_id=contact.pk, ids=[first.pk, first.pk - 1], actor=officer, now=NOW) == 1
    assert states() == {"understood": most, "held": 3, "discarded": 1}
    assert take_back(contact_id=contact.pk, decided_at=NOW + timedelta(1), actor=officer, now=NOW) == 0
    assert take_back(contact_id=contact.pk, decided_at=NOW, actor=officer, now=NOW) == 1
    assert states() == {"understood": most, "held": 4}
    # Held again means held again: it waits for a person once more.
    house.understand()
    assert len(house.heard) == most


@db
def test_a_blocked_sender_is_kept_and_neither_heard_nor_answered(house: House, contact: Contact, officer: User) -> None:
    house.take(*("x" for _ in range(limit_of(Level.UNKNOWN).short + 2)))
    waiting = Outbound.objects.filter(state=OutboundState.QUEUED).count()
    assert waiting
    assert block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW) == 2
    assert set(Outbound.objects.values_list("state", "error")) == {("expired", "blocked")}
    heard, sent = len(house.heard), Outbound.objects.count()
    house.now += timedelta(hours=1)
    house.take("let me in", "HELP", "START")
    assert (len(house.heard), Outbound.objects.count()) == (heard, sent)
    row = Inbound.objects.latest("id")
    assert (row.state, row.contact, bool(row.body_sealed)) == (InboundState.BLOCKED, contact, True)
    assert Inbound.objects.filter(state="blocked").count() == 5


@db
def test_stop_is_heard_and_confirmed_once_whoever_is_blocked(house: House, contact: Contact, officer: User) -> None:
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    house.now += timedelta(minutes=1)
    house.take("STOP", "STOP", "hello")
    contact.refresh_from_db()
    assert contact.stopped_at is not None and house.heard == ["STOP", "STOP"]
    leased = lease_batch(channel="demo_sms", limit=10, now=house.now)
    assert [one.message.text for one in leased] == ["Heard STOP"]


@db
def test_stop_is_heard_from_who_is_held(house: House, contact: Contact) -> None:
    house.take(*("x" for _ in range(100)))
    house.take("STOP")
    assert house.heard[-1] == "STOP"


@db
def test_nothing_is_queued_for_a_blocked_contact_nor_leaves_the_outbox(contact: Contact, officer: User) -> None:
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    contact.refresh_from_db()
    assert enqueue(contact=contact, text="news", idempotency_key="a", now=NOW) is None
    # A broadcast writes its rows by itself: they end at the last gate.
    later = NOW + timedelta(minutes=1)
    Outbound.objects.create(
        idempotency_key="cast:1", contact=contact, channel="demo_sms", body_sealed=b"", due_at=later,
        expires_at=later + timedelta(1), created_at=later,
    )  # fmt: skip
    assert lease_batch(channel="demo_sms", limit=10, now=later) == []
    assert Outbound.objects.get().error == "blocked"


@db
def test_a_failed_message_is_not_sent_again_to_a_blocked_contact(contact: Contact, officer: User) -> None:
    row = enqueue(contact=contact, text="news", idempotency_key="a", now=NOW)
    assert row is not None
    record_failed(outbound_id=row.pk, code="http 400", permanent=True, now=NOW)
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    with pytest.raises(NotRetried):
        retry_outbound(outbound_id=row.pk, actor_id=officer.pk, now=NOW)


@db
def test_what_came_while_blocked_waits_for_a_person_afterwards(house: House, contact: Contact, officer: User) -> None:
    block_contact(contact_id=contact.pk, reason="A mistake.", actor=officer, now=NOW)
    house.take("one", "two")
    with pytest.raises(TrustError):
        let_in(contact_id=contact.pk, actor=officer, now=NOW)
    assert unblock_contact(contact_id=contact.pk, actor=officer, now=NOW) == 2
    house.understand()
    assert house.heard == []
    assert let_in(contact_id=contact.pk, actor=officer, now=NOW) == 2
    house.understand()
    assert house.heard == ["one", "two"]


@db
def test_without_a_door_a_blocked_sender_is_kept_out_all_the_same(
    house: House, contact: Contact, officer: User
) -> None:
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    house.take("x", understand=False)
    understand_batch(house.handle, NOW)
    assert house.heard == []


@db
@pytest.mark.parametrize("state", ["blocked", "held"])
def test_a_call_is_kept_like_a_text(state: str, house: House, contact: Contact, officer: User) -> None:
    if state == "blocked":
        block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    else:
        house.take(*("x" for _ in range(limit_of(Level.UNKNOWN).short)))
    message = contract.Inbound(provider_id="call", sender=NUMBER, text="1", heard_on="africastalking_ussd")
    answer = hear_in_call(
        channel="africastalking_ussd", message=message, respond=lambda _: Answer("menu", True), now=NOW, door=house.door
    )
    assert answer is None
    assert Inbound.objects.get(provider_id="call").state == state


@db
def test_the_setting_rules(house: House, contact: Contact, settings_of_site) -> None:
    settings_of_site(message_limits=("unknown=3/4",))
    house.take(*("x" for _ in range(9)))
    assert len(house.heard) == 3


@pytest.fixture
def settings_of_site(monkeypatch: pytest.MonkeyPatch):
    import dataclasses

    def change(**values: Any) -> None:
        monkeypatch.setattr(settings, "COMMONBEAT", dataclasses.replace(settings.COMMONBEAT, **values))

    return change
