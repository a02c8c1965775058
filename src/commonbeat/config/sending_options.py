"""The settings of sending, checked: pace, prices, limits, quiet hours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonbeat.config.options import Options

_CODE = re.compile(r"[a-z][a-z0-9_]{0,19}")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")


def sending_problems(options: Options) -> list[str]:
    """Say what is wrong with pace, prices, limits and quiet hours, one sentence each."""
    problems = []
    for name, example in (
        ("send_rates", "kannel_sms=50"),
        ("send_prices", "kannel_sms=0.045"),
        ("send_fallbacks", "kannel_sms=smsgate_sms"),
    ):
        for pair in getattr(options, name):
            code, equals, value = (part.strip() for part in pair.partition("="))
            is_fit = bool(_CODE.fullmatch(value)) if name == "send_fallbacks" else _is_amount(value)
            if not (equals and _CODE.fullmatch(code) and is_fit and value != code):
                problems.append(f"COMMONBEAT_{name.upper()} has “{pair}”; write pairs such as {example}.")
    if not (len(options.currency) == 3 and options.currency.isascii() and options.currency.isupper()):
        problems.append(f"COMMONBEAT_CURRENCY is “{options.currency}”; write three capital letters such as EUR.")
    for name in ("daily_limit", "monthly_limit"):
        if not 0 <= getattr(options, name) < 1e12:
            problems.append(f"COMMONBEAT_{name.upper()} must be 0, for none, or an amount such as 25.")
    if options.quiet_hours and not _HOURS.fullmatch(options.quiet_hours):
        problems.append(f"COMMONBEAT_QUIET_HOURS is “{options.quiet_hours}”; write hours such as 21:00-08:00.")
    return problems


def _is_amount(text: str) -> bool:
    return bool(_AMOUNT.fullmatch(text)) and float(text) > 0
