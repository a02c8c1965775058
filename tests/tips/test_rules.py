from __future__ import annotations

import pytest

from commonbeat.tips.rules import Holder, is_recoverable, may_remove

A, B = Holder(b"a" * 16, has_recovery=False), Holder(b"b" * 16, has_recovery=False)
C = Holder(b"c" * 16, has_recovery=True)


@pytest.mark.parametrize(
    ("holders", "has_escrow", "recoverable"),
    [
        ([], False, False),
        ([], True, False),
        ([A], False, False),
        ([A], True, True),
        ([C], False, True),
        ([A, B], False, True),
    ],
)
def test_one_alone_needs_a_way_back(holders: list[Holder], has_escrow: bool, recoverable: bool) -> None:
    assert is_recoverable(holders, has_escrow=has_escrow) is recoverable


def test_nobody_leaves_a_desk_to_one_without_a_way_back() -> None:
    assert not may_remove(A.member, [A, B], has_escrow=False)
    assert may_remove(A.member, [A, B], has_escrow=True)
    assert may_remove(A.member, [A, C], has_escrow=False)
    assert not may_remove(C.member, [A, C], has_escrow=False)
    assert may_remove(C.member, [A, B, C], has_escrow=False)
    assert not may_remove(C.member, [C], has_escrow=True)
