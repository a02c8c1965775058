"""What happened: the list, one report, and the pictures that were made public."""

from __future__ import annotations

import time
from datetime import date, tzinfo
from functools import cache, lru_cache
from typing import Any, NamedTuple

from babel.dates import format_date
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from markupsafe import Markup

from commonbeat.foundation import clock
from commonbeat.media import store
from commonbeat.media.actions import picture_key
from commonbeat.places.models import Beat
from commonbeat.reports.queries import public
from commonbeat.reports.queries.filters import FilterError, address_part, read_filters
from commonbeat.reports.queries.prepared import Prepared
from commonbeat.topics.answers import describe_categories
from commonbeat.topics.definition import Publishes, text_in
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import public_topics
from commonbeat.web.errors import error_page
from commonbeat.web.jinja import macro
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.tip_link import takes_tips_anywhere

COUNT_SECONDS = 5.0
# A new beat is offered after so long at most.
BEATS_SECONDS = 5.0

_beats: tuple[float, tuple[tuple[str, str], ...]] | None = None
_counted: dict[public.Filters, tuple[float, int]] = {}


def report_list(request: HttpRequest) -> HttpResponse:
    """Show the public reports, newest first, narrowed by topic, kind, beat and days."""
    params = request.GET.dict()
    topics = public_topics()
    try:
        filters = read_filters(params, topics)
    except FilterError as error:
        return filter_refused(request, error)
    now = clock.now()
    page = public.list_page(filters, now=now, before=params.get("before", "")[:20], after=params.get("after", "")[:20])
    whole = not (page.newer or page.older)
    count = len(page.rows) if whole else _count(filters)
    here = _address_of_list()
    topic = next((each for each in topics if each.pk == filters.topic_id), None)
    return render(
        request,
        "public/reports/list.html",
        {
            **written_rows(page),
            "count": min(count, public.COUNT_CAP),
            "is_more": count > public.COUNT_CAP,
            "newer": here + address_part(params, after=page.newer) if page.newer else "",
            "older": here + address_part(params, before=page.older) if page.older else "",
            "query": address_part(params),
            **filter_context(params, topic),
        },
    )


def report_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show one public copy."""
    publication = public.publication_by_code(code, now=clock.now())
    if publication is None:
        raise Http404
    definition = publication.topic.definition
    language = translation.get_language() or settings.LANGUAGE_CODE
    return render(
        request,
        "public/reports/report.html",
        {
            "publication": publication,
            "definition": definition,
            "town_pmtiles": town_pmtiles(),
            "categories": describe_categories(definition, publication.categories, language),
            "photos": [photo for photo in publication.photos.all() if photo.is_public],
            "day": day_text(publication.occurred_on, language),
            "takes_tips": takes_tips_anywhere(),
        },
    )


def photo(request: HttpRequest, token: str, variant: str) -> HttpResponse:
    """Give a picture of a public report; anything else is not found, whoever asks."""
    if not public.is_public_photo(token, now=clock.now()):
        raise Http404
    try:
        data = store.read_public(token, variant=variant, data_dir=settings.COMMONBEAT.data_dir, key=picture_key())
    except (store.NoSuchPicture, ValueError):
        raise Http404 from None
    response = HttpResponse(data, content_type="image/jpeg")
    # A withdrawn picture must be gone soon; an hour of cache spares most slow lines.
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


class Face(NamedTuple):
    """What a row shows of its topic."""

    name: str
    icon: str
    colour: str


def written_rows(page: public.Page) -> dict[str, object]:
    """Write the rows of a page, for public/line.html."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    definitions = public.definitions_of(raw[2] for raw in page.raw)
    faces = {pk: Face(text_in(one.name, language), one.icon, one.colour) for pk, one in definitions.items()}
    rows = [_written(raw, page.query, faces[raw[2]], language) for raw in page.raw]
    icons = tuple(sorted({"pin", "clock", *(faces[raw[2]].icon for raw in page.raw)}))
    return {"rows": Markup("".join(rows)), "row_icons": icons}  # noqa: S704  # each was written by a macro that escapes


