"""What became of the drill's messages, per channel, as a table; pure but for one query."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commonbeat.alerts.models import Alert
from commonbeat.messaging.models import Outbound, OutboundState

_TAKEN = (OutboundState.SENT, OutboundState.DELIVERED)
_WAITS = (OutboundState.QUEUED, OutboundState.LEASED)
HEAD = (
    "channel", "matched", "queued", "sent", "delivered", "delayed", "failed", "waiting", "first", "p50", "p95", "last",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One channel: numbers of people, and seconds from the release until a gateway took the message."""

    channel: str
    matched: int
    queued: int
    sent: int
    # None where a channel tells of no deliveries.
    delivered: int | None
    delayed: int
    failed: int
    waiting: int
    times: Sequence[float]

    @property
    def reached(self) -> int:
        """Give how many have it, as far as the channel tells."""
        return self.sent if self.delivered is None else self.delivered


def lines_of(
    alert: Alert, matched: Mapping[str, int], *, released: datetime, seconds: float, tells: Sequence[str]
) -> list[Line]:
    """Count the messages of an alert by channel; `tells` are the channels that tell of deliveries."""
    rows = Outbound.objects.filter(broadcast__key__startswith=f"alert:{alert.pk}:")
    found: dict[str, list[tuple[str, datetime | None]]] = {channel: [] for channel in matched}
    for channel, state, sent_at in rows.values_list("channel", "state", "sent_at"):
        found.setdefault(channel, []).append((state, sent_at))
    return [
        _line(channel, matched.get(channel, 0), held, released, seconds, tells=channel in tells)
        for channel, held in found.items()
    ]


def _line(
    channel: str, matched: int, rows: Sequence[tuple[str, datetime | None]], released: datetime, seconds: float,
    *, tells: bool,
) -> Line:  # fmt: skip
    times = sorted(
        max(0.0, (at - released).total_seconds()) for state, at in rows if at is not None and state in _TAKEN
    )
    return Line(
        channel=channel,
        matched=matched,
        queued=len(rows),
        sent=len(times),
        delivered=sum(state == OutboundState.DELIVERED for state, _ in rows) if tells else None,
        delayed=sum(one > seconds for one in times),
        failed=sum(state in (OutboundState.FAILED, OutboundState.EXPIRED) for state, _ in rows),
        waiting=sum(state in _WAITS for state, _ in rows),
        times=times,
    )


def percentile(times: Sequence[float], share: float) -> float | None:
    """Give the nearest-rank percentile of ascending times; None where there are none."""
    return times[max(0, math.ceil(share * len(times)) - 1)] if times else None


def written(lines: Sequence[Line], *, seconds: float) -> str:
    """Write the table, and one sentence below it."""
    rows = [HEAD, *(_cells(line) for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    text = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    people, reached = sum(line.matched for line in lines), sum(line.reached for line in lines)
    delayed, failed = sum(line.delayed for line in lines), sum(line.failed for line in lines)
    share = 100 * reached / people if people else 0.0
    text.append("")
    text.append(
        f"Reached {reached:,} of {people:,} ({share:.1f} %); over {seconds:g} s: {delayed:,}; failed: {failed:,}."
    )
    return "\n".join(text)


def _cells(line: Line) -> tuple[str, ...]:
    numbers = (line.matched, line.queued, line.sent, line.delivered, line.delayed, line.failed, line.waiting)
    shares = (0.0, 0.5, 0.95, 1.0)
    return (
        line.channel.removeprefix("drill_"),
        *("–" if number is None else f"{number:,}" for number in numbers),
        *(_seconds(percentile(line.times, share)) for share in shares),
    )


def _seconds(moment: float | None) -> str:
    return "–" if moment is None else f"{moment:.1f} s"
