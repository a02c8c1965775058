"""What the Cloud API's answers and error numbers mean for a message."""

from __future__ import annotations

import httpx

from commonbeat.channels.calls import answered_object, refused_answer
from commonbeat.messaging.channel import Failed, Sent

WINDOW_CLOSED = "window_closed"
# Numbers of the service that we act on; what is not here is told apart by the HTTP status.
_NAMES = {131047: WINDOW_CLOSED, 131026: "no account here"}
_PERMANENT = frozenset(_NAMES) | {
    100,
    131050,
    131008,
    131009,
    131021,
    131051,
    132000,
    132001,
    132005,
    132007,
    132012,
    132015,
}
# Too fast, a wrong or expired token, or trouble of the service: the same message may go later.
_PASSING = frozenset(
    {0, 1, 2, 3, 4, 10, 190, 80007, 130429, 131000, 131005, 131016, 131031, 131042, 131048, 131056, 133016}
)


def outcome_of(response: httpx.Response) -> Sent | Failed:
    """Read the answer to a sending."""
    status, said = response.status_code, answered_object(response.content)
    if 200 <= status < 300:
        messages = said.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        return Sent(provider_id=str(first.get("id", "")) if isinstance(first, dict) else "")
    error = said.get("error")
    number = error.get("code") if isinstance(error, dict) else None
    if isinstance(number, int):
        if number in _PERMANENT:
            return Failed(name_of(number), permanent=True)
        if number in _PASSING:
            return Failed(name_of(number), permanent=False)
    return refused_answer(status)


def name_of(number: int) -> str:
    """Name an error of the service; its sentences are never kept, for they may hold the number."""
    return _NAMES.get(number, f"error {number}")
