"""Which local day a moment lies on, for many moments at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

_DAY = 86_400
# No place is further than this from UTC.
_FARTHEST = 16 * 3_600
_FIRST, _LAST = datetime(1900, 1, 1).year, datetime(8900, 1, 1).year


def day_numbers(seconds: Numbers, zone: ZoneInfo) -> Numbers:
    """Give the local days, from 1970-01-01, of moments in seconds from 1970-01-01 UTC."""
    if not seconds.size:
        return seconds
    first, last = (_year_of(int(end)) for end in (seconds.min() - _FARTHEST, seconds.max() + _FARTHEST))
    starts = np.concatenate([_midnights(zone.key, year) for year in range(first, last + 1)])
    begin = datetime(first, 1, 1).toordinal() - datetime(1970, 1, 1).toordinal()
    return np.searchsorted(starts, seconds, side="right") - 1 + begin


def _year_of(second: int) -> int:
    year = (datetime(1970, 1, 1) + timedelta(seconds=second)).year
    return min(max(year, _FIRST), _LAST)


@lru_cache(maxsize=256)
def _midnights(zone_key: str, year: int) -> Numbers:
    zone = ZoneInfo(zone_key)
    begin = datetime(year, 1, 1)
    days = (datetime(year + 1, 1, 1) - begin).days
    return np.array(
        [int((begin + timedelta(days=day)).replace(tzinfo=zone).timestamp()) for day in range(days)], dtype=np.int64
    )
