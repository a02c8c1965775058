"""What alerts decide without a database: quiet hours above all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.alerts import rules
from commonbeat.alerts.kinds import GAPS, KINDS, filled, gaps_in, kind_of
from commonbeat.alerts.models import Certainty, Severity, Urgency
from commonbeat.alerts.rules import NEVER_QUIET, Quiet, may_speak_at

BELGRADE = ZoneInfo("Europe/Belgrade")
NIGHT = Quiet(21 * 60, 8 * 60)


def at(text: str) -> datetime:
    """Read a moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "expected"),
    [
        # Winter: the site is an hour ahead of UTC.
        (NIGHT, "2026-01-10T12:00", "2026-01-10T12:00"),
        (NIGHT, "2026-01-10T19:59", "2026-01-10T19:59"),
        (NIGHT, "2026-01-10T20:00", "2026-01-11T07:00"),
        (NIGHT, "2026-01-10T23:30", "2026-01-11T07:00"),
        (NIGHT, "2026-01-11T06:59", "2026-01-11T07:00"),
        (NIGHT, "2026-01-11T07:00", "2026-01-11T07:00"),
        (Quiet(13 * 60, 15 * 60), "2026-01-10T12:30", "2026-01-10T14:00"),
        (NEVER_QUIET, "2026-01-10T02:00", "2026-01-10T02:00"),
        # The night in which clocks go from 2 to 3: an hour less to wait.
        (NIGHT, "2026-03-28T21:00", "2026-03-29T06:00"),
        # An end that the clocks jump over: with the jump.
        (Quiet(22 * 60, 150), "2026-03-28T23:00", "2026-03-29T01:00"),
        (Quiet(22 * 60, 150), "2026-03-29T00:45", "2026-03-29T01:00"),
        # The night in which they go from 3 back to 2.
        (NIGHT, "2026-10-24T20:00", "2026-10-25T07:00"),
        (Quiet(22 * 60, 150), "2026-10-24T21:00", "2026-10-25T00:30"),
        (Quiet(22 * 60, 150), "2026-10-25T01:10", "2026-10-25T01:30"),
    ],
)
def test_quiet_hours_end_on_the_wall_clock(quiet: Quiet, now: str, expected: str) -> None:
    assert may_speak_at(quiet, at(now), BELGRADE) == at(expected)


@given(
    begins=st.integers(0, 1439),
    ends=st.integers(0, 1439),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda one: one.replace(tzinfo=UTC)),
)
def test_nobody_is_woken_and_nobody_waits_longer_than_they_said(begins: int, ends: int, now: datetime) -> None:
    found = may_speak_at(Quiet(begins, ends), now, BELGRADE)
    local = found.astimezone(BELGRADE)
    minute = local.hour * 60 + local.minute
    assert not (begins <= minute < ends if begins <= ends else (minute >= begins or minute < ends))
    # A night of 24 hours less a minute, and the hour that comes twice.
    assert now <= found <= now + timedelta(hours=25)
    assert found == now or found.second == found.microsecond == 0


def test_the_sites_quiet_hours_are_read() -> None:
    assert rules.quiet_of_site("21:00-08:00") == NIGHT
    assert rules.quiet_of_site("") == NEVER_QUIET


def test_a_day_is_that_of_the_site() -> None:
    begins, ends = rules.days_bounds(at("2026-03-28T23:30"), BELGRADE)
    assert (begins, ends) == (at("2026-03-28T23:00"), at("2026-03-29T22:00"))


def test_only_what_is_immediate_severe_and_meant_is_urgent() -> None:
    assert rules.is_urgent("Actual", "Immediate", "Extreme")
    assert rules.is_urgent("Actual", "Immediate", "Severe")
    assert not rules.is_urgent("Test", "Immediate", "Extreme")
    assert not rules.is_urgent("Actual", "Expected", "Extreme")
    assert not rules.is_urgent("Actual", "Immediate", "Moderate")


def test_alone_is_for_after_a_minute_without_an_answer() -> None:
    asked = at("2026-01-10T12:00")
    assert not rules.may_release_alone(asked_at=None, now=asked)
    assert not rules.may_release_alone(asked_at=asked, now=asked + timedelta(seconds=59))
    assert rules.may_release_alone(asked_at=asked, now=asked + timedelta(seconds=60))
    # The one person of a unit waits for nobody where it is real.
    assert rules.may_release_alone(asked_at=None, now=asked, is_single=True, status="Actual")
    assert not rules.may_release_alone(asked_at=None, now=asked, is_single=True, status="Exercise")
    assert not rules.may_release_alone(asked_at=None, now=asked, is_single=False, status="Actual")


def test_what_is_out_or_thrown_away_moves_no_more() -> None:
    assert not any(rules.may_move(rules.RELEASED, state) for state in rules.TRANSITIONS)
    assert not any(rules.may_move(rules.DISCARDED, state) for state in rules.TRANSITIONS)
    assert rules.may_move(rules.WAITING, rules.DRAFT)


def test_expiry_is_neither_past_nor_far() -> None:
    now = at("2026-01-10T12:00")
    assert not rules.is_fit_expiry(now, now)
    assert rules.is_fit_expiry(now + timedelta(minutes=5), now)
    assert not rules.is_fit_expiry(now + timedelta(days=31), now)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_each_kind_is_whole_in_every_language(kind) -> None:
    assert kind.urgency in Urgency.values and kind.severity in Severity.values and kind.certainty in Certainty.values
    assert set(kind.names) == {"en", "sq", "ar"}
    gaps = [sorted(set(gaps_in(*kind.template_in(language)))) for language in ("en", "sq", "ar")]
    assert gaps[0] == gaps[1] == gaps[2]
    assert set(gaps[0]) <= set(GAPS)
    for language in ("en", "sq", "ar"):
        texts = kind.template_in(language)
        # CAP profiles want a headline that differs from the description.
        assert texts.headline != texts.description
        assert len(texts.headline) <= 100


def test_an_unknown_kind_is_other() -> None:
    assert kind_of("tsunami").code == "other"


def test_gaps_are_filled_and_the_others_stay() -> None:
    assert filled("{what} at {place}", {"place": "the bridge"}) == "{what} at the bridge"
