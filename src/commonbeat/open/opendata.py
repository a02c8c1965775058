"""The open data, described for programs: a Data Package, as datapackage.org defines it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.maps.extents import Extent, extents
from commonbeat.maps.open_data import COLUMNS, FORMATS, kinds_of, last_day
from commonbeat.maps.rules import day_of, fewest_of, period_kind
from commonbeat.topics.definition import Publishes, text_in
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import public_topics

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
CACHE = "public, max-age=300"


@require_safe
def datapackage(request: HttpRequest) -> HttpResponse:
    """Describe every file: address, columns, licence, and how much there is."""
    site = settings.COMMONBEAT
    address = site.site_url.rstrip("/")
    licence = {"name": site.licence.name, "title": site.licence.title, "path": site.licence.url}
    # Babel does not look into f-strings before Python 3.12.
    name = _("Open data")
    found = extents()
    resources = [
        resource
        for topic in public_topics()
        if topic.enabled or topic.pk in found
        for resource in _resources(topic, found.get(topic.pk, Extent()), address)
    ]
    body = {
        "$schema": PROFILE,
        "name": "public-counts",
        "title": f"{site.site_name}: {name}",
        "description": _(
            "A row is a number: so many reports on one topic, in one category, in one area, in one period. It is what"
            " the map is drawn from. No row says who reported, what they wrote, or the exact place."
        ),
        "homepage": f"{address}/data/",
        "licenses": [licence],
        "contributors": [{"title": site.site_name, "path": address, "roles": ["publisher"]}],
        "resources": resources,
    }
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False})
    response.headers["Cache-Control"] = CACHE
    response.headers["Vary"] = "Accept-Language, Cookie"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _resources(topic: Topic, extent: Extent, address: str) -> list[dict[str, Any]]:
    definition = topic.definition
    is_single = definition.publishes is Publishes.EACH
    about: dict[str, Any] = {
        "topic": topic.code,
        "rows": extent.rows,
        "reports": extent.reports,
        "period": period_kind(definition, is_single=is_single),
        "smallestCount": 1 if is_single else fewest_of(definition),
    }
    if extent.first is not None and extent.newest is not None:
        about["firstDay"] = day_of(extent.first).isoformat()
        about["lastDay"] = day_of(last_day(extent.newest, kinds_of([definition]))).isoformat()
    return [
        {
            "name": f"{topic.code}-{kind}",
            "path": f"{address}/data/{topic.code}.{kind}",
            "title": text_in(definition.name, translation.get_language()),
            "format": kind,
            "mediatype": FORMATS[kind].partition(";")[0],
            **({"type": "table", "encoding": "utf-8", "schema": _schema(topic)} if kind == "csv" else {}),
            **about,
        }
        for kind in FORMATS
    ]


def _schema(topic: Topic) -> dict[str, Any]:
    language = translation.get_language()
    fields: list[dict[str, Any]] = [
        {"name": column.name, "type": column.kind, "description": str(column.meaning)} for column in COLUMNS
    ]
    by_name = {each["name"]: each for each in fields}
    by_name["reports"]["constraints"] = {"required": True, "minimum": 1}
    # Not the specification's "categories", which forbids all other values: rows of former times may have others.
    by_name["category"]["labels"] = {
        option.code: text_in(option.label, language) for option in topic.definition.categories
    }
    return {"fields": fields, "uniqueKeys": [["category", "cell", "period_start"]], "missingValues": [""]}
