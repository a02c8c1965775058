"""The setting of message limits, checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonbeat.config.options import Options

# A report by text takes two to eight messages, one by USSD up to twelve.
DEFAULT_LIMITS = ("doubtful=5/15", "unknown=20/60", "known=40/200", "trusted=120/1000")
_LIMIT = re.compile(r"(doubtful|unknown|known|trusted)\s*=\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})")


def trust_problems(options: Options) -> list[str]:
    """Say what is wrong with the limits of messages, one sentence each."""
    problems = []
    for pair in options.message_limits:
        found = _LIMIT.fullmatch(pair)
        if not (found and 1 <= int(found[2]) <= int(found[3])):
            problems.append(
                f"COMMONBEAT_MESSAGE_LIMITS has “{pair}”; write pairs such as unknown=20/60, for doubtful, unknown, "
                "known and trusted senders, with the limit of a day last."
            )
    return problems
