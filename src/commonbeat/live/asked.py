"""What a public address asks for: the words that tiles and files have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import parse_qsl

from commonbeat.maps import rules

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_QUERY_LENGTH = 300


class NotAsked(Exception):
    """What was asked for is not there, or cannot be understood."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def read_query(query: bytes) -> dict[str, str]:
    """Read a filter; NotAsked when it is none."""
    try:
        if len(query) > _QUERY_LENGTH:
            raise ValueError
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=8)
    except ValueError:
        raise NotAsked(400, "The filter cannot be read.") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise NotAsked(400, "Give each part of the filter once.")
    return given


def read_days(given: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Read the first and the last day of a filter; NotAsked when they are none."""
    since, until = _day(given.get("since", "")), _day(given.get("until", ""))
    if since is not None and until is not None and until < since:
        raise NotAsked(400, "The last day lies before the first.")
    return since, until


def _day(text: str) -> int | None:
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return rules.day_number(date.fromisoformat(text))
    except ValueError:
        raise NotAsked(400, "A day is written as year-month-day, such as 2025-03-27.") from None
