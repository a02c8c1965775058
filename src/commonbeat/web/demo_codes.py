"""The log-ins of the demo town with their current codes; never on a site that is not a demonstration."""

from __future__ import annotations

import json
from typing import NamedTuple

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings


class DemoLogin(NamedTuple):
    """Somebody of the demo town: what to type to be them; `code` is empty where no second factor is asked."""

    username: str
    password: str
    role: str
    name: str
    code: str


def demo_logins() -> list[DemoLogin]:
    """Read the demo town's log-ins; empty on a real site, or when the town has not been made."""
    if not settings.COMMONBEAT.demo:
        return []
    try:
        rows = json.loads((settings.COMMONBEAT.data_dir / "demo.json").read_text("utf-8"))
        return [
            DemoLogin(
                row["username"],
                row["password"],
                row.get("role", ""),
                row.get("name", ""),
                current_code(row.get("totp_secret", "")),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def current_code(secret: str) -> str:
    """Compute the six digits that an authenticator app shows now; empty without a secret."""
    if not secret:
        return ""
    counters = list(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(secret, counters[len(counters) // 2])))
