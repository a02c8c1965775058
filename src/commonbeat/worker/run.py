"""The worker: understand what came in, react to what happened, send what waits, do what time has made due."""

from __future__ import annotations

import importlib
import logging
import signal
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections, connection

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.intake.language import warm
from commonbeat.messaging.actions import expire_outbound, free_leases, note_silence, understand_batch
from commonbeat.messaging.in_force import Follower, options_in_force
from commonbeat.worker.alert_sources import POLL_SECONDS as SOURCE_SECONDS
from commonbeat.worker.alert_sources import AlertSources
from commonbeat.worker.fanning import Fanning
from commonbeat.worker.lines import Lines
from commonbeat.worker.log import POLL_SECONDS as LOG_SECONDS
from commonbeat.worker.log import LogKeeper
from commonbeat.worker.mail import later_mail_intake, mail_intake
from commonbeat.worker.mail_imap import POLL_SECONDS as MAILBOX_SECONDS
from commonbeat.worker.mail_imap import ImapReader
from commonbeat.worker.partners import PartnerCalls
from commonbeat.worker.sending import Sending
from commonbeat.worker.turn import turn_of
from commonbeat.worker.watch import Watch

if TYPE_CHECKING:
    from commonbeat.worker.mail_lmtp import LmtpListener

logger = logging.getLogger(__name__)

# A message of another process is noticed within this; one of this process wakes the loop at once.
POLL_SECONDS = 0.1
# Also without any change in the database something may have become due.
LOOK_SECONDS = 1.0
DUE_SECONDS = 60.0
_STANDBY_SECONDS = 1.0
_AFTER_ERROR_SECONDS = 2.0
_BATCH = 100
# While gateways deliver hundreds of messages a second, storing them comes first and understanding them waits.
_BATCH_PRESSED = 5
_PRESSED_BREAK_SECONDS = 0.2
_BREAK_SECONDS = 0.002


