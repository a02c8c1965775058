"""SMPP 3.4, straight to an operator's message centre: see docs/channels/smpp.md and decision 17."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

from commonbeat.channels.calls import site_options
from commonbeat.channels.smpp_sms.alphabet import write
from commonbeat.channels.smpp_sms.line import LineError
from commonbeat.channels.smpp_sms.session import Session
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup

_HAS_HEADER = 0x40
_WITH_RECEIPT = 1
_INTERNATIONAL, _NETWORK, _ALPHANUMERIC = (1, 1), (3, 0), (5, 0)
# Message length, destination address, its type and plan, a permanent error of the application.
_HOPELESS = frozenset({0x01, 0x0B, 0x50, 0x51, 0x65})
# Codes that say surely not taken: the queue is full, too fast, try later.
_NOT_NOW = frozenset({0x14, 0x58, 0x64})


class SmppSms:
    """Talk to a message centre over a line that the sending worker keeps open."""

    code = "smpp_sms"
    limits = Limits(address_kind="phone", per_second=20.0)
    setup = Setup(
        title="SMPP, an operator's message centre",
        to_receive=("smpp_host", "smpp_system_id"),
        to_send=("smpp_host", "smpp_system_id"),
        optional=(
            "smpp_password",
            "smpp_port",
            "smpp_tls",
            "smpp_system_type",
            "smpp_from",
            "smpp_window",
            "smpp_latin1",
        ),
        goes_to=("smpp_host", "smpp_port", "smpp_tls"),
        purpose="Text messages over a line of your own to an operator's message centre.",
        manual="smpp.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options
        self._session: Session | None = None
        self._changing = threading.Lock()
        # The settings that were looked at last, and those of them with which the line was opened.
        self._looked_at: Options | None = None
        self._speaks: tuple[object, ...] = ()

    def verify(self, request: Request) -> None:
        """Refuse: the message centre speaks over its line, not over the web."""
        raise Refused(403, "The message centre has no address here.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Refuse: the message centre speaks over its line, not over the web."""
        raise Refused(403, "The message centre has no address here.")

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty answer."""
        return "text/plain; charset=utf-8", b""

    def keep_open(self, receive: Callable[[Sequence[Inbound | Receipt]], None]) -> None:
        """Connect unless connected, anew where the settings have changed; a site without a message centre has none."""
        options = self._options()
        if options is not self._looked_at:
            self._leave_if_changed(options)
            self._looked_at = options
        if not options.smpp_host:
            return
        with self._changing:
            if self._session is None or not self._session.is_alive:
                self._session, self._speaks = Session(options, receive), _line_settings(options)
            self._session.want()

    def _leave_if_changed(self, options: Options) -> None:
        if self._session is not None and _line_settings(options) != self._speaks:
            self.close()

    def close(self) -> None:
        """Unbind and close the line."""
        with self._changing:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the centre, in as many pieces as it takes."""
        options = self._options()
        if not options.smpp_host:
            return Failed("not configured", permanent=False)
        session = self._session
        if session is None:
            # A line belongs to the worker that sends; without it nothing was tried.
            return Failed("ConnectError", permanent=False)
        # Of the key, so that the pieces of a repeat fit those that arrived the first time.
        reference = int.from_bytes(hashlib.sha256(message.idempotency_key.encode()).digest()[:1], "big")
        ton, npi, source = _source(options.smpp_from or options.sms_number)
        numbers: list[str] = []
        for piece in write(message.text, reference, latin1=options.smpp_latin1):
            try:
                status, number = session.submit(
                    source_addr_ton=ton,
                    source_addr_npi=npi,
                    source_addr=source,
                    dest_addr_ton=_INTERNATIONAL[0],
                    dest_addr_npi=_INTERNATIONAL[1],
                    destination_addr=message.recipient.removeprefix("+"),
                    esm_class=_HAS_HEADER if piece.has_header else 0,
                    data_coding=piece.data_coding,
                    registered_delivery=_WITH_RECEIPT,
                    short_message=piece.data,
                )
            except LineError as error:
                return Failed(str(error) if not numbers else "the line broke", permanent=False)
            if status:
                return _refused(status, is_first=not numbers)
            numbers.append(number)
        return Sent(provider_id=numbers[0], part_ids=tuple(numbers) if len(numbers) > 1 else ())


def _line_settings(options: Options) -> tuple[object, ...]:
    return (
        options.smpp_host, options.smpp_port, options.smpp_tls, options.smpp_system_id, options.smpp_password,
        options.smpp_system_type, options.smpp_window, options.smpp_latin1,
    )  # fmt: skip


def _refused(status: int, *, is_first: bool) -> Failed:
    if status in _NOT_NOW and is_first:
        return Failed("http 503", permanent=False)
    return Failed(f"smpp {status:#x}", permanent=status in _HOPELESS)


def _source(number: str) -> tuple[int, int, str]:
    digits = number.removeprefix("+").replace(" ", "")
    if not digits.isdecimal():
        return *_ALPHANUMERIC, number[:11]
    if number.startswith("+") or len(digits) > 8:
        return *_INTERNATIONAL, digits
    return *_NETWORK, digits


channel = SmppSms(site_options)
