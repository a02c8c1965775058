"""Number dialogues, so that the numbers of tips, which police see, do not tell how many complaints came between."""

from __future__ import annotations

from django.db.models import Max

from commonbeat.tips.models import DeskKind, Tip, TipDesk, Trace

# Tips are numbered below, complaints from here on.
COMPLAINTS_FROM = 1 << 40


def locked_desk(desk_id: int) -> TipDesk | None:
    """Read a desk and lock it with all others of its kind, in one order; None where there is no such desk."""
    kinds = TipDesk.objects.filter(pk=desk_id).values("kind")
    desks = TipDesk.objects.select_for_update().filter(kind__in=kinds).order_by("pk")
    return next((desk for desk in desks if desk.pk == desk_id), None)


def next_number(kind: str) -> int:
    """Give the number of a new dialogue, never one of a deleted one; the caller holds the lock."""
    least, end = (COMPLAINTS_FROM, 1 << 62) if kind == DeskKind.COMPLAINTS else (1, COMPLAINTS_FROM)
    kept = Tip.objects.filter(pk__gte=least, pk__lt=end).aggregate(last=Max("pk"))["last"]
    # Traces outlive the dialogues.
    traced = Trace.objects.filter(tip_number__gte=least, tip_number__lt=end).aggregate(last=Max("tip_number"))["last"]
    return max(kept or 0, traced or 0, least - 1) + 1