class Loop:
    """Run a step until there is nothing to do, then wait for a change."""

    def __init__(self, name: str, step: Callable[[], int], options: Options, *, every: float | None = None) -> None:
        self.name = name
        self.wake = threading.Event()
        self._step = step
        self._every = every
        self._data_dir = options.data_dir
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.on_start: Callable[[bool], None] = lambda exclusive: None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End the thread after the step that it is in."""
        self._stopping = True
        self.wake.set()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        turn = turn_of(self.name, self._data_dir)
        watch = Watch()
        had_turn = False
        looked_at = 0.0
        while not self._stopping:
            try:
                close_old_connections()
                if not turn.take():
                    had_turn = False
                    self._wait(_STANDBY_SECONDS)
                    continue
                if not had_turn:
                    self.on_start(turn.is_exclusive_at_once)
                    had_turn = True
                if self._every is not None:
                    self._step()
                    self._wait(self._every)
                    continue
                is_woken = self.wake.is_set()
                self.wake.clear()
                late = time.monotonic() - looked_at >= LOOK_SECONDS
                if watch.has_changed() or is_woken or late:
                    looked_at = time.monotonic()
                    while self._step() and not self._stopping and turn.take():
                        pass
                self.wake.wait(POLL_SECONDS)
            except Exception as error:  # the database may be away for a while, and a loop must outlive that
                logger.error("The loop “%s” failed: %s at %s.", self.name, type(error).__name__, _place_of(error))
                connection.close()
                self._wait(_AFTER_ERROR_SECONDS)
        try:
            turn.give_back()
        finally:
            connection.close()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            self.wake.wait(until - time.monotonic())
            if not self._stopping:
                self.wake.clear()


class Worker:
    """Run the loops of a site in threads of this process."""

    def __init__(self, options: Options, *, is_pressed: Callable[[], bool] = lambda: False) -> None:
        """Take is_pressed, which tells whether something more urgent needs this process and its database."""
        self._is_pressed = is_pressed
        self._sending = Sending()
        self._pump = Loop("pump", self._understand_and_react, options)
        self._lines = Lines(on_received=self.wake)
        self._sender = Loop("sender", self._send, options)
        self._alerts = Loop("alerts", Fanning(on_queued=self._sender.wake.set).step, options)
        self._due = Loop("due", self._do_due, options, every=DUE_SECONDS)
        self._sender.on_start = _take_back_leases
        # Before the first message, for loading it within that message's transaction would hold up every writer.
        self._pump.on_start = lambda _: warm(options.languages)
        # A loop of its own, for a source that is slow must hold up nothing else.
        sources = Loop("alert sources", AlertSources().poll, options, every=SOURCE_SECONDS)
        self._partners = PartnerCalls()
        partners = Loop("alert partners", self._partners.step, options)
        log = Loop("log", LogKeeper(options).step, options, every=LOG_SECONDS)
        self._loops = [self._pump, self._sender, self._alerts, self._due, sources, partners, log]
        self._lmtp: LmtpListener | None = None
        # A port of this computer is for whoever runs it; which mailbox is read may be set on a page at any time.
        intake = mail_intake(options, on_stored=self.wake)
        if intake is not None and options.mail_lmtp_port:
            # Here, for most sites have no mail server of their own.
            from commonbeat.worker.mail_lmtp import LmtpListener

            self._lmtp = LmtpListener(options, intake)
        intake = later_mail_intake(on_stored=self.wake)
        if intake is not None:
            mailbox = ImapReader(options_in_force, intake)
            self._loops.append(Loop("mailbox", mailbox.read_batch, options, every=MAILBOX_SECONDS))
        self._has_warned: set[str] = set()

    def start(self) -> None:
        """Start the loops."""
        for loop in self._loops:
            loop.start()
        if self._lmtp is not None:
            self._lmtp.start()

    def wake(self) -> None:
        """Say that a message came in; from any thread."""
        self._pump.wake.set()

    def stop(self, timeout: float = 2.0) -> None:
        """End the loops after the step that each is in; the time-out is for all together."""
        if self._lmtp is not None:
            self._lmtp.stop()
        for loop in self._loops:
            loop.ask_to_stop()
        until = time.monotonic() + timeout
        for loop in self._loops:
            loop.join(max(0.0, until - time.monotonic()))
        self._sending.close()
        self._partners.close()
        self._lines.close()

    def _send(self) -> int:
        self._lines.keep_open()
        return self._sending.send_batch()

    def _understand_and_react(self) -> int:
        done = 0
        handle = self._find("commonbeat.reactions.inbound", "handle")
        if handle is not None:
            door = self._find("commonbeat.reactions.trust", "DOOR")
            done += understand_batch(handle, clock.now(), limit=_BATCH, door=door, between=self._breathe)
            if done:
                self._sender.wake.set()
        react_batch = self._find("commonbeat.reactions.run", "react_batch")
        if react_batch is not None:
            reacted = int(react_batch(clock.now(), _BATCH_PRESSED if self._is_pressed() else _BATCH))
            if reacted:
                self._sender.wake.set()
            done += reacted
        count_batch = self._find("commonbeat.reactions.counting", "count_batch")
        if count_batch is not None:
            done += int(count_batch(clock.now()))
        rate_batch = self._find("commonbeat.reactions.auditing", "rate_batch")
        if rate_batch is not None:
            done += int(rate_batch(clock.now()))
        return done

    def _breathe(self) -> None:
        # SQLite has one writer at a time and no queue: without a break between our transactions others starve.
        time.sleep(_PRESSED_BREAK_SECONDS if self._is_pressed() else _BREAK_SECONDS)

    def _do_due(self) -> int:
        now = clock.now()
        expire_outbound(now=now)
        note_silence(now=now)
        do_due = self._find("commonbeat.reactions.due", "do_due")
        if do_due is not None:
            do_due(now)
        return 0

    def _find(self, module: str, name: str) -> Any:
        try:
            found = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            if module not in self._has_warned:
                self._has_warned.add(module)
                logger.warning("%s is not part of this installation; the worker leaves its part undone.", module)
            return None
        return found


def run_until_stopped(*, said: Callable[[], None] | None = None) -> None:
    """Run the loops in this process until SIGTERM or SIGINT; said() is called once they run.

    The signals are waited for, not handled: a handler that sets an Event deadlocks when it interrupts that Event's
    own wait().
    """
    wanted = {signal.SIGTERM, signal.SIGINT}
    # Before the threads start, for they inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    worker, follower = Worker(settings.COMMONBEAT), Follower()
    follower.start()
    worker.start()
    if said is not None:
        said()
    signal.sigwait(wanted)
    worker.stop()
    follower.stop()


def _take_back_leases(is_only_worker: bool) -> None:
    # A worker that was killed leaves messages leased for a minute; whoever knows that it is dead need not wait.
    if is_only_worker:
        free_leases(now=clock.now())


def _place_of(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
