"""Pure decisions about alerts: no ORM, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DRAFT, WAITING, RELEASED, DISCARDED = "draft", "waiting", "released", "discarded"

# state → states that a person may move it to
TRANSITIONS: dict[str, frozenset[str]] = {
    DRAFT: frozenset({WAITING, RELEASED, DISCARDED}),
    # A change takes it back to the draft: what the second person reads is what goes out.
    WAITING: frozenset({DRAFT, RELEASED, DISCARDED}),
    RELEASED: frozenset(),
    DISCARDED: frozenset(),
}

# What a subscription's least_severity is compared with.
SEVERITY_RANKS = {"Extreme": 3, "Severe": 2, "Moderate": 1, "Minor": 0, "Unknown": 0}
ACTUAL, IMMEDIATE = "Actual", "Immediate"

# How a chain can end, as the first message's `outcome`; the last one is what time does by itself.
OUTCOMES = ("over", "found_safe", "found", "solved", "mistake", "expired")
EXPIRED = "expired"
# Those that a person may give.
GIVEN_OUTCOMES = OUTCOMES[:-1]

# Nobody answered within it: then one person may release, and says why.
ALONE_AFTER = timedelta(minutes=1)
# An alert is for now; what is to be known for longer is no alert. A draft that waited keeps some use, too.
LONGEST = timedelta(days=30)
SHORTEST = timedelta(minutes=5)
# Beyond it a person is asked twice; Kosovo has 10,900 km².
ASK_TWICE_KM2 = 100_000.0

# Places of one contact. With more, a list of subscriptions would be a way to count on somebody's behalf.
MOST_PLACES = 10
LEAST_RADIUS, MOST_RADIUS = 100, 100_000
# Of an area that a resident draws.
MOST_CORNERS = 60
UNCONFIRMED_FOR = timedelta(days=7)

# Priorities in the outbox, of messaging.rules.LEVELS_OF_MANY: behind replies, before bulk. What follows an alert goes
# first, so that a cancel does not wait behind what it cancels.
FOLLOW_UP, URGENT, ORDINARY = 4, 5, 7

# Below this many an officer is told “fewer than 5”: an area around one house must not tell who lives there.
FEWEST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours: minutes after midnight in the site's time; equal ends mean that there are none."""

    begins: int
    ends: int


NEVER_QUIET = Quiet(0, 0)


def may_move(from_state: str, to_state: str) -> bool:
    """Tell whether the table allows the move."""
    return to_state in TRANSITIONS.get(from_state, frozenset())


def rank_of(severity: str) -> int:
    """Give the rank of a severity: 0 to 3, 3 is the worst."""
    return SEVERITY_RANKS.get(severity, 0)


def needs_second(urgency: str, severity: str) -> bool:
    """Tell whether two people release it: immediate and severe or worse."""
    return urgency == IMMEDIATE and rank_of(severity) >= SEVERITY_RANKS["Severe"]


def is_urgent(status: str, urgency: str, severity: str) -> bool:
    """Tell whether it breaks quiet hours, caps and spending; a test never does."""
    return status == ACTUAL and needs_second(urgency, severity)


def may_release_alone(*, asked_at: datetime | None, now: datetime, is_single: bool = False, status: str = "") -> bool:
    """Tell whether one person may release what takes two: a second one was asked, and nobody answered in time.

    is_single is for the one person of a unit that the oversight body has set so. Where life depends on it they need
    not ask anybody; an exercise or a test waits as everybody's does.
    """
    if is_single and status == ACTUAL:
        return True
    return asked_at is not None and now - asked_at >= ALONE_AFTER


def is_due_to_end(expires_at: datetime, ended_at: datetime | None, now: datetime) -> bool:
    """Tell whether time has ended a chain."""
    return ended_at is None and expires_at <= now


def is_fit_expiry(expires_at: datetime, now: datetime) -> bool:
    """Tell whether an alert may run until then."""
    return now + SHORTEST <= expires_at <= now + LONGEST


def wants(*, kinds: Iterable[str], least_severity: int, kind: str, severity: str) -> bool:
    """Tell whether somebody who named these kinds (none: all) and this severity wants to hear of it."""
    named = list(kinds)
    return (not named or kind in named) and rank_of(severity) >= least_severity


def quiet_of_site(hours: str) -> Quiet:
    """Read the site's quiet hours, such as 21:00-08:00; empty are none."""
    start, dash, end = hours.partition("-")
    if not dash:
        return NEVER_QUIET
    begins, ends = time.fromisoformat(start), time.fromisoformat(end)
    return Quiet(begins.hour * 60 + begins.minute, ends.hour * 60 + ends.minute)


def may_speak_at(quiet: Quiet, now: datetime, zone: ZoneInfo) -> datetime:
    """Give the first moment from now on that lies in no quiet hours.

    They are hours of the wall clock: in a night in which clocks change they last an hour less or more. Where the
    clock jumps over their end, they end with the jump; where it is set back behind it, they begin once more.
    """
    local = now.astimezone(zone)
    if not _is_within(quiet, local):
        return now
    day = local.date()
    if quiet.begins > quiet.ends and _minute(local) >= quiet.begins:
        day += timedelta(days=1)
    end = datetime.combine(day, time(quiet.ends // 60, quiet.ends % 60), tzinfo=zone)
    next_minute = now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    moment = max(min(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC)), next_minute)
    # The clocks of a zone change by an hour or two at most, so that it is found after as many minutes.
    while _is_within(quiet, moment.astimezone(zone)):
        moment += timedelta(minutes=1)
    return moment


def days_bounds(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Give the first moments of the day that holds a moment, in a zone, and of the next: the cap counts between."""
    day = now.astimezone(zone).date()
    begins = datetime.combine(day, time(), tzinfo=zone)
    ends = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return begins.astimezone(now.tzinfo), ends.astimezone(now.tzinfo)


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _is_within(quiet: Quiet, local: datetime) -> bool:
    minute = _minute(local)
    if quiet.begins <= quiet.ends:
        return quiet.begins <= minute < quiet.ends
    return minute >= quiet.begins or minute < quiet.ends
