"""The settings of alerts as others get them, checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonbeat.config.options import Options

# It stands in lists that spaces and commas part.
_SENDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{2,119}")


def cap_problems(options: Options) -> list[str]:
    """Say what is wrong with the sender of alerts."""
    if options.alerts_sender and not _SENDER.fullmatch(options.alerts_sender):
        return [
            f"COMMONBEAT_ALERTS_SENDER is “{options.alerts_sender}”; write an address or host of your own such as"
            " alerts@example.org, without spaces and commas."
        ]
    return []
