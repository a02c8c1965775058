"""Counts of a running period, in the cache.

Not cache.incr: with Django's cache in the database it gives what it counts another five minutes each time, whatever
the period was.
"""

from __future__ import annotations

import time

from django.core.cache import cache


def counted(key: str) -> int:
    """Tell how many there have been in the running period."""
    return _read(key)[0]


def count_one(key: str, *, seconds: int) -> int:
    """Count one more, and return how many there have been in the period, which begins with the first."""
    number, ends_at = _read(key)
    return _write(key, number + 1, ends_at if number else time.time() + seconds)


def take_back(key: str) -> None:
    """Count one less."""
    number, ends_at = _read(key)
    if number:
        _write(key, number - 1, ends_at)


def _read(key: str) -> tuple[int, float]:
    number, ends_at = cache.get(key, (0, 0.0))
    return (number, ends_at) if ends_at > time.time() else (0, 0.0)


def _write(key: str, number: int, ends_at: float) -> int:
    left = ends_at - time.time()
    if left > 0:
        # A whole second more than is left: the table of the cache keeps no fractions.
        cache.set(key, (number, ends_at), left + 1)
    return number
