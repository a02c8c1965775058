"""The map of what happened: numbers and words from published buckets; the tiles are asked for by the page itself."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from commonbeat.foundation import clock
from commonbeat.maps.measures import MEASURES, REPORTS, Measure
from commonbeat.maps.rules import SEVERAL
from commonbeat.maps.tally import Tally, tally
from commonbeat.reports.queries import public
from commonbeat.reports.queries.filters import FilterError, address_part, days_of, read_filters
from commonbeat.topics.definition import Publishes, text_in
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import public_topics
from commonbeat.web.public import map_words as words
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.map_figures import Choice, Figures, figures
from commonbeat.web.public.map_view import HEIGHT, WIDTH, View, read_view
from commonbeat.web.public.picture import picture_address
from commonbeat.web.public.reports import filter_refused, written_rows
from commonbeat.web.public.steps import SPOT_METRES
from commonbeat.web.public.who import who_is_missing

BESIDE = 6
# Which part of the address says what is shown, and which says where.
FILTERS = ("topic", "category", "since", "until", "measure")
PLACE = ("lat", "lon", "zoom")
AS_PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class BarShown:
    """A bar, ready to be written; its height is of 100."""

    url: str
    since: str
    until: str
    label: str
    number: int
    placed: int
    height: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table."""

    url: str
    label: str
    number: int


def map_page(request: HttpRequest) -> HttpResponse:
    """Show the map, with its numbers, bars, tables and list; all but the map itself without a script."""
    given = request.GET.dict()
    params = {name: given[name] for name in (*FILTERS, *PLACE, "as") if given.get(name)}
    if params.get("measure") == REPORTS.code:
        del params["measure"]
    topics = public_topics()
    try:
        filters = read_filters(params, topics)
        view = read_view(params)
        measure = _measure(params.get("measure", ""))
    except FilterError as error:
        return filter_refused(request, error)
    topic = next((each for each in topics if each.pk == filters.topic_id), None)
    choice = Choice(topic, filters.category, *days_of(filters))
    now = clock.now()
    counts = tally()
    found = figures(counts, topics, choice, today=timezone.localtime(now).date())
    language = translation.get_language() or settings.LANGUAGE_CODE
    lists_each = topic is None or topic.definition.publishes is Publishes.EACH
    page = public.list_page(filters, now=now, size=BESIDE) if lists_each else None
    imported = public.imported_count(filters, now=now)
    context = {
        "params": params,
        "hidden_parts": {name: params[name] for name in (*PLACE, "as") if name in params},
        "has_beat": bool(request.GET.get("beat")),
        "topic_options": _topic_options(topics, language),
        "category_options": _category_options(topic, language),
        "chosen_topic": topic,
        "lists_each": lists_each,
        **(written_rows(page) if page else {}),
        "query": address_part({name: params.get(name, "") for name in FILTERS if name != "measure"}),
        "imported_sentence": words.imported_sentence(imported) if imported else "",
        "picture_name": _picture_name(params),
        "tiles": _tiles(topic, counts, params, measure),
        "measure_options": words.measure_options(),
        "measure_sentence": words.measure_sentence(measure),
        "legend": words.legend(measure),
        "as_picture": params.get("as") == AS_PICTURE,
        "who": who_is_missing(topic, language),
        "town_pmtiles": town_pmtiles(),
        "metres": ",".join(str(SPOT_METRES.get(resolution, 0)) for resolution in range(14)),
        **_picture(params, view, language),
        **_numbers(found, params, choice, topics, language),
    }
    return render(request, "public/map.html", context)


def address(params: dict[str, str], **changes: str) -> str:
    """Give the address of this page with some parts of it changed; an empty change takes one away."""
    parts = {**params, **changes}
    query = urlencode({name: parts[name] for name in (*FILTERS, *PLACE, "as") if parts.get(name)})
    return reverse("public:map") + (f"?{query}" if query else "")


