"""One connection to a message centre: bound, watched, and many messages under way on it."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any

from smpplib import smpp

from commonbeat.config.options import Options

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
ENQUIRE_SECONDS = 30.0
_LARGEST = 65_536
_HEADER = struct.Struct(">LLLL")
_ANSWER_BIT = 0x80000000
_WELL, _SYSTEM_ERROR, _TRY_LATER, _UNKNOWN = 0x00, 0x08, 0x64, 0x03
_MOST = 0x7FFFFFFF


class LineError(Exception):
    """The line is broken or was refused; says why in a code without any number or text of a person."""


class Numbers:
    """Count the requests of a line; the library asks it for each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sequence = 0

    def next_sequence(self) -> int:
        """Give the next number, from 1 on."""
        with self._lock:
            self.sequence = self.sequence % _MOST + 1
            return self.sequence


class Line:
    """Hold a bound connection; one thread reads, any thread asks."""

    def __init__(self, options: Options, deliver: Callable[[Any], bool]) -> None:
        """Take deliver(pdu), which tells whether a delivery is stored."""
        self._deliver = deliver
        self._numbers = Numbers()
        self._writing = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._window = threading.BoundedSemaphore(options.smpp_window)
        self._heard_at = time.monotonic()
        self._asked_at = 0.0
        self._is_open = True
        self._buffer = b""
        self._socket = _connected(options)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        try:
            self._bind(options)
        except BaseException:
            self._socket.close()
            raise

    def ask(self, name: str, **fields: Any) -> Any:
        """Send a request and wait for its answer, which is returned whatever its status; LineError when none came."""
        pdu = smpp.make_pdu(name, client=self._numbers, **fields)
        answer: Future[Any] = Future()
        with self._window:
            if not self._is_open:
                raise LineError("ConnectError")
            self._waiting[pdu.sequence] = answer
            try:
                self._write(pdu)
                return answer.result(timeout=ANSWER_SECONDS)
            except Late:
                raise LineError("no answer in time") from None
            finally:
                self._waiting.pop(pdu.sequence, None)

    def turn(self, seconds: float) -> None:
        """Read what comes within some seconds, and ask whether the centre is there when it is silent."""
        if not self._buffered() and not self._arrives(seconds):
            now = time.monotonic()
            if now - self._heard_at > ENQUIRE_SECONDS + ANSWER_SECONDS:
                raise LineError("no answer to enquire_link")
            if now - max(self._heard_at, self._asked_at) > ENQUIRE_SECONDS:
                self._asked_at = now
                self._write(smpp.make_pdu("enquire_link", client=self._numbers))
            return
        for raw in self._frames():
            self._take(raw)

    def close(self, *, politely: bool = False) -> None:
        """End the connection; who waits for an answer hears that it is broken."""
        self._is_open = False
        if politely:
            with contextlib.suppress(LineError):
                self._write(smpp.make_pdu("unbind", client=self._numbers))
        try:
            self._socket.close()
        finally:
            for answer in list(self._waiting.values()):
                if not answer.done():
                    answer.set_exception(LineError("the line broke"))

    def _bind(self, options: Options) -> None:
        pdu = smpp.make_pdu(
            "bind_transceiver",
            client=self._numbers,
            system_id=options.smpp_system_id,
            password=options.smpp_password,
            system_type=options.smpp_system_type,
            interface_version=0x34,
        )
        self._write(pdu)
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            if not self._arrives(until - time.monotonic()):
                break
            for raw in self._frames(at_most=1):
                _, command, status, sequence = _HEADER.unpack_from(raw)
                if sequence != pdu.sequence or not command & _ANSWER_BIT:
                    continue
                if status != _WELL:
                    raise LineError(f"bind refused {status:#x}")
                return
        raise LineError("no answer to the bind")

    def _take(self, raw: bytes) -> None:
        _, command, status, sequence = _HEADER.unpack_from(raw)
        if command & _ANSWER_BIT:
            answer = self._waiting.get(sequence)
            if answer is not None and not answer.done():
                answer.set_result((status, _parsed(raw, self._numbers)))
            return
        pdu = _parsed(raw, self._numbers)
        name = getattr(pdu, "command", None)
        if name == "enquire_link":
            self._answer("enquire_link_resp", sequence, _WELL)
        elif name == "deliver_sm":
            # Only what is on the disk is acknowledged; else the centre delivers it again.
            self._answer("deliver_sm_resp", sequence, _WELL if self._deliver(pdu) else _TRY_LATER)
        elif name == "unbind":
            self._answer("unbind_resp", sequence, _WELL)
            raise LineError("the centre ended the session")
        elif command == 0x05:
            # A delivery that cannot be read will not be readable the next time.
            self._answer("deliver_sm_resp", sequence, _SYSTEM_ERROR)
        elif name not in ("alert_notification", "outbind"):
            self._answer("generic_nack", sequence, _UNKNOWN)

    def _answer(self, name: str, sequence: int, status: int) -> None:
        pdu = smpp.make_pdu(name, client=self._numbers, status=status, sequence=sequence)
        pdu.sequence = sequence
        self._write(pdu)

    def _write(self, pdu: Any) -> None:
        data = pdu.generate()
        with self._writing:
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise LineError(type(error).__name__) from None

    def _buffered(self) -> bool:
        return len(self._buffer) >= 4 and len(self._buffer) >= int.from_bytes(self._buffer[:4], "big")

    def _arrives(self, seconds: float) -> bool:
        try:
            if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                return True
            # Not select(), which knows no more than 1,024 open files in a process.
            return bool(self._poll.poll(max(0.0, seconds) * 1000))
        except (OSError, ValueError):
            raise LineError("the line broke") from None

    def _frames(self, at_most: int = 1000) -> list[bytes]:
        if not self._buffered():
            try:
                # Under the lock of writing: with TLS, one connection must not be read and written at the same time.
                with self._writing:
                    data = self._socket.recv(_LARGEST)
            except OSError as error:
                raise LineError(type(error).__name__) from None
            if not data:
                raise LineError("the centre hung up")
            self._buffer += data
        self._heard_at = time.monotonic()
        frames: list[bytes] = []
        while len(self._buffer) >= 4 and len(frames) < at_most:
            length = int.from_bytes(self._buffer[:4], "big")
            if not _HEADER.size <= length <= _LARGEST:
                raise LineError("not SMPP")
            if len(self._buffer) < length:
                break
            frames.append(self._buffer[:length])
            self._buffer = self._buffer[length:]
        return frames


def _connected(options: Options) -> socket.socket:
    try:
        plain = socket.create_connection((options.smpp_host, options.smpp_port), timeout=CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(ANSWER_SECONDS)
        if not options.smpp_tls:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=options.smpp_host)
        except BaseException:
            plain.close()
            raise
    except OSError as error:
        raise LineError(type(error).__name__) from None


def _parsed(raw: bytes, numbers: Numbers) -> Any:
    # The library raises whatever Python does on odd octets; the frame is known, so one bad PDU costs itself only.
    try:
        return smpp.parse_pdu(raw, client=numbers, allow_unknown_opt_params=True)
    except Exception:
        return None
