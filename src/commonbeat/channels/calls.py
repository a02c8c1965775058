"""What calls from and to gateways have in common: reading bodies, comparing secrets, judging answers."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from commonbeat.config.options import Options
from commonbeat.messaging.channel import Failed, Refused, Request
from commonbeat.messaging.in_force import options_in_force

SENDER_LIMIT = 60
_FIELDS = 100
# Times of gateways that cannot be: before mobile telephones, or beyond what a date can hold.
_EARLIEST, _LATEST = 0, 32_503_680_000


def site_options() -> Options:
    """Give the settings in force: those of the machine, and those of the channels' pages; never waits."""
    return options_in_force()


def require_end_of_address(expected: str, request: Request) -> None:
    """Compare the secret at the end of the address; raise Refused when it differs or none is set."""
    given = request.tail.partition("/")[0].encode("utf-8", "surrogateescape")
    if not expected or not hmac.compare_digest(expected.encode(), given):
        raise Refused(403, "This address is not known.")


def form_of(body: bytes) -> list[tuple[str, str]]:
    """Read a form; raise Refused when it has too many fields."""
    try:
        return parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_FIELDS
        )
    except ValueError:
        raise Refused(400, "The form has too many fields.") from None


def object_of(body: bytes) -> dict[str, Any]:
    """Read a JSON object, halves of emoji replaced; raise Refused when it is none."""
    try:
        tree = json.loads(body.decode("utf-8", "replace"))
        whole = json.dumps(tree, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        found = json.loads(whole)
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise Refused(400, "The body is not a JSON object.")
    return found


def fields_of(request: Request) -> dict[str, str]:
    """Read the fields of a call as text: of its query, and of its body as JSON or as a form."""
    fields = {name: _text(value) for name, value in request.query.items()}
    if request.body:
        if is_json(request.headers):
            fields.update({name: _text(value) for name, value in object_of(request.body).items()})
        else:
            fields.update(form_of(request.body))
    return fields


def is_json(headers: Mapping[str, str]) -> bool:
    """Tell whether a body says that it is JSON."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def sender_of(text: str) -> str:
    """Give a sender as far as one can be stored; raise Refused when there is none."""
    sender = text.strip()[:SENDER_LIMIT]
    if not sender:
        raise Refused(400, "The message names no sender.")
    return sender


def moment(seconds: float | str) -> datetime | None:
    """Read seconds since 1970; None when they are none."""
    try:
        number = float(seconds)
    except ValueError:
        return None
    return datetime.fromtimestamp(number, UTC) if _EARLIEST < number < _LATEST else None


def written_moment(text: str) -> datetime | None:
    """Read an ISO date and time, UTC where it names no zone; None when it is none."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def fingerprint(*parts: str) -> str:
    """Give an id made of what a message says of itself."""
    joined = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=24).hexdigest()


def refused_answer(status: int) -> Failed:
    """Judge an answer that is no success by its status alone."""
    if status in (401, 403):
        # A wrong password is mended by the operator, and the message then still goes.
        return Failed("authorization", permanent=False)
    return Failed(f"http {status}", permanent=400 <= status < 500 and status not in (402, 404, 408, 425, 429))


def answered_object(body: bytes) -> dict[str, Any]:
    """Read a gateway's JSON answer; an empty object when it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    # As JSON writes it, not as Python does: true, not True.
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
