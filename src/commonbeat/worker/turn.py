"""Whose turn it is: of several workers on one database, one runs a loop."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from django.db import connection

from commonbeat.foundation import clock
from commonbeat.journal.actions import take_lease

_LEASE_SECONDS = 30
_RENEW = timedelta(seconds=10)


class Turn(Protocol):
    """Hold the right to run one loop."""

    is_exclusive_at_once: bool

    def take(self) -> bool:
        """Take or keep the turn; False while another worker has it."""

    def give_back(self) -> None:
        """Let another worker take it at once."""


def turn_of(loop: str, data_dir: Path) -> Turn:
    """Make the turn of a loop for the site's database."""
    return FileTurn(data_dir / f"{loop}.lock") if connection.vendor == "sqlite" else LeaseTurn(loop)


class FileTurn:
    """Lock a file: with SQLite all workers are on one host, and the lock of a killed one is free at once."""

    is_exclusive_at_once = True

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Lock the file, without waiting."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def give_back(self) -> None:
        """Unlock the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class LeaseTurn:
    """Keep a row in the database, renewed while the loop runs."""

    is_exclusive_at_once = False

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self._holder = f"{socket.gethostname()[:24]}-{secrets.token_hex(6)}"
        self._renew_at = clock.now()
        self._has_it = False

    def take(self) -> bool:
        """Take or renew the row, at most every ten seconds while it is ours."""
        now = clock.now()
        if self._has_it and now < self._renew_at:
            return True
        self._has_it = take_lease(name=self._loop, holder=self._holder, now=now, seconds=_LEASE_SECONDS)
        self._renew_at = now + _RENEW
        return self._has_it

    def give_back(self) -> None:
        """End the lease now."""
        if self._has_it:
            take_lease(name=self._loop, holder=self._holder, now=clock.now(), seconds=0)
            self._has_it = False
