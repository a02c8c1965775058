"""What each publication counts as, and the published buckets: the only thing that public maps may read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

# Periods are the number of their first day, counted from 1970-01-01.
# Bucket.cell of what has no place; real cells are far larger.
NO_PLACE = 0


class Counted(models.Model):
    """What a publication counts as now; one row each, so that counting twice is impossible."""

    RETENTION: ClassVar = "as long as the publication is public; in a drawn period as long as its buckets"

    # No foreign key: maps do not know reports.
    publication_id = models.BigIntegerField(primary_key=True)
    topic_id = models.BigIntegerField()
    category = models.CharField(max_length=40)
    # H3 cell of the public place, or NO_PLACE.
    cell = models.BigIntegerField()
    period = models.IntegerField()
    # Published singly, so that it is told as it comes; else only as part of a bucket, once the period is drawn.
    is_single = models.BooleanField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["topic_id", "period"], name="counted_undrawn", condition=Q(is_single=False))
        ]


class Waiting(models.Model):
    """A publication that becomes public later."""

    RETENTION: ClassVar = "until it is public or withdrawn"

    publication_id = models.BigIntegerField(primary_key=True)
    due_at = models.DateTimeField(db_index=True)


class Term(models.Model):
    """A period of a topic that publishes only counts: its buckets are drawn once, after its end."""

    RETENTION: ClassVar = "kept while the site exists"

    topic_id = models.BigIntegerField()
    period = models.IntegerField()
    # The first day on which its buckets may be drawn.
    draw_on = models.DateField()
    drawn_at = models.DateTimeField(null=True)
    # What was in no bucket, for there were too few: never public.
    untold = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["topic_id", "period"], name="one_term")]
        indexes: ClassVar = [models.Index(fields=["draw_on"], name="term_due", condition=Q(drawn_at__isnull=True))]


class Bucket(models.Model):
    """A published count. Buckets are disjoint: every public figure is a sum of them."""

    RETENTION: ClassVar = "kept while what it counts is published; it holds no person's data"

    topic_id = models.BigIntegerField()
    # The code; "" without one; "*" for what was merged over several.
    category = models.CharField(max_length=40)
    # H3 cell at any resolution up to the topic's public one, or NO_PLACE.
    cell = models.BigIntegerField()
    period = models.IntegerField()
    # Drawn after the period's end from at least k reports; else the sum of what is published singly.
    is_drawn = models.BooleanField()
    n = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            # In this order a topic is read sorted by place.
            models.UniqueConstraint(fields=["topic_id", "cell", "period", "category", "is_drawn"], name="one_bucket")
        ]


class Change(models.Model):
    """What was added to a bucket lately, so that a process that holds the buckets need not read them all again."""

    RETENTION: ClassVar = "the newest hundred thousand"

    number = models.BigIntegerField(db_index=True)
    topic_id = models.BigIntegerField()
    category = models.CharField(max_length=40)
    cell = models.BigIntegerField()
    period = models.IntegerField()
    n = models.IntegerField()


class Revision(models.Model):
    """One row: how often the buckets have changed, and since which number changes are at hand."""

    RETENTION: ClassVar = "one row, kept"

    number = models.BigIntegerField(default=0)
    # Whoever stands before this number reads every bucket again.
    floor = models.BigIntegerField(default=0)
