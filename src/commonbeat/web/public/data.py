"""The open data: which files there are, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_safe

from commonbeat.maps.extents import Extent, extents
from commonbeat.maps.open_data import COLUMNS, FORMATS, kinds_of, last_day
from commonbeat.maps.rules import day_of, fewest_of, period_kind
from commonbeat.topics.definition import Period, Publishes
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import public_topics

# Bytes on the line, compressed: of a small file, and of each row more; measured with 20 and with 300,000 buckets.
_SIZES = {"csv": (500, 8), "geojson": (800, 13), "parquet": (4_500, 4)}


@dataclass(frozen=True, slots=True)
class File:
    """One file that can be fetched."""

    kind: str
    address: str
    size: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What there is of a topic."""

    topic: Topic
    extent: Extent
    first: date | None
    newest: date | None
    period: Period
    # 0 where each report is published.
    smallest_count: int
    files: list[File]


@require_safe
def data_page(request: HttpRequest) -> HttpResponse:
    """Offer the files, and say what stands in them."""
    found = extents()
    offers = [
        _offer(topic, found.get(topic.pk, Extent())) for topic in public_topics() if topic.enabled or topic.pk in found
    ]
    context = {
        "offers": offers,
        "columns": COLUMNS,
        "licence": settings.COMMONBEAT.licence,
        "example": next((each.topic.code for each in offers), "topic"),
        "address": settings.COMMONBEAT.site_url.rstrip("/"),
    }
    return render(request, "public/data.html", context)


def _offer(topic: Topic, extent: Extent) -> Offer:
    definition = topic.definition
    is_single = definition.publishes is Publishes.EACH
    newest = None if extent.newest is None else day_of(last_day(extent.newest, kinds_of([definition])))
    return Offer(
        topic=topic,
        extent=extent,
        first=None if extent.first is None else day_of(extent.first),
        newest=newest,
        period=period_kind(definition, is_single=is_single),
        smallest_count=0 if is_single else fewest_of(definition),
        files=[
            File(kind, f"/data/{topic.code}.{kind}", filesizeformat(_SIZES[kind][0] + _SIZES[kind][1] * extent.rows))
            for kind in FORMATS
        ],
    )
