"""Lines are kept by the worker that sends; what arrives on one is stored before it may be acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from commonbeat.messaging.channel import Inbound, Receipt
from commonbeat.messaging.models import Inbound as InboundRow
from commonbeat.worker import lines
from commonbeat.worker.lines import Lines

MESSAGE = Inbound("m1", "+38344123456", "zjarr")


class Connected:
    """A channel with a line."""

    def __init__(self) -> None:
        self.receive: Callable[[Sequence[Inbound | Receipt]], None] | None = None
        self.is_closed = False

    def keep_open(self, receive: Callable[[Sequence[Inbound | Receipt]], None]) -> None:
        self.receive = receive

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def connected(monkeypatch) -> Connected:
    channel = Connected()
    monkeypatch.setattr(lines, "channels", lambda: {"smpp_sms": channel, "kannel_sms": object()})
    monkeypatch.setattr(lines, "close_old_connections", lambda: None)
    return channel


@pytest.mark.django_db
def test_what_arrives_is_stored_once_and_wakes_the_worker(connected: Connected) -> None:
    woken: list[bool] = []
    held = Lines(on_received=lambda: woken.append(True))
    held.keep_open()
    assert connected.receive is not None
    for _ in range(234):
        connected.receive([MESSAGE])
    assert InboundRow.objects.get().channel == "smpp_sms"
    assert woken
    held.close()
    assert connected.is_closed


@pytest.mark.django_db
def test_what_could_not_be_stored_is_not_passed_over(connected: Connected, monkeypatch) -> None:
    def away(**what: object) -> bool:
        raise OSError("away")

    monkeypatch.setattr(lines, "receive", away)
    woken: list[bool] = []
    Lines(on_received=lambda: woken.append(True)).keep_open()
    assert connected.receive is not None
    with pytest.raises(OSError):
        connected.receive([MESSAGE])
    assert not woken
