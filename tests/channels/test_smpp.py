"""SMPP without a message centre of another make: alphabets, pieces, receipts, and a small centre of our own."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.conf import settings as site
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.channels.smpp_sms import SmppSms, line, session
from commonbeat.channels.smpp_sms.alphabet import DEFAULT, LATIN1, UCS2, read, write
from commonbeat.channels.smpp_sms.delivered import Delivery, message_of, spellings
from commonbeat.foundation.text import segments
from commonbeat.messaging.channel import Failed, Inbound, Outbound, Receipt, Sent

MESSAGE = Outbound(recipient="+38344123456", text="Your reference is KX7M-4QXP-2R.", idempotency_key="in:7:0")
HEADER = struct.Struct(">LLLL")
BIND, SUBMIT, DELIVER, ANSWER = 0x09, 0x04, 0x05, 0x80000000


# ------------------------------------------------------------------ alphabets


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=400), st.booleans())
def test_what_is_written_is_read_again_in_as_many_parts_as_were_counted(text: str, latin1: bool) -> None:
    pieces = write(text, 7, latin1=latin1)
    assert len(pieces) == segments(text).parts or latin1
    data = b"".join(piece.data[6:] if piece.has_header else piece.data for piece in pieces)
    assert read(data, pieces[0].data_coding, latin1=latin1) == text
    assert all(len(piece.data) <= 160 for piece in pieces)
    for number, piece in enumerate(pieces, 1):
        assert not piece.has_header or piece.data[:6] == bytes([5, 0, 3, 7, len(pieces), number])
        body = piece.data[6:] if piece.has_header else piece.data
        # No piece ends in half a character.
        assert "�" not in read(body, piece.data_coding, latin1=latin1) or "�" in text


def test_other_ways_to_name_an_alphabet_are_known() -> None:
    assert read(b"\x01\x1b\x65\x1b\x01", DEFAULT) == "£€£"
    assert read(b"\xa3", LATIN1) == read(b"\xa3", DEFAULT, latin1=True) == "£"
    arabic = "حريق".encode("utf-16-be")
    assert read(arabic, UCS2) == read(arabic, 0x18) == read(arabic, 0xE0) == "حريق"
    assert read(b"A\xff", 1) == "A�"
    assert read(b"\x00\x01", 4) == read(b"\x00\x01", 0xF4) == ""


# ------------------------------------------------------------------ deliveries


def receipt(text: str, **more) -> Receipt | Inbound | None:
    one = Delivery("38344123456", 1, 0x04, 0, text.encode(), **more)
    return message_of(one, "p", dict.fromkeys(spellings("a1"), "a1"), latin1=False)


def test_receipts_are_read_in_words_and_in_fields() -> None:
    for text, more, outcome in (
        ("id:161 sub:001 dlvrd:001 submit date:1 done date:2 stat:DELIVRD err:000 Text:zjarr", {}, "delivered"),
        ("ID:00000000A1 STAT:UNDELIV ERR:0D1", {}, "failed"),
        ("", {"receipted_id": "a1", "state": 5}, "failed"),
    ):
        found = receipt(text, **more)
        assert isinstance(found, Receipt)
        assert (found.about, found.outcome) == ("a1", outcome)
    for text in ("id:1 stat:ENROUTE", "id:1 stat:ACCEPTD", "stat:DELIVRD", "", "\x00"):
        assert receipt(text) is None


@pytest.mark.parametrize("answered", ["3f2a", "3F2A", "00003f2a", "00003F2A", "16170", "0000016170"])
@pytest.mark.parametrize("reported", ["16170", "3f2a", "00003F2A"])
def test_a_receipt_for_an_earlier_line_names_every_way_to_write_the_number(answered: str, reported: str) -> None:
    one = Delivery("38344123456", 1, 0x04, 0, f"id:{reported} stat:DELIVRD err:000".encode())
    found = message_of(one, "p", {}, latin1=False)
    assert isinstance(found, Receipt)
    assert found.about == reported
    assert answered in (found.about, *found.spellings)


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 255))
def test_no_octets_make_it_fail(data: bytes, esm_class: int, data_coding: int) -> None:
    one = Delivery("38344123456", 1, esm_class, data_coding, data, sar=(7, 2, 1))
    found = message_of(one, "p", {}, latin1=False)
    assert found is None or isinstance(found, Inbound | Receipt)


def test_pieces_are_told_by_header_or_by_fields() -> None:
    for one in (
        Delivery("38344123456", 1, 0x40, 0, b"\x05\x00\x03\x07\x02\x01abc"),
        Delivery("38344123456", 1, 0x40, 0, b"\x06\x08\x04\x00\x07\x02\x01abc"),
        Delivery("38344123456", 1, 0, 0, b"abc", sar=(7, 2, 1)),
    ):
        found = message_of(one, "p", {}, latin1=False)
        assert isinstance(found, Inbound) and found.piece is not None
        assert (found.text, found.piece.reference, found.piece.number, found.piece.total) == ("abc", "7", 1, 2)


# ------------------------------------------------------------------ the line


class Centre:
    """Answer the first connection with what the test says; frames only, no library."""

    def __init__(self, answer: Callable[[int, int], bytes | None]) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.connected = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            self.connected += 1
            with peer:
                self._serve(peer)

    def _serve(self, peer: socket.socket) -> None:
        peer.settimeout(5)
        try:
            while len(head := peer.recv(16, socket.MSG_WAITALL)) == 16:
                length, command, _, sequence = HEADER.unpack(head)
                if length > 16:
                    peer.recv(length - 16, socket.MSG_WAITALL)
                said = self._answer(command, sequence)
                if said is None:
                    return
                peer.sendall(said)
        except OSError:
            return

    def close(self) -> None:
        self._listening.close()


def frame(command: int, sequence: int, *, status: int = 0, body: bytes = b"") -> bytes:
    return HEADER.pack(16 + len(body), command, status, sequence) + body


@pytest.fixture
def channel_at(monkeypatch) -> Iterator[Callable[..., SmppSms]]:
    monkeypatch.setattr(session, "_AGAIN_SECONDS", (0.01,))
    monkeypatch.setattr(session, "_TURN_SECONDS", 0.02)
    opened: list[tuple[SmppSms, Centre]] = []

    def make(answer: Callable[[int, int], bytes | None], receive=lambda messages: None) -> SmppSms:
        centre = Centre(answer)
        options = replace(
            site.COMMONBEAT, smpp_host="127.0.0.1", smpp_port=centre.port, smpp_system_id="c", smpp_from="1550"
        )
        channel = SmppSms(lambda: options)
        opened.append((channel, centre))
        channel.keep_open(receive)
        return channel

    yield make
    for channel, centre in opened:
        channel.close()
        centre.close()


@pytest.fixture
def short_of_patience(monkeypatch) -> None:
    monkeypatch.setattr(session, "_READY_SECONDS", 0.3)
    monkeypatch.setattr(line, "ANSWER_SECONDS", 0.3)


def well(command: int, sequence: int) -> bytes:
    body = b"a1\x00" if command == SUBMIT else b"\x00"
    return frame(command | ANSWER, sequence, body=body)


def test_a_message_is_taken(channel_at) -> None:
    assert channel_at(well).send(MESSAGE) == Sent("a1")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x58, Failed("http 503", permanent=False)),
        (0x14, Failed("http 503", permanent=False)),
        (0x0B, Failed("smpp 0xb", permanent=True)),
        (0x45, Failed("smpp 0x45", permanent=False)),
    ],
)
def test_a_refusal_says_whether_to_come_again(channel_at, status: int, outcome: Failed) -> None:
    def answer(command: int, sequence: int) -> bytes:
        return frame(command | ANSWER, sequence, status=status) if command == SUBMIT else well(command, sequence)

    assert channel_at(answer).send(MESSAGE) == outcome


@pytest.mark.usefixtures("short_of_patience")
def test_a_refused_bind_and_an_absent_centre_leave_the_message_untried(channel_at) -> None:
    refused = channel_at(lambda command, sequence: frame(command | ANSWER, sequence, status=0x0E))
    assert refused.send(MESSAGE) == Failed("ConnectError", permanent=False)
    assert channel_at(lambda command, sequence: None).send(MESSAGE) == Failed("ConnectError", permanent=False)
    assert SmppSms(lambda: replace(site.COMMONBEAT, smpp_host="x")).send(MESSAGE) == Failed("ConnectError", False)
    assert SmppSms(lambda: site.COMMONBEAT).send(MESSAGE) == Failed("not configured", permanent=False)


@pytest.mark.usefixtures("short_of_patience")
def test_silence_and_nonsense_end_the_line_and_no_more(channel_at) -> None:
    def silent(command: int, sequence: int) -> bytes:
        return b"" if command == SUBMIT else well(command, sequence)

    def nonsense(command: int, sequence: int) -> bytes:
        return b"\xff" * 64 if command == SUBMIT else well(command, sequence)

    for answer in (silent, nonsense):
        outcome = channel_at(answer).send(MESSAGE)
        assert isinstance(outcome, Failed) and not outcome.permanent
        # The centre may have it: no other gateway gets it.
        assert outcome.code not in ("ConnectError", "not configured")


def test_a_delivery_that_cannot_be_read_is_refused_and_the_line_stays(channel_at) -> None:
    refused: set[tuple[int, int]] = set()
    both = threading.Event()

    def answer(command: int, sequence: int) -> bytes:
        if command == BIND:
            return well(command, sequence) + frame(DELIVER, 1, body=b"\xff") + frame(0x7777, 2)
        if command & ANSWER:
            refused.add((command, sequence))
            if {(DELIVER | ANSWER, 1), (ANSWER, 2)} <= refused:
                both.set()
            return b""
        return well(command, sequence)

    assert channel_at(answer).send(MESSAGE) == Sent("a1")
    assert both.wait(10), refused


def test_the_same_delivery_234_times_under_its_number_has_one_id(channel_at) -> None:
    heard: list[str] = []
    done = threading.Event()

    def receive(messages) -> None:
        heard.extend(message.provider_id for message in messages)
        if len(heard) == 234:
            done.set()

    text = b"zjarr"
    body = (
        b"\x00\x01\x0138344123456\x00\x01\x011550\x00" + bytes(3) + b"\x00\x00" + bytes(4) + bytes([len(text)]) + text
    )

    def answer(command: int, sequence: int) -> bytes:
        if command == BIND:
            return well(command, sequence) + frame(DELIVER, 9, body=body) * 234
        return b""

    channel_at(answer, receive)
    assert done.wait(5)
    assert len(set(heard)) == 1


def test_a_changed_setting_opens_the_line_anew_and_none_closes_it() -> None:
    first, second = Centre(well), Centre(well)
    options = replace(site.COMMONBEAT, smpp_host="127.0.0.1", smpp_port=first.port, smpp_system_id="c")
    channel = SmppSms(lambda: options)
    try:
        channel.keep_open(lambda messages: None)
        before = channel._session
        assert channel.send(MESSAGE) == Sent("a1")
        options = replace(options, kannel_username="of no concern")
        channel.keep_open(lambda messages: None)
        assert channel._session is before
        options = replace(options, smpp_port=second.port)
        channel.keep_open(lambda messages: None)
        assert channel._session is not before and before is not None and not before.is_alive
        assert channel.send(MESSAGE) == Sent("a1")
        options = replace(options, smpp_host="")
        channel.keep_open(lambda messages: None)
        assert channel._session is None
    finally:
        channel.close()
        first.close()
        second.close()
