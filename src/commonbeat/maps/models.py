"""What each publication counts as, and the published buckets: the only thing that public maps may read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

# Periods are the number of their first day, counted from 1970-01-01.
# MakeUp.topic_id of what was put together over topics.
ALL_TOPICS = 0


class Counted(models.Model):
    """What a publication counts as now; one row each, so that counting twice is impossible."""

    RETENTION: ClassVar = "as long as the publication is public; in a drawn period as long as its buckets"

    # No foreign key: maps do not know reports.
    publication_id = models.BigIntegerField(primary_key=True)
    topic_id = models.BigIntegerField()
    category = models.CharField(max_length=40)
    # H3 cell of the public place, or rules.NO_PLACE.
    cell = models.BigIntegerField()
    period = models.IntegerField()
    # Published singly, so that it is told as it comes; else only as part of a bucket, once the period is drawn.
    is_single = models.BooleanField()
    # Who sent it: a keyed hash of the contact that is another in each topic and period, so that nobody can be followed
    # (rules.source_in); null for a report without a contact. Never public, nor is any list of them.
    source = models.BigIntegerField(null=True)
    # Told only among others now, though anybody could read it singly before: no cover for the others.
    was_single = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["topic_id", "period"], name="counted_undrawn", condition=Q(is_single=False)),
            models.Index(fields=["source"], name="counted_source", condition=Q(is_single=True, source__isnull=False)),
        ]


class LeftBehind(models.Model):
    """What a publication counts as in drawn buckets of a topic that it has left; it never counts there again."""

    RETENTION: ClassVar = "as long as the drawn buckets"

    publication_id = models.BigIntegerField()
    topic_id = models.BigIntegerField()
    category = models.CharField(max_length=40)
    cell = models.BigIntegerField()
    period = models.IntegerField()
    source = models.BigIntegerField(null=True)
    was_single = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["publication_id", "topic_id"], name="left_behind_once")
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
    # k: the most that was promised to anything that counts in it; it is only ever raised.
    fewest = models.PositiveIntegerField(default=3)
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
    # H3 cell at any resolution up to the topic's public one, or rules.NO_PLACE.
    cell = models.BigIntegerField()
    period = models.IntegerField()
    # Drawn after the period's end from at least k senders; else the sum of what is published singly.
    is_drawn = models.BooleanField()
    n = models.IntegerField()
    # How many contacts these reports came from; each report without a contact counts as one more. Never public.
    senders = models.IntegerField(default=0)
    # What is told of it: where reports are public singly, as many as reports unless there are enough of both.
    sources = models.IntegerField()

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
    sources = models.IntegerField()


class MakeUp(models.Model):
    """How the counted reports of a topic and month came: by which channel, in which language, when. Drawn once."""

    RETENTION: ClassVar = "kept while the site exists; it holds no person's data"

    # ALL_TOPICS: what was too few in single topics.
    topic_id = models.BigIntegerField()
    # The number of its first day.
    month = models.IntegerField()
    # The first day on which it may be drawn.
    draw_on = models.DateField()
    drawn_at = models.DateTimeField(null=True)
    # k, by which it was drawn.
    fewest = models.PositiveIntegerField(default=3)
    # Kind → value → number of reports, of at least k senders each. Pages tell shares of a year, never these numbers.
    shares = models.JSONField(default=dict)
    # Of a topic: kind → how many went to ALL_TOPICS. Of ALL_TOPICS: what is too few even there, until a later month
    # has taken it over. Never public.
    withheld = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["topic_id", "month"], name="one_make_up")]
        indexes: ClassVar = [models.Index(fields=["draw_on"], name="make_up_due", condition=Q(drawn_at__isnull=True))]


class Revision(models.Model):
    """One row: how often the buckets have changed, and since which number changes are at hand."""

    RETENTION: ClassVar = "one row, kept"

    number = models.BigIntegerField(default=0)
    # Whoever stands before this number reads every bucket again.
    floor = models.BigIntegerField(default=0)


class Rated(models.Model):
    """How a publication rates its place now; one row each, so that summing twice is impossible."""

    RETENTION: ClassVar = "as long as the publication is public; once drawn as long as its sums, without its ratings"

    publication_id = models.BigIntegerField(primary_key=True)
    topic_id = models.BigIntegerField()
    # H3 cell of a place with a score: the public place, or coarser.
    cell = models.BigIntegerField()
    # The day on which it became public, by its number.
    day = models.IntegerField()
    # Short name of a rating → 0 to 3; emptied when drawn.
    ratings = models.JSONField(default=dict)
    # Who sent it, another name in each place; null without a contact, and when drawn.
    source = models.BigIntegerField(null=True)
    # k: the most that was promised to it.
    fewest = models.PositiveIntegerField(default=3)
    # Its ratings are public singly; else they are told only in sums over several senders.
    is_single = models.BooleanField()
    is_drawn = models.BooleanField(default=False)
    # It becomes public then, and is in no sum before.
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["topic_id", "cell"], name="rated_undrawn", condition=Q(is_drawn=False, is_single=False)
            ),
            models.Index(fields=["due_at"], name="rated_due", condition=Q(due_at__isnull=False)),
        ]


class RatingSum(models.Model):
    """Published sums of one rating in one place. They are disjoint: every public score is computed from them alone."""

    RETENTION: ClassVar = "kept while what it sums up is published; it holds no person's data"

    topic_id = models.BigIntegerField()
    cell = models.BigIntegerField()
    # The day of its ratings where each is public, else the day on which it was drawn.
    period = models.IntegerField()
    # Short name of the rating; "*" for the audits as a whole, from which only the spread of a whole town is computed.
    parameter = models.CharField(max_length=40)
    # Drawn once from at least k senders, and never changed; else the sum of what is published singly.
    is_drawn = models.BooleanField()
    n = models.IntegerField()
    # In points of 0 to 100 for "*", else in ratings of 0 to 3.
    total = models.FloatField()
    squares = models.FloatField()
    # Days of the oldest and the newest audit in it.
    oldest = models.IntegerField()
    newest = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["topic_id", "cell", "period", "parameter", "is_drawn"], name="one_rating_sum"
            )
        ]
