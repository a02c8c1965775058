"""The worker's steps, without its threads."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType

import pytest

from commonbeat.foundation import clock
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import enqueue, receive
from commonbeat.messaging.channel import Failed, Limits, Outbound, Sent, channels
from commonbeat.messaging.models import Inbound, OutboundState
from commonbeat.messaging.models import Outbound as OutboundRow
from commonbeat.worker.run import Worker
from commonbeat.worker.sending import Sending
from tests.make import make_contact


class Gateway:
    """A channel that keeps what it is given."""

    code = "kannel_sms"
    limits = Limits(address_kind="phone", per_second=1000.0)

    def __init__(self) -> None:
        self.taken: list[Outbound] = []
        self.answer: Sent | Failed | Exception = Sent("p")

    def send(self, message: Outbound) -> Sent | Failed:
        self.taken.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def gateway(monkeypatch) -> Gateway:
    gateway = Gateway()
    monkeypatch.setattr("commonbeat.worker.sending.channels", lambda: {"kannel_sms": gateway})
    return gateway


def queue(key: str, address: str = "+38344123456", **more) -> None:
    contact = make_contact(address, channel="kannel_sms")
    assert enqueue(contact=contact, text=f"text of {key}", idempotency_key=key, now=clock.now(), **more)


def states() -> list[str]:
    return list(OutboundRow.objects.order_by("id").values_list("state", flat=True))


@pytest.mark.django_db
def test_what_is_due_is_sent_and_recorded(gateway: Gateway) -> None:
    queue("a")
    queue("b", "+38344999888")
    sending = Sending()
    assert sending.send_batch() == 2
    assert sending.send_batch() == 0
    assert sorted(one.idempotency_key for one in gateway.taken) == ["a", "b"]
    assert states() == ["sent", "sent"]
    assert OutboundRow.objects.filter(provider_id="p").count() == 2


@pytest.mark.django_db
def test_one_persons_messages_go_in_order(gateway: Gateway) -> None:
    for number in range(10):
        queue(f"k{number}")
    Sending().send_batch()
    assert [one.idempotency_key for one in gateway.taken] == [f"k{number}" for number in range(10)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Failed("http 503", permanent=False), OutboundState.QUEUED),
        (Failed("http 400", permanent=True), OutboundState.FAILED),
        (ValueError("to +38344123456"), OutboundState.QUEUED),
    ],
)
def test_failures_are_recorded_and_name_no_number(gateway: Gateway, answer, state: str, caplog) -> None:
    gateway.answer = answer
    queue("a")
    Sending().send_batch()
    assert states() == [state]
    assert "44123456" not in caplog.text + OutboundRow.objects.get().error


@pytest.mark.django_db
def test_a_channel_keeps_its_pace(gateway: Gateway, monkeypatch) -> None:
    monkeypatch.setattr(gateway, "limits", Limits(address_kind="phone", per_second=2.0))
    moment = [50.0]
    monkeypatch.setattr("commonbeat.worker.sending.time.monotonic", lambda: moment[0])
    for number in range(5):
        queue(f"k{number}")
    sending = Sending()
    sent = []
    for step in (0.0, 0.1, 0.5, 1.0, 10.0):
        moment[0] += step
        sent.append(sending.send_batch())
    assert sent == [2, 0, 1, 2, 0]


@pytest.fixture
def dialogue(monkeypatch) -> list[str]:
    """Stand in for the dialogue and the reactions."""
    heard: list[str] = []
    names = ("inbound", "run", "due", "counting", "auditing")
    inbound, run, due, counting, auditing = (ModuleType(name) for name in names)

    def handle(contact, message, now) -> list[str]:
        heard.append(message.text)
        return ["answer"]

    def count(now) -> int:
        heard.append("count")
        return 0

    inbound.handle = handle
    run.react_batch = lambda now, limit: 0
    counting.count_batch = count
    auditing.rate_batch = lambda now: 0
    due.do_due = lambda now: heard.append("due")
    monkeypatch.setitem(sys.modules, "commonbeat.reactions.inbound", inbound)
    monkeypatch.setitem(sys.modules, "commonbeat.reactions.run", run)
    monkeypatch.setitem(sys.modules, "commonbeat.reactions.due", due)
    monkeypatch.setitem(sys.modules, "commonbeat.reactions.counting", counting)
    monkeypatch.setitem(sys.modules, "commonbeat.reactions.auditing", auditing)
    return heard


@pytest.mark.django_db
def test_a_message_is_understood_and_its_answer_is_due(dialogue: list[str], settings) -> None:
    message = contract.Inbound(provider_id="1", sender="+38344123456", text="fire")
    receive(channel="kannel_sms", message=message, now=clock.now())
    worker = Worker(settings.COMMONBEAT)
    assert worker._understand_and_react() == 1
    assert worker._understand_and_react() == 0
    assert dialogue == ["fire", "count", "count"]
    assert states() == ["queued"]
    assert worker._sender.wake.is_set()


@pytest.mark.django_db
def test_what_time_has_made_due_is_done(dialogue: list[str], settings) -> None:
    queue("a", expires_in=timedelta(seconds=-1))
    message = contract.Inbound(provider_id="1", sender="+38344123456", text="fire")
    receive(channel="kannel_sms", message=message, now=clock.now() - timedelta(days=40))
    worker = Worker(settings.COMMONBEAT)
    worker._understand_and_react()
    worker._do_due()
    assert dialogue == ["fire", "count", "due"]
    assert states() == ["expired", "queued"]
    assert Inbound.objects.get().state == "understood"


def test_every_channel_of_the_site_has_a_pace() -> None:
    sent_to = {code for code, channel in channels().items() if not isinstance(channel, contract.IsAsked)}
    assert set(Sending()._buckets) == sent_to
