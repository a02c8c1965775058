from __future__ import annotations

import pytest

from commonbeat.tips.commitment import Fact, commit, holds, new_salt
from tests.tips.vectors import TIP, VECTORS


def test_commits_as_written_down() -> None:
    one = VECTORS["commitment"]
    box, salt = bytes.fromhex(one["box"]), bytes.fromhex(one["salt"])
    made = commit(Fact(one["fact"]), tip=TIP, second=one["second"], box=box, salt=salt)
    assert made.hex() == one["commitment"]
    assert holds(made, Fact.ANSWERED, tip=TIP, second=one["second"], box=box, salt=salt)


@pytest.mark.parametrize(
    "changed",
    [{"tip": bytes(16)}, {"second": 8}, {"box": b"other"}, {"salt": bytes(31) + b"1"}, {"fact": Fact.CLOSED}],
    ids=str,
)
def test_holds_for_exactly_that(changed: dict[str, object]) -> None:
    facts: dict[str, object] = {"fact": Fact.RECEIVED, "tip": TIP, "second": 7, "box": b"box", "salt": bytes(32)}
    made = commit(**facts)  # type: ignore[arg-type]
    assert holds(made, **facts)  # type: ignore[arg-type]
    assert not holds(made, **(facts | changed))  # type: ignore[arg-type]


def test_a_salt_is_needed() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commit(Fact.RECEIVED, tip=TIP, second=7, box=b"", salt=b"")
    assert new_salt() != new_salt()
