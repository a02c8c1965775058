"""Let what is public already follow a topic that turned stricter."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from commonbeat.foundation import cells
from commonbeat.journal.actions import append
from commonbeat.media.models import Photo
from commonbeat.places.beats import beats_held
from commonbeat.reports import events
from commonbeat.reports.actions.publish import locked_topic, public_beat
from commonbeat.reports.models import Publication
from commonbeat.topics.definition import Publishes

BATCH = 500
# An H3 cell carries its resolution in these four bits.
_RESOLUTION_SHIFT, _RESOLUTION_BITS = 52, 15


def tighten_publications(*, topic_id: int, now: datetime) -> int:
    """Hide single copies of a topic that only counts, coarsen finer public places; give the number of changes.

    Only ever stricter: what a topic allows again stays hidden, and as coarse as it was. Repeating it changes nothing.
    """
    with transaction.atomic():
        topic = locked_topic(topic_id)
        hidden = _hide(topic_id) if topic.definition.publishes == Publishes.COUNTS else 0
        coarsened = _coarsen(topic_id, topic.definition.public_resolution)
        if hidden or coarsened:
            append(kind=events.TIGHTENED, subject_id=topic_id, now=now, data={"hidden": hidden, "coarsened": coarsened})
    return hidden + coarsened


def _hide(topic_id: int) -> int:
    of_topic = Publication.objects.filter(topic_id=topic_id)
    # As Publication.settle_photos does for one.
    Photo.objects.filter(is_public=True, pk__in=of_topic.filter(photos__isnull=False).values("photos")).update(
        is_public=False
    )
    return of_topic.filter(lists_each=True).update(lists_each=False)


def _coarsen(topic_id: int, resolution: int) -> int:
    count, last = 0, 0
    with beats_held():
        while batch := list(_finer(topic_id, resolution).filter(pk__gt=last).order_by("pk")[:BATCH]):
            for publication in batch:
                report = publication.report
                # From the exact place, as at the first time: a cell's parent need not contain the point.
                was_at, was_on = publication.latitude, publication.longitude
                publication.latitude = publication.longitude = publication.cell = None
                if report.emptied_at is not None and was_at is not None and was_on is not None:
                    # The exact place is gone, and the public one is all that is known.
                    publication.latitude, publication.longitude, publication.cell = cells.fuzz(
                        was_at, was_on, resolution
                    )
                elif report.latitude is not None and report.longitude is not None:
                    place = cells.fuzz(report.latitude, report.longitude, resolution)
                    publication.latitude, publication.longitude, publication.cell = place
                publication.beat = public_beat(publication.latitude, publication.longitude)
            Publication.objects.bulk_update(batch, ["latitude", "longitude", "cell", "beat"])
            count, last = count + len(batch), batch[-1].pk
    return count


def _finer(topic_id: int, resolution: int) -> QuerySet[Publication]:
    own = F("cell").bitrightshift(_RESOLUTION_SHIFT).bitand(_RESOLUTION_BITS)
    return (
        Publication.objects.filter(topic_id=topic_id, cell__isnull=False)
        .annotate(resolution=own)
        .filter(resolution__gt=resolution)
        .select_related("report")
    )