def _numbers(
    found: Figures, params: dict[str, str], choice: Choice, topics: list[Topic], language: str
) -> dict[str, object]:
    most = max((bar.totals.total for bar in found.bars), default=0)
    bars = [
        BarShown(
            url=address(params, since=bar.since.isoformat(), until=bar.until.isoformat()),
            since=bar.since.isoformat(),
            until=bar.until.isoformat(),
            label=words.span_text(bar.since, bar.until, language),
            number=bar.totals.total,
            placed=bar.totals.placed,
            # What is there is seen, however little it is.
            height=max(2, round(100 * bar.totals.total / most)) if bar.totals.total else 0,
            is_chosen=len(found.bars) == 1,
        )
        for bar in found.bars
    ]
    return {
        "totals": found.totals,
        "sum_sentence": words.sum_sentence(found.totals),
        "withheld": _withheld(choice.topic, topics, language),
        "bars": bars,
        "most": most,
        "comparison": words.comparison_sentences(found.comparison, language) if found.comparison else [],
        "kinds": _kinds(found, choice.topic, params, language),
        "by_topic": [
            Line(address(params, topic=each.code, category=""), each.name_in(language), found.by_topic[each.pk])
            for each in topics
            if choice.topic is None and found.by_topic.get(each.pk)
        ],
        "all_url": address({name: params.get(name, "") for name in PLACE}),
        "all_time": address(params, since="", until="") if params.get("since") or params.get("until") else "",
    }


def _withheld(topic: Topic | None, topics: list[Topic], language: str) -> str:
    if topic is not None:
        return words.withheld_sentence(topic.definition) if topic.definition.publishes is Publishes.COUNTS else ""
    counted = [each.name_in(language) for each in topics if each.definition.publishes is Publishes.COUNTS]
    return words.counted_sentence(counted) if counted else ""


def _kinds(found: Figures, topic: Topic | None, params: dict[str, str], language: str) -> list[Line]:
    """List the kinds of a topic, most first; a report counts under the first of its kinds."""
    if topic is None:
        return []
    labels = {option.code: text_in(option.label, language) for option in topic.definition.categories}
    several, none = _("Several kinds, told together"), _("Without a kind")
    rows = sorted(found.by_category.items(), key=lambda row: (-row[1], row[0]))
    return [
        Line(
            address(params, category=code) if code in labels else "",
            labels.get(code) or (several if code == SEVERAL else code or none),
            number,
        )
        for code, number in rows
    ]


def _measure(code: str) -> Measure:
    found = MEASURES.get(code or REPORTS.code)
    if found is None:
        raise FilterError(_("The map cannot count like that. Choose one of the ways that it offers."))
    return found


def _tiles(topic: Topic | None, counts: Tally, params: dict[str, str], measure: Measure) -> dict[str, str]:
    """Give the address of the tiles, and the filter that goes with each."""
    given = {name: params.get(name, "") for name in ("category", "since", "until", "measure")}
    # The number makes the address new when something was counted, whatever the browser has kept.
    query = urlencode({**{name: value for name, value in given.items() if value}, "v": str(counts.number)})
    return {"address": f"/tiles/{topic.code if topic else 'all'}", "query": query, "property": measure.name}


def _picture(params: dict[str, str], view: View, language: str) -> dict[str, object]:
    """Give the address of the map as a picture, and the links by which one moves over it."""
    asked = {**params, **view.params(), "language": language}
    moves = [
        (_("North"), view.moved(0, -0.5)),
        (_("South"), view.moved(0, 0.5)),
        (_("West"), view.moved(-0.5, 0)),
        (_("East"), view.moved(0.5, 0)),
        (_("Closer"), view.zoomed(1)),
        (_("Further away"), view.zoomed(-1)),
    ]
    return {
        "view": view,
        "picture": picture_address(asked),
        # Its legend stands on the page.
        "picture_alone": picture_address(asked, width=str(WIDTH), height=str(HEIGHT), legend="0"),
        "picture_width": WIDTH,
        "picture_height": HEIGHT,
        "picture_page": address(params, **{"as": AS_PICTURE}),
        "map_page": address(params, **{"as": ""}),
        "moves": [(name, address(params, **to.params())) for name, to in moves if to != view],
    }


def _picture_name(params: dict[str, str]) -> str:
    """Name the file under which the picture is kept."""
    parts = (settings.COMMONBEAT.site_name, "map", *(params.get(name, "") for name in ("topic", "since", "until")))
    return "-".join(filter(None, map(slugify, parts))) + ".png"


def _topic_options(topics: list[Topic], language: str) -> list[tuple[str, str]]:
    # Also what is no longer, or not yet, offered: its reports are still shown.
    return [
        (
            each.code,
            each.name_in(language)
            if each.definition.publishes is Publishes.EACH
            else _("%(topic)s (numbers only)") % {"topic": each.name_in(language)},
        )
        for each in topics
    ]


def _category_options(topic: Topic | None, language: str) -> list[tuple[str, str]]:
    return [(option.code, text_in(option.label, language)) for option in (topic.definition.categories if topic else [])]
