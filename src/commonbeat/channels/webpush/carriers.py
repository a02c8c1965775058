"""The push services that browsers belong to: which is given a rest, and for how long."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

# Carriers of nearly all browsers. Their trouble is the channel's; that of any other host, which anybody can set up and
# subscribe with, is its own, or a hundred dead endpoints would hold up everybody's warnings.
WELL_KNOWN = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "notify.windows.com",
    "push.apple.com",
)
# So many different subscriptions of one service in a row are told to wait: then it means the service, not the browser.
_MANY = 10
# A host that kept us waiting in vain is left alone for so long, for each attempt takes one of the few connections.
_REST_SECONDS = 30.0
LONGEST_SECONDS = 3600.0
_MOST_KEPT = 5_000


@dataclass(slots=True)
class _State:
    silent_until: float = 0.0
    # Of those told to wait in a row: how many, the last, and how long.
    refusals: int = 0
    last: str = ""


class Carriers:
    """Remember, for a while and in memory, who wants to be left alone; used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, _State] = OrderedDict()
        self._endpoints: OrderedDict[str, float] = OrderedDict()

    def may_ask(self, host: str, endpoint: str, moment: float) -> bool:
        """Tell whether a subscription may be written to now; moment is in seconds of a clock that never goes back."""
        with self._lock:
            state = self._hosts.get(owner_of(host))
            return (state is None or state.silent_until <= moment) and self._endpoints.get(endpoint, 0.0) <= moment

    def answered(self, host: str) -> None:
        """Note that a service took something, or refused it for good."""
        with self._lock:
            self._hosts.pop(owner_of(host), None)

    def told_to_wait(self, host: str, endpoint: str, seconds: float, moment: float) -> None:
        """Note that a service wants to be asked later: of this subscription, or of all once it has said so often."""
        until = moment + min(max(seconds, 1.0), LONGEST_SECONDS)
        with self._lock:
            _put(self._endpoints, endpoint, until)
            state = self._state(host)
            if state.last != endpoint:
                state.refusals, state.last = state.refusals + 1, endpoint
            if state.refusals >= _MANY:
                state.silent_until, state.refusals = until, 0

    def kept_waiting(self, host: str, moment: float) -> None:
        """Note that a service did not answer in time, or only with an error of its own."""
        if is_well_known(host):
            # The channel's health sees to these.
            return
        with self._lock:
            self._state(host).silent_until = moment + _REST_SECONDS

    def _state(self, host: str) -> _State:
        owner = owner_of(host)
        state = self._hosts.get(owner) or _State()
        _put(self._hosts, owner, state)
        return state


def owner_of(host: str) -> str:
    """Give the part of a name that belongs to one owner, nearly: anybody has names without number below one."""
    return ".".join(host.rsplit(".", 2)[-2:]) if not host.replace(".", "").isdigit() and ":" not in host else host


def is_well_known(host: str) -> bool:
    """Tell whether a host is one of the services of the common browsers."""
    return any(host == known or host.endswith(f".{known}") for known in WELL_KNOWN)


def _put(kept: OrderedDict[str, T], name: str, value: T) -> None:
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
