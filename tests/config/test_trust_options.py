"""The limits of messages: read as they are meant, or refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonbeat.config.options import OptionsError, read_options
from commonbeat.config.trust_options import DEFAULT_LIMITS
from commonbeat.messaging.trust import Level, Limit, limit_of


def read(tmp_path: Path, value: str) -> tuple[str, ...]:
    return read_options({"COMMONBEAT_DATA_DIR": str(tmp_path), "COMMONBEAT_MESSAGE_LIMITS": value}).message_limits


def test_one_level_is_changed_and_the_others_keep_theirs(tmp_path: Path) -> None:
    limits = read(tmp_path, "unknown = 10/30")
    assert limit_of(Level.UNKNOWN, limits) == Limit(10, 30)
    assert limit_of(Level.KNOWN, limits) == limit_of(Level.KNOWN, DEFAULT_LIMITS)


@pytest.mark.parametrize("value", ["unknown", "best=1/2", "unknown=0/5", "unknown=9/5", "unknown=a/b", "unknown=²/3"])
def test_what_is_no_limit_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="COMMONBEAT_MESSAGE_LIMITS has"):
        read(tmp_path, value)
