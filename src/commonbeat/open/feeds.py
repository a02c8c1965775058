"""The public lists for programs: RSS and GeoJSON, with the same filters and the same gate as the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.http import http_date
from django.utils.translation import gettext as _

from commonbeat.foundation import clock
from commonbeat.reports.queries import public
from commonbeat.reports.queries.filters import NAMES, FilterError, read_filters
from commonbeat.topics.definition import Definition, text_in
from commonbeat.topics.queries import all_topics

GEOJSON_SIZE = 500
# Feed readers come back on their own; a minute spares the database when many come at once.
CACHE = "public, max-age=60"


def reports_rss(request: HttpRequest) -> HttpResponse:
    """Give the newest public reports as RSS 2.0."""
    try:
        filters = read_filters(request.GET.dict(), all_topics())
    except FilterError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    page = public.list_page(filters, now=clock.now())
    topics = public.definitions_of(
        [row.topic_id for row in page.rows] + ([filters.topic_id] if filters.topic_id is not None else [])
    )
    language = _language()
    site = settings.COMMONBEAT.site_url.rstrip("/")
    here = site + reverse("open:reports_rss") + _query(request)
    # Babel does not look into f-strings before Python 3.12, so texts are taken up outside of them.
    what, about = _("What happened"), _("Public reports, checked by the desk before they are published.")
    title = f"{settings.COMMONBEAT.site_name}: {what}"
    if filters.topic_id is not None:
        title = f"{title}: {text_in(topics[filters.topic_id].name, language)}"
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:georss="http://www.georss.org/georss"><channel>',
        f"<title>{escape(title)}</title><link>{escape(site + reverse('public:reports') + _query(request))}</link>",
        f"<description>{escape(about)}</description>",
        f'<language>{language}</language><atom:link rel="self" type="application/rss+xml" href={quoteattr(here)}/>',
    ]
    if page.rows:
        parts.append(f"<lastBuildDate>{http_date(page.rows[0].public_at.timestamp())}</lastBuildDate>")
    for row in page.rows:
        parts.append(_item(row, topics[row.topic_id], site, language))
    parts.append("</channel></rss>\n")
    return _cached(HttpResponse("".join(parts), content_type="application/rss+xml; charset=utf-8"))


def reports_geojson(request: HttpRequest) -> HttpResponse:
    """Give public reports as GeoJSON, 500 a page, newest first; `next` leads on. Points are middles of public cells.

    With ?code= it gives one report.
    """
    now = clock.now()
    params = request.GET.dict()
    try:
        filters = read_filters(params, all_topics())
    except FilterError as error:
        return JsonResponse({"error": str(error)}, status=400)
    language = _language()
    code = params.get("code", "")[:20]
    if code:
        rows = public.rows_by_code(code, now=now)
        older = ""
    else:
        page = public.list_page(filters, now=now, before=params.get("before", "")[:20], size=GEOJSON_SIZE)
        rows, older = page.rows, page.older
    topics = public.definitions_of(row.topic_id for row in rows)
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [_feature(row, topics[row.topic_id], language) for row in rows],
        "note": _("Each mark is the middle of a neighbourhood, never the exact place."),
    }
    if older:
        address = settings.COMMONBEAT.site_url.rstrip("/") + reverse("open:reports_geojson")
        body["next"] = address + _query(request, before=older)
    return _cached(JsonResponse(body, content_type="application/geo+json"))


def _item(row: public.Row, definition: Definition, site: str, language: str) -> str:
    address = escape(f"{site}{_report_base()}{row.code}/")
    place = ""
    if row.latitude is not None and row.longitude is not None:
        place = f"<georss:point>{row.latitude:.5f} {row.longitude:.5f}</georss:point>"
    text = " · ".join(part for part in (row.place_name, row.text) if part)
    return (
        f'<item><title>{escape(row.title)}</title><link>{address}</link><guid isPermaLink="true">{address}</guid>'
        f"<pubDate>{_rfc822(row.public_at)}</pubDate><category>{escape(text_in(definition.name, language))}</category>"
        f"<description>{escape(text)}</description>{place}</item>"
    )


def _feature(row: public.Row, definition: Definition, language: str) -> dict[str, Any]:
    point = None
    if row.latitude is not None and row.longitude is not None:
        point = {"type": "Point", "coordinates": [round(row.longitude, 5), round(row.latitude, 5)]}
    return {
        "type": "Feature",
        "id": row.code,
        "geometry": point,
        "properties": {
            "url": f"{_report_base()}{row.code}/",
            "title": row.title,
            "text": row.text,
            "topic": text_in(definition.name, language),
            "colour": definition.colour,
            "place": row.place_name,
            "day": row.occurred_on.isoformat() if row.occurred_on else None,
            "published": row.public_at.isoformat(),
            "verified": row.is_verified,
            "resolved": row.is_resolved,
            "count": 1,
        },
    }


def _report_base() -> str:
    return reverse("public:report", kwargs={"code": "0"})[:-2]


def _query(request: HttpRequest, **more: str) -> str:
    kept = {name: request.GET.get(name, "") for name in NAMES} | more
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"?{query}" if query else ""


def _rfc822(moment: datetime) -> str:
    return http_date(moment.timestamp())


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


def _cached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = CACHE
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
