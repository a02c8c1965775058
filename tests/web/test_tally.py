"""Counts of a period end with it, in the cache that a site really has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection

from commonbeat.web import tally

DATABASE = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}


@pytest.fixture(params=["memory", "database"])
def clock(request, settings, monkeypatch, db) -> list[float]:
    """Give the time that both the counts and the cache go by."""
    now = [1_800_000_000.0]
    if request.param == "database":
        settings.CACHES = DATABASE
        call_command("createcachetable", verbosity=0)
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def aware(found: datetime | str) -> datetime:
    """Read a moment of the table, which each database gives in its own way."""
    moment = datetime.fromisoformat(found) if isinstance(found, str) else found
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def test_a_period_begins_with_the_first_and_ends_as_it_was_set(clock: list[float], settings) -> None:
    assert tally.counted("a") == 0
    assert [tally.count_one("a", seconds=3_600) for _ in range(3)] == [1, 2, 3]
    assert tally.counted("b") == 0
    # Counting neither shortens nor lengthens it.
    clock[0] += 3_500
    assert tally.count_one("a", seconds=3_600) == 4
    if "DatabaseCache" in settings.CACHES["default"]["BACKEND"]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT expires FROM cache")
            (expires,) = cursor.fetchone()
        # To whole seconds, as the table keeps it; not Django's five minutes for what is counted again.
        ends = datetime.fromtimestamp(1_800_000_000 + 3_601, UTC)
        assert abs((aware(expires) - ends).total_seconds()) <= 1
    clock[0] += 101
    assert tally.counted("a") == 0
    assert tally.count_one("a", seconds=3_600) == 1


def test_what_is_taken_back_leaves_the_period_as_it_is(clock: list[float]) -> None:
    tally.take_back("a")
    assert tally.counted("a") == 0
    tally.count_one("a", seconds=60)
    tally.count_one("a", seconds=60)
    clock[0] += 50
    tally.take_back("a")
    assert tally.counted("a") == 1
    clock[0] += 11
    assert tally.counted("a") == 0
