"""End dialogues by time, say so beforehand, delete them; each call does a little, and may be repeated."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from commonbeat.journal.actions import append_all
from commonbeat.tips import events, rules, store
from commonbeat.tips.actions.complaint_counts import count_ended, count_withdrawn
from commonbeat.tips.actions.pending import note_of_source
from commonbeat.tips.models import FileState, Tip, TipFile, TipState, Trace
from commonbeat.tips.queries import today

Kinds = list[tuple[str, int, events.Data]]
_UPLOADS_KEPT = timedelta(days=2)
_OPEN = (TipState.OPEN, TipState.ANSWERED)


def expire_tips(*, now: datetime, limit: int = 200) -> int:
    """End dialogues in which nobody has written for the time of their desk; gives how many."""
    day = today(now)
    with transaction.atomic():
        found = Tip.objects.select_for_update(of=("self",)).select_related("desk")
        rows = list(found.filter(state__in=_OPEN, expires_day__lt=day).order_by("pk")[:limit])
        for tip in rows:
            tip.state, tip.deletes_day = TipState.EXPIRED, day + timedelta(days=tip.desk.deletes_after_days)
            tip.news_for_source, tip.is_announced = True, True
        Tip.objects.bulk_update(rows, ["state", "deletes_day", "news_for_source", "is_announced"])
        count_ended(rows, how=rules.COUNTED_EXPIRED, day=day)
        if rows:
            kinds: Kinds = [(events.kind_for(events.EXPIRED, tip.desk.kind), tip.pk, {}) for tip in rows]
            append_all(entries=kinds, now=now)
    return len(rows)


def announce_endings(*, now: datetime, limit: int = 200) -> int:
    """Let both sides see, two weeks before, that a dialogue ends if nobody writes; gives how many."""
    soon = today(now) + timedelta(days=rules.ANNOUNCED_DAYS)
    found = Tip.objects.filter(state__in=_OPEN, is_announced=False, expires_day__lte=soon)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:limit])
    if ids:
        with transaction.atomic():
            Tip.objects.filter(pk__in=ids).update(is_announced=True, news_for_desk=True, news_for_source=True)
    return len(ids)


def delete_tips(*, now: datetime, limit: int = 50) -> int:
    """Delete dialogues whose time after their end is over, with everything that belongs to them; gives how many."""
    ids = list(old_tips(now=now).order_by("pk").values_list("pk", flat=True)[:limit])
    return _delete(ids, now=now)


def delete_tip(*, tip_id: int, now: datetime) -> None:
    """Delete one dialogue at once, because its source, who has the receipt, asks for it."""
    _delete([tip_id], now=now, by_source=True)


def old_tips(*, now: datetime) -> QuerySet[Tip]:
    """Narrow to the dialogues that are past their time; only what was shown to both sides is."""
    return Tip.objects.filter(state__in=(TipState.CLOSED, TipState.EXPIRED), deletes_day__lt=today(now))


def purge_uploads(*, now: datetime, limit: int = 200) -> int:
    """Delete files that were not uploaded whole within two days, and files of which there is no row; gives how many."""
    rows = old_uploads(now=now).order_by("pk")[:limit]
    tokens = dict(rows.values_list("pk", "token"))
    if tokens:
        with transaction.atomic():
            TipFile.objects.filter(pk__in=list(tokens), state=FileState.UPLOADING).delete()
    _remove_files(set(tokens.values()) - _known(tokens.values()))
    return len(tokens) + _sweep(now, limit)


def old_uploads(*, now: datetime) -> QuerySet[TipFile]:
    """Narrow to the files whose upload was begun more than two days ago and never finished."""
    return TipFile.objects.filter(state=FileState.UPLOADING, day__lt=today(now - _UPLOADS_KEPT))


def forget_sameness(*, now: datetime, limit: int = 500) -> int:
    """Empty what was kept of the words of the days before, by which floods are noticed; gives how many."""
    found = Tip.objects.filter(created_day__lt=today(now)).exclude(sameness=b"")
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:limit])
    if ids:
        with transaction.atomic():
            Tip.objects.filter(pk__in=ids).update(sameness=b"")
    return len(ids)


def _delete(ids: Collection[int], *, now: datetime, by_source: bool = False) -> int:
    if not ids:
        return 0
    with transaction.atomic():
        rows = list(Tip.objects.select_for_update(of=("self",)).select_related("desk").filter(pk__in=list(ids)))
        count_withdrawn(rows, day=today(now))
        gone = [tip.pk for tip in rows]
        tokens = list(TipFile.objects.filter(tip__in=gone).values_list("token", flat=True))
        # Without the salts nobody can test what a commitment was about.
        Trace.objects.filter(tip_number__in=gone).update(salt=None)
        Tip.objects.filter(pk__in=gone).delete()
        if by_source:
            for tip in rows:
                note_of_source(events.DELETED, tip_id=tip.pk, now=now, desk_kind=tip.desk.kind)
        elif rows:
            kinds: Kinds = [(events.kind_for(events.DELETED, tip.desk.kind), tip.pk, {}) for tip in rows]
            append_all(entries=kinds, now=now)
    # A crash before this leaves files that no row names, which the sweep removes.
    _remove_files(tokens)
    return len(gone)


def _known(tokens: Collection[str]) -> set[str]:
    return set(TipFile.objects.filter(token__in=list(tokens)).values_list("token", flat=True))


def _remove_files(tokens: Collection[str]) -> None:
    for token in tokens:
        store.delete(token, data_dir=settings.COMMONBEAT.data_dir)


def _sweep(now: datetime, limit: int) -> int:
    """Remove old files without a row: of a form that was broken off, or of a deletion that was."""
    old = dict(store.old_files(data_dir=settings.COMMONBEAT.data_dir, now=now))
    tokens, strays = list(old), []
    for start in range(0, len(tokens), 400):
        part = tokens[start : start + 400]
        known = _known(part)
        strays += [token for token in part if token not in known]
    for token in strays[:limit]:
        old[token].unlink(missing_ok=True)
    return len(strays[:limit])
