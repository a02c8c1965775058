"""The bridge to gammu-smsd by itself: nothing lost, nothing sent twice, nothing left behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from commonbeat.messaging.channel import Failed, Inbound, Outbound, Receipt, Sent, channels
from tests.channels.gammu_bridge import KEY, Bridge, Site, wait_for
from tests.durability.site import free_port

NUMBER = "+38344123456"
HELLO = Outbound(recipient=NUMBER, text="Faleminderit. رقم البلاغ 🙂", idempotency_key="in:1:0")


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def bridge(tmp_path: Path, site: Site, settings) -> Iterator[Bridge]:
    bridge = Bridge(tmp_path, free_port())
    bridge.prepare(site.port)
    settings.COMMONBEAT = dataclasses.replace(
        settings.COMMONBEAT, webhook_key=KEY, webhook_send_url=f"http://127.0.0.1:{bridge.port}/"
    )
    bridge.start()
    yield bridge
    bridge.stop()


def test_a_message_becomes_one_file_however_often_it_is_handed_over(bridge: Bridge) -> None:
    channel = channels()["webhook_sms"]
    first = channel.send(HELLO)
    assert isinstance(first, Sent)
    assert channel.send(HELLO) == first
    (name,) = bridge.names("outbox")
    assert name.endswith(f"_00_{NUMBER}_{first.provider_id}.txt")
    assert (bridge.folder / "outbox" / name).read_bytes().decode("utf-16") == HELLO.text
    # Not after gammu-smsd has sent it either, nor after a restart; and its text is gone from the disk.
    (bridge.folder / "outbox" / name).rename(bridge.folder / "sent" / name)
    assert channel.send(HELLO) == first
    assert bridge.event("sent", name).returncode == 0
    bridge.stop()
    bridge.start()
    assert channel.send(HELLO) == first
    assert bridge.names("outbox") == bridge.names("sent") == []


def test_what_the_modem_did_not_send_is_told(bridge: Bridge, site: Site) -> None:
    sent = channels()["webhook_sms"].send(HELLO)
    assert isinstance(sent, Sent)
    (name,) = bridge.names("outbox")
    (bridge.folder / "outbox" / name).rename(bridge.folder / "error" / name)
    bridge.event("failed", "INIT")
    bridge.event("failed", name)
    (receipt,) = wait_for(lambda: site.parsed)
    assert isinstance(receipt, Receipt)
    assert (receipt.about, receipt.outcome, receipt.error) == (sent.provider_id, "failed", "modem")
    assert bridge.names("error") == []


def test_a_message_waits_while_the_site_is_down_and_leaves_nothing_behind(bridge: Bridge, site: Site) -> None:
    site.failing = [503, 403]
    (bridge.folder / "inbox" / "IN1.txt").write_text("light")
    said = {"SMS_MESSAGES": "1", "DECODED_PARTS": "0", "SMS_1_NUMBER": NUMBER}
    bridge.event("received", "IN1.txt", **said, SMS_1_TEXT="light\nbroken 🙂")
    bridge.event("received", "IN2.txt", **said, SMS_1_TEXT="second")
    first, second = wait_for(lambda: site.parsed if len(site.parsed) == 2 else [])
    assert isinstance(first, Inbound) and isinstance(second, Inbound)
    assert (first.sender, first.text, second.text) == (NUMBER, "light\nbroken 🙂", "second")
    assert NUMBER not in first.provider_id
    wait_for(lambda: not bridge.names("state/in"))
    assert bridge.names("inbox") == []
    said_aloud = bridge.stop()
    assert "does not take messages now (status 503)" in said_aloud
    assert NUMBER not in said_aloud


def test_the_same_event_twice_is_one_message_for_the_site(bridge: Bridge, site: Site) -> None:
    for _ in range(2):
        bridge.event("received", "IN1.txt", SMS_MESSAGES="1", SMS_1_NUMBER=NUMBER, SMS_1_TEXT="x")
    one, other = wait_for(lambda: site.parsed if len(site.parsed) == 2 else [])
    assert one.provider_id == other.provider_id


def test_a_refused_message_is_kept_and_does_not_block(bridge: Bridge, site: Site) -> None:
    site.failing = [400]
    bridge.event("received", "IN1.txt", SMS_MESSAGES="1", SMS_1_NUMBER=NUMBER, SMS_1_TEXT="x")
    bridge.event("received", "IN2.txt", SMS_MESSAGES="1", SMS_1_NUMBER=NUMBER, SMS_1_TEXT="y")
    (message,) = wait_for(lambda: site.parsed)
    assert isinstance(message, Inbound) and message.text == "y"
    assert len(bridge.names("state/refused")) == 1


@pytest.mark.parametrize("number", ["../../etc/passwd", "+3834 4", "12", "KOSOVO", "+383441234567890123456"])
def test_a_number_that_is_none_is_refused_for_good(bridge: Bridge, number: str) -> None:
    outcome = channels()["webhook_sms"].send(dataclasses.replace(HELLO, recipient=number))
    assert outcome == Failed("http 400", permanent=True)
    assert bridge.names("outbox") == []


def test_a_modem_that_does_not_send_makes_the_rest_wait_with_us(bridge: Bridge) -> None:
    channel = channels()["webhook_sms"]
    outcomes = [channel.send(dataclasses.replace(HELLO, idempotency_key=f"in:{at}:0")) for at in range(51)]
    assert all(isinstance(one, Sent) for one in outcomes[:50])
    assert outcomes[50] == Failed("http 503", permanent=False)


def test_an_unsigned_call_sends_nothing(bridge: Bridge) -> None:
    body = b'{"type": "message", "id": "1", "to": "+38344123456", "text": "x"}'
    address = f"http://127.0.0.1:{bridge.port}/"
    unsigned: list[dict[bytes, bytes]] = [
        {},
        {b"x-commonbeat-timestamp": b"1", b"x-commonbeat-signature": "é".encode()},
    ]
    for headers in unsigned:
        assert httpx.post(address, content=body, headers=headers, trust_env=False).status_code == 403
    assert bridge.names("outbox") == []


def test_a_wrong_set_up_is_said_in_a_sentence(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, free_port())
    bridge.prepare(1, transmit="7bit")
    done = bridge.event("serve")
    assert done.returncode == 1
    assert "“TransmitFormat” must be “auto”." in done.stderr
    bridge.config.write_text("[other]\n")
    assert "has no section [bridge]" in bridge.event("serve").stderr
