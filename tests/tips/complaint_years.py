"""Years of complaints, as they are counted."""

from __future__ import annotations

from commonbeat.tips.models import ComplaintCount


def count(year: int, *, days: int = 20, received: int = 0, **ended: int) -> None:
    """Store the numbers of a year."""
    rows = [("received", 0, received), ("days", days, sum(ended.values()))]
    rows += [(what, 0, number) for what, number in ended.items()]
    ComplaintCount.objects.bulk_create(
        ComplaintCount(year=year, what=what, days=after, number=number) for what, after, number in rows
    )
