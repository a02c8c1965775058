"""Keep a line to the message centre for as long as the worker wants it: bind, read, come back after a fault."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from commonbeat.channels.calls import fingerprint
from commonbeat.channels.smpp_sms.delivered import Delivery, delivery_of, message_of, spellings
from commonbeat.channels.smpp_sms.line import Line, LineError
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Inbound, Receipt

logger = logging.getLogger(__name__)

Receive = Callable[[Sequence[Inbound | Receipt]], None]

# Without a word of the worker the line is given up: another worker may have its turn.
WANTED_SECONDS = 60.0
_AGAIN_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_TURN_SECONDS = 0.5
_READY_SECONDS = 5.0
_KNOWN_MOST = 20_000
# What was acknowledged shortly before the line broke may come again; for how long, and how much of it.
_DOUBT_SECONDS = 30.0
_DOUBT_KEPT_SECONDS = 900.0


class Session:
    """Run the line in a thread of its own."""

    def __init__(self, options: Options, receive: Receive) -> None:
        self._options = options
        self._receive = receive
        self._wanted_until = time.monotonic() + WANTED_SECONDS
        self._line: Line | None = None
        self._is_bound = threading.Event()
        self._is_over = threading.Event()
        # The centre's ids in every spelling, so that a receipt in another one finds its message.
        self._known: OrderedDict[str, str] = OrderedDict()
        self._recent: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._doubtful: dict[str, tuple[float, str]] = {}
        self._nonce = ""
        self._thread = threading.Thread(target=self._run, name="smpp", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Tell whether the thread still runs."""
        return self._thread.is_alive() and not self._is_over.is_set()

    def want(self) -> None:
        """Keep the line for another minute."""
        self._wanted_until = time.monotonic() + WANTED_SECONDS

    def submit(self, **fields: Any) -> tuple[int, str]:
        """Send one submit_sm; give the status and the centre's id. "ConnectError" means that it surely was not sent."""
        if not self._is_bound.wait(_READY_SECONDS) or self._line is None:
            raise LineError("ConnectError")
        status, answer = self._line.ask("submit_sm", **fields)
        number = getattr(answer, "message_id", None)
        text = number.decode("latin-1").strip("\x00 ") if isinstance(number, bytes) else ""
        for way in spellings(text) if text else ():
            self._known[way] = text
        while len(self._known) > _KNOWN_MOST:
            self._known.popitem(last=False)
        return status, text

    def close(self) -> None:
        """End the session and its thread."""
        self._is_over.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        faults = 0
        while not self._is_over.is_set():
            said = ""
            try:
                line = Line(self._options, self._deliver)
                self._line, self._nonce, faults = line, secrets.token_hex(8), 0
                self._is_bound.set()
                logger.info("Bound to the message centre.")
                while self._is_wanted():
                    line.turn(_TURN_SECONDS)
                self._is_over.set()
            except LineError as error:
                said = str(error)
            except Exception as error:  # the thread must outlive what nobody expected
                said = type(error).__name__
            self._drop(politely=self._is_over.is_set())
            if said:
                wait = _AGAIN_SECONDS[min(faults, len(_AGAIN_SECONDS) - 1)]
                logger.warning("The line to the message centre ended (%s); again in %d seconds.", said, wait)
                faults += 1
                until = time.monotonic() + wait
                while self._is_wanted() and time.monotonic() < until:
                    self._is_over.wait(min(_TURN_SECONDS, wait))
                if not self._is_wanted():
                    self._is_over.set()

    def _is_wanted(self) -> bool:
        return not self._is_over.is_set() and time.monotonic() < self._wanted_until

    def _drop(self, *, politely: bool) -> None:
        self._is_bound.clear()
        line, self._line = self._line, None
        if line is not None:
            line.close(politely=politely)
        now = time.monotonic()
        # The centre may not have heard our last acknowledgements.
        self._doubtful = {mark: one for mark, one in self._doubtful.items() if now - one[0] < _DOUBT_KEPT_SECONDS}
        self._doubtful |= {mark: (now, one[1]) for mark, one in self._recent.items() if now - one[0] < _DOUBT_SECONDS}
        self._recent.clear()

    def _deliver(self, pdu: Any) -> bool:
        try:
            one = delivery_of(pdu)
            mark = _mark(one)
            number = self._number(mark, pdu.sequence)
            message = message_of(one, number, self._known, latin1=self._options.smpp_latin1)
            if message is not None:
                self._receive([message])
        except Exception as error:  # the database may be away; the centre keeps the message
            # The type only: its text may repeat what a person wrote.
            logger.error("A delivery of the message centre was not stored: %s.", type(error).__name__)
            return False
        self._recent[mark] = (time.monotonic(), number)
        self._recent.move_to_end(mark)
        while len(self._recent) > _KNOWN_MOST:
            self._recent.popitem(last=False)
        return True

    def _number(self, mark: str, sequence: int) -> str:
        # SMPP gives no id to what people write, and people may write the same twice. So the same is the same message
        # only when it comes again under its number, or after a broken line that may have lost our acknowledgement.
        doubtful = self._doubtful.pop(mark, None)
        if doubtful is not None and time.monotonic() - doubtful[0] < _DOUBT_KEPT_SECONDS:
            return doubtful[1]
        return fingerprint(self._nonce, str(sequence), mark)


def _mark(one: Delivery) -> str:
    return fingerprint(one.sender, str(one.esm_class), str(one.data_coding), one.data.hex(), str(one.sar))
