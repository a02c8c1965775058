"""What the message centre delivers: a text, a piece of one, or the receipt of one of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commonbeat.channels.calls import SENDER_LIMIT, fingerprint
from commonbeat.channels.smpp_sms.alphabet import read
from commonbeat.messaging.channel import Inbound, Piece, Receipt

_KIND, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20
_HAS_HEADER = 0x40
_INTERNATIONAL = 1
_FIELD = re.compile(r"\b(id|stat|err):\s*([^\s]+)", re.IGNORECASE)
_STATES = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 8: "REJECTD"}
_OUTCOMES = {
    "DELIVRD": "delivered",
    "EXPIRED": "failed",
    "DELETED": "failed",
    "UNDELIV": "failed",
    "REJECTD": "failed",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A deliver_sm, as far as it matters here; plain values, so that nothing else must know the library."""

    sender: str
    sender_ton: int
    esm_class: int
    data_coding: int
    data: bytes
    receipted_id: str = ""
    state: int = 0
    # Reference, total and number, where they stand in fields of their own instead of a header.
    sar: tuple[int, int, int] | None = None


def delivery_of(pdu: Any) -> Delivery:
    """Read what the library has parsed."""
    names = ("msg_ref_num", "total_segments", "segment_seqnum")
    sar = [one for name in names if isinstance(one := getattr(pdu, f"sar_{name}", None), int)]
    return Delivery(
        sender=_plain(pdu.source_addr),
        sender_ton=pdu.source_addr_ton or 0,
        esm_class=pdu.esm_class or 0,
        data_coding=pdu.data_coding or 0,
        data=bytes(pdu.short_message or getattr(pdu, "message_payload", None) or b""),
        receipted_id=_plain(getattr(pdu, "receipted_message_id", None)),
        state=getattr(pdu, "message_state", None) or 0,
        sar=(sar[0], sar[1], sar[2]) if len(sar) == len(names) else None,
    )


def message_of(one: Delivery, provider_id: str, known: Mapping[str, str], *, latin1: bool) -> Inbound | Receipt | None:
    """Read a delivery; None for what says nothing. known gives our centre's ids by other ways to write them."""
    if one.esm_class & _KIND == _RECEIPT:
        return _receipt(one, known)
    if one.esm_class & _KIND == _INTERMEDIATE or not one.sender:
        return None
    data, piece = _without_header(one)
    text = read(data, one.data_coding, latin1=latin1)
    if not text:
        return None
    is_international = one.sender_ton == _INTERNATIONAL and one.sender.isdecimal()
    sender = f"+{one.sender}" if is_international else one.sender
    return Inbound(provider_id=provider_id, sender=sender[:SENDER_LIMIT], text=text, piece=piece)


def spellings(number: str) -> list[str]:
    """Give the ways in which centres write one id: many answer in hexadecimal and report in decimal."""
    plain = number.strip().lower()
    found = [number, plain, plain.lstrip("0")]
    if re.fullmatch(r"[0-9]{1,20}", plain):
        found += [f"{int(plain):x}", str(int(plain))]
    if re.fullmatch(r"[0-9a-f]{1,16}", plain):
        found.append(str(int(plain, 16)))
    return found


def _receipt(one: Delivery, known: Mapping[str, str]) -> Receipt | None:
    said = {name.lower(): value for name, value in _FIELD.findall(one.data.decode("latin-1"))}
    number = one.receipted_id or said.get("id", "")
    state = _STATES.get(one.state) or said.get("stat", "").upper()[:7]
    outcome = _OUTCOMES.get(state)
    if not number or outcome is None:
        return None
    ways = spellings(number)
    about = next((known[way] for way in ways if way in known), "")
    error = said.get("err", "")
    code = f"smpp {state.lower()}" + (f" {error}" if error.isalnum() and len(error) <= 6 else "")
    # Of what was sent on an earlier line, or by another worker, the outbox knows which way it was written.
    others = () if about else tuple(dict.fromkeys(form for way in ways for form in _forms(way) if form != number))
    return Receipt(fingerprint("r", number, state), about or number, outcome, code, spellings=others)


def _forms(number: str) -> list[str]:
    return [number, number.upper(), *(form.zfill(length) for form in (number, number.upper()) for length in (8, 10))]


def _without_header(one: Delivery) -> tuple[bytes, Piece | None]:
    if not one.esm_class & _HAS_HEADER or not one.data or one.data[0] >= len(one.data):
        return one.data, _piece(*one.sar) if one.sar else None
    end = 1 + one.data[0]
    header, at = one.data[1:end], 0
    piece = None
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if kind == 0 and len(value) == 3:
            piece = _piece(value[0], value[1], value[2])
        elif kind == 8 and len(value) == 4:
            piece = _piece(int.from_bytes(value[:2], "big"), value[2], value[3])
        at += 2 + size
    return one.data[end:], piece


def _piece(reference: int, total: int, number: int) -> Piece | None:
    return Piece(str(reference), number, total) if 1 <= number <= total and total > 1 else None


def _plain(octets: object) -> str:
    return octets.decode("latin-1").strip("\x00 ") if isinstance(octets, bytes) else ""
