"""What a log may hold of a failure: where it was and of which type, never what an exception or an address says."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any

_Fault = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutWords(logging.Formatter):
    """Write a failure without its message, which may quote what a person wrote, a row or an address with a secret."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the page's name where Django gives the address of a request."""
        # A copy, and what another formatter has kept in it of the exception goes.
        told = logging.makeLogRecord(record.__dict__ | {"exc_text": None})
        if record.name == "django.request":
            match: Any = getattr(getattr(record, "request", None), "resolver_match", None)
            told.msg, told.args = "A request for the page “%s” failed.", (match.view_name if match else "unknown",)
        return super().format(told)

    def formatException(self, ei: _Fault) -> str:
        """Write the frames, whose lines are code, and the types of what was raised."""
        lines: list[str] = []
        error, seen = ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            lines.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nThis was raised after:\n".join(lines)
