"""Draw the buckets of a period that is over: once, and never again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from commonbeat.maps import rules
from commonbeat.maps.actions.buckets import CHANGES_KEPT, Amount, Key, add_to_buckets, lock_revision
from commonbeat.maps.actions.zone import site_zone
from commonbeat.maps.models import Change, Counted, Revision, Term
from commonbeat.topics.definition import Definition
from commonbeat.topics.queries import all_topics


def draw_due(*, now: datetime, limit: int = 20) -> int:
    """Draw the periods that have ended; returns how many were drawn."""
    today = timezone.localtime(now, site_zone()).date()
    due = list(Term.objects.filter(drawn_at__isnull=True, draw_on__lte=today).order_by("draw_on", "id")[:limit])
    if due:
        definitions = {topic.pk: topic.definition for topic in all_topics()}
        for term in due:
            draw_term(term, definitions.get(term.topic_id) or Definition(name={}), now=now)
    return len(due)


def draw_term(term: Term, definition: Definition, *, now: datetime) -> None:
    """Part what was published in a period into buckets of at least k senders; they stay as they are from then on."""
    with transaction.atomic():
        revision = lock_revision()
        if not Term.objects.select_for_update().filter(pk=term.pk, drawn_at__isnull=True).exists():
            return
        deltas, untold = _drawn(term, max(term.fewest, rules.fewest_of(definition)))
        add_to_buckets(deltas, is_drawn=True, revision=revision)
        term.drawn_at, term.untold = now, untold
        term.save(update_fields=["drawn_at", "untold"])


def _drawn(term: Term, fewest: int) -> tuple[dict[Key, Amount], int]:
    deltas: dict[Key, Amount] = {}
    untold = 0
    # What anybody could read before the topic turned to counts is known one by one: subtracted from a bucket, it must
    # leave k of the others.
    for was_single in (False, True):
        found = Counted.objects.filter(
            topic_id=term.topic_id, period=term.period, is_single=False, was_single=was_single
        ).order_by()
        counts = found.values_list("category", "cell", "source").annotate(number=Count("publication_id"))
        drawn, left = rules.draw(counts, fewest)
        untold += left
        for bucket in drawn:
            key = (term.topic_id, bucket.category, bucket.cell, term.period)
            n, sources = deltas.get(key, Amount())
            deltas[key] = Amount(n + bucket.n, sources + bucket.sources)
    return deltas, untold


def forget_old_changes() -> None:
    """Keep the newest changes; who has not followed so long reads every bucket again."""
    newest = Change.objects.aggregate(newest=Max("id"))["newest"] or 0
    if newest <= 2 * CHANGES_KEPT:
        return
    with transaction.atomic():
        revision: Revision = lock_revision()
        old = Change.objects.filter(id__lte=newest - CHANGES_KEPT)
        floor = old.aggregate(floor=Max("number"))["floor"]
        if floor is None:
            return
        # A number is forgotten whole.
        Change.objects.filter(number__lte=floor).delete()
        revision.floor = max(revision.floor, floor)
        revision.save()