# Everybody reads the newest reports, and writing fifty rows was a third of the page. A row is kept under all that the
# database says of it, so a changed one is written anew; 2,000 of them take 2 MB.
@lru_cache(maxsize=2000)
def _written(raw: tuple[Any, ...], query: Prepared, face: Face, language: str) -> Markup:
    row = public.Row(*query.read(raw))
    return macro("components/line.html", "report_line")(
        f"{_address_of_list()}{row.code}/",
        row.title,
        row.text if row.text != row.title else "",
        face.name,
        _disc(face.icon, face.colour),
        row.place_name,
        days_text(row.public_at.astimezone(_zone()).date(), row.occurred_on, language),
        _badge("resolved" if row.is_resolved else "verified", language) if row.is_resolved or row.is_verified else "",
    )


@lru_cache(maxsize=200)
def _disc(icon: str, colour: str) -> Markup:
    return macro("components/line.html", "line_disc")(icon, colour)


@lru_cache(maxsize=50)
def _badge(state: str, _language: str) -> Markup:
    # In the language of the page, which is this one.
    return macro("components/page.html", "badge")(state)


@cache
def _zone() -> tzinfo:
    return timezone.get_default_timezone()


@cache
def _address_of_list() -> str:
    """Give the address of the list, under which that of each report lies."""
    return reverse("public:reports")


def _count(filters: public.Filters) -> int:
    """Count, or give what was counted a few seconds ago: beyond a page, nobody counts the rows."""
    if connection.in_atomic_block:
        return public.capped_count(filters, now=clock.now())
    moment = time.monotonic()
    known = _counted.get(filters)
    if known is None or moment - known[0] > COUNT_SECONDS:
        if len(_counted) >= 500:
            _counted.clear()
        known = _counted[filters] = (moment, public.capped_count(filters, now=clock.now()))
    return known[1]


def filter_context(params: dict[str, str], topic: Topic | None) -> dict[str, object]:
    """Give what the filter form of a list or map needs."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    # Also what is no longer, or not yet, offered: its reports are still shown.
    topics = public_topics()
    listed = [each for each in topics if each.definition.publishes is Publishes.EACH]
    return {
        "params": params,
        "topic_options": tuple((each.code, each.name_in(language)) for each in listed),
        "category_options": tuple(
            (option.code, text_in(option.label, language)) for option in (topic.definition.categories if topic else ())
        ),
        "beat_options": _beat_options(),
        "counted_topics": [each.name_in(language) for each in topics if each.definition.publishes is Publishes.COUNTS],
        "chosen_topic": topic,
    }


def _beat_options() -> tuple[tuple[str, str], ...]:
    """Read the beats by name; kept for some seconds, as topics are."""
    global _beats
    moment = time.monotonic()
    if _beats is None or connection.in_atomic_block or moment - _beats[0] > BEATS_SECONDS:
        _beats = (
            moment,
            tuple((str(pk), name) for pk, name in Beat.objects.order_by("name").values_list("pk", "name")),
        )
    return _beats[1]


def filter_refused(request: HttpRequest, error: FilterError) -> HttpResponse:
    """Say which filter cannot be used."""
    return error_page(request, status=400, title=_("This filter cannot be used"), sentence=str(error))


@lru_cache(maxsize=4096)
def days_text(published: date, happened: date | None, language: str) -> str:
    """Say when a report became public, by which lists are sorted, and when it happened; kept as `day_text` is."""
    on = {"published": format_date(published, "medium", locale=language)}
    if happened is None:
        return _("Published %(published)s") % on
    on["happened"] = format_date(happened, "medium", locale=language)
    return _("Published %(published)s · happened %(happened)s") % on


@lru_cache(maxsize=4096)
def day_text(day: date | None, language: str) -> str:
    """Write a day; kept, for formatting one costs as much as reading a row."""
    return format_date(day, "long", locale=language) if day else ""
