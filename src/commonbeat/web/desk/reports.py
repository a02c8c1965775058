"""The list of reports, and the page of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from commonbeat.foundation import cells, clock
from commonbeat.foundation.text import excerpt
from commonbeat.media import store
from commonbeat.media.actions import picture_key
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.places.gazetteer import find_places, known_names
from commonbeat.reports import rules
from commonbeat.reports.actions.publish import public_place
from commonbeat.reports.actions.work import note_look
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import PlaceSource, Report, State
from commonbeat.reports.queries import desk
from commonbeat.reports.queries.contacts import senders_waiting
from commonbeat.reports.queries.duplicates import alike
from commonbeat.reports.queries.expected import is_enrolled
from commonbeat.reports.queries.proxies import behalf_of, sources_of
from commonbeat.reports.queries.same_picture import seen_again
from commonbeat.screening.explain import explain
from commonbeat.screening.screen import draft
from commonbeat.topics.answers import describe_answers, describe_categories
from commonbeat.topics.definition import Publishes
from commonbeat.topics.queries import all_topics
from commonbeat.web.accounts import home_of, needs, signed_in
from commonbeat.web.desk.corrections import earlier_wordings
from commonbeat.web.desk.delivery import delivery_of
from commonbeat.web.desk.filters import number, query_of, read_filters, tabs_of
from commonbeat.web.desk.history import in_words
from commonbeat.web.desk.marks import Piece, marked
from commonbeat.web.desk.names import channel_names
from commonbeat.web.desk.pages import draw, draw_block, town_map
from commonbeat.web.desk.translated import excerpts, translated
from commonbeat.web.jinja import local_date, local_datetime
from commonbeat.web.language import name_of_language

# Only formats that every browser shows as a picture and never as a page.
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp", b"GIF8": "image/gif"}
HEIC = "image/heic"

# The name of a place that somebody typed is public knowledge; that of a point may be a front door.
_NAMED = (PlaceSource.NAMED, PlaceSource.DESK)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Send each role to its own first page."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    return redirect(home_of(request.user))


@require_GET
@needs(Permission.SEE_DESK)
def report_list(request: HttpRequest) -> HttpResponseBase:
    """Show the work list of the desk."""
    viewer = signed_in(request)
    now = clock.now()
    filters = read_filters(request.GET)
    own = desk.own_beats(viewer)
    own_ids = [beat.pk for beat in own]
    page = desk.report_list(
        viewer,
        filters,
        now=now,
        beat_ids=own_ids,
        before=number(request.GET.get("before")),
        after=number(request.GET.get("after")),
    )
    query = query_of(request.GET, filters)
    context: dict[str, Any] = {
        "page": page,
        "filters": filters,
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "query": query,
        "newest": page.rows[0].id if page.rows and page.newer is None else 0,
        "channels": channel_names(),
        "states": dict(State.choices),
        "own_beats": own,
        "translations": excerpts(row.id for row in page.rows),
    }
    if request.headers.get("HX-Request"):
        return draw_block(request, "desk/reports/list.html", "rows", context)
    counts = desk.tab_counts(viewer, now=now, beat_ids=own_ids)
    context["held_senders_count"] = senders_waiting(viewer)
    address = reverse("desk:list")
    told = {tab: _count(counts.get(tab)) for tab in desk.TABS}
    context["tabs"] = tabs_of(request.GET, filters, address, told)
    context["beats"] = desk.beats_of_desk(viewer)
    context["is_filtered"] = query != f"tab={filters.tab}" or bool(filters.text)
    search = {"q": filters.text} if filters.text else {}
    context["newer_url"] = (
        f"{address}?{query_of(request.GET, filters, after=page.newer, **search)}" if page.newer else None
    )
    context["older_url"] = (
        f"{address}?{query_of(request.GET, filters, before=page.older, **search)}" if page.older else None
    )
    return draw(request, "desk/reports/list.html", context)


@require_GET
@needs(Permission.SEE_DESK)
def news(request: HttpRequest) -> HttpResponseBase:
    """Say how many reports of a list came after its first line; asked after a live hint."""
    viewer = signed_in(request)
    filters = read_filters(request.GET)
    own_ids = [beat.pk for beat in desk.own_beats(viewer)]
    than = number(request.GET.get("than")) or 0
    count = desk.count_newer(viewer, filters, than, now=clock.now(), beat_ids=own_ids)
    query = query_of(request.GET, filters)
    return draw_block(request, "desk/reports/list.html", "news", {"count": count, "query": query})


def _count(count: int | None) -> str | None:
    if count is None:
        return None
    return f"{desk.COUNT_LIMIT - 1}+" if count >= desk.COUNT_LIMIT else str(count)


def visible_report(viewer: User, report_id: int) -> Report:
    """Read a report that the viewer may see; 404 otherwise, so that nobody learns which numbers exist."""
    found = desk.report_for(viewer, report_id)
    if found is None:
        raise Http404
    return found


@require_GET
@needs(Permission.SEE_DESK)
def report(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """Show everything about one report; that somebody looked is journalled."""
    viewer = signed_in(request)
    found = visible_report(viewer, report_id)
    part = request.GET.get("part", "")
    if part in ("state", "thread", "history"):
        return draw_block(request, "desk/reports/report.html", part, report_context(request, found))
    return draw(request, "desk/reports/report.html", report_context(request, found))


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong with a form of the page, and where."""

    verb: str
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The public copy as it would stand, and what screening says of it."""

    title: str
    text: str
    place_name: str
    photo_ids: list[int]
    findings: list[str]
    title_pieces: list[Piece]
    text_pieces: list[Piece]
    place_pieces: list[Piece]


def report_context(
    request: HttpRequest, found: Report, *, problem: Problem | None = None, checked: bool = False
) -> dict[str, Any]:
    """Gather what the page of a report shows; `problem` and what was typed come back after a refused form.

    Whatever draws the page, the look is journalled.
    """
    viewer = signed_in(request)
    now = clock.now()
    note_look(report_id=found.pk, actor=viewer, now=now)
    filters = read_filters(request.GET)
    own_ids = [beat.pk for beat in desk.own_beats(viewer)] if filters.tab == "beat" else []
    newer, older = desk.neighbours(viewer, filters, found.pk, now=now, beat_ids=own_ids)
    sheet = desk.sheet_of(found, viewer, now=now)
    definition = found.topic_version.definition
    language = translation.get_language()
    typed = request.POST if request.method == "POST" else {}
    held_by_other = found.is_claimed_by_other(viewer, now)
    is_mine = found.claimed_by_id == viewer.pk and found.claimed_until is not None and found.claimed_until > now
    latitude, longitude, cell = public_place(found)
    return {
        "sheet": sheet,
        "report": found,
        "language_name": name_of_language(found.language),
        "definition": definition,
        "topic_name": found.topic.name_in(language),
        "topic_look": found.topic.definition,
        "categories": describe_categories(definition, found.categories, language),
        "answers": describe_answers(definition, found.answers, language),
        "is_enrolled": is_enrolled(found),
        "earlier": earlier_wordings(found, language),
        "translated": translated(found, sheet.messages, now),
        "behalf": behalf_of(found),
        "again": seen_again(found, sheet.photos, viewer),
        "sources": sources_of([found.pk, *(row.id for row in sheet.siblings)]) if sheet.siblings else None,
        "channel": channel_names().get(found.channel, found.channel),
        "happened": happened_in_words(found),
        "can_reach": found.contact is not None and found.contact_confirmed and not _gets_nothing(found.contact),
        "place_source": PlaceSource(found.place_source).label,
        "public_cell_metres": _metres_across(cell) if cell else None,
        "has_public_place": latitude is not None and longitude is not None,
        "privacy": found.privacy,
        "counts_only": found.privacy.publishes == Publishes.COUNTS,
        "query": query_of(request.GET, filters),
        "newer": newer,
        "older": older,
        "held_by_other": held_by_other,
        "is_mine": is_mine,
        "may_work": may(viewer, Permission.WORK_REPORTS) and not held_by_other,
        "may_free": may(viewer, Permission.SEE_ALL_DESKS),
        "state_label": State(found.state).label,
        "moves": [(state, State(state).label) for state in sheet.moves],
        "needs_reason": rules.NEEDS_REASON,
        "may_publish": found.state in {rules.NEW, rules.TRIAGED, *rules.PUBLIC_STATES}
        and may(viewer, Permission.PUBLISH),
        "proposal": proposal_of(found, sheet, typed if typed and (checked or problem) else {}),
        "checked": checked,
        "sent": delivery_of(sheet.outbound, stopped=bool(found.contact and _gets_nothing(found.contact)), now=now),
        "history": in_words(sheet.history),
        "topics": [(topic.code, topic.name_in(language)) for topic in all_topics()],
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "states": dict(State.choices),
        "typed": typed,
        "problem": problem,
        "town_pmtiles": town_map(),
        "now": now,
    }


def _gets_nothing(contact: Contact) -> bool:
    return contact.stopped_at is not None or contact.blocked_at is not None


# The hours by which the web form stores the part of a day that was chosen; noon stands for no part at all.
def _part_of(hour: int) -> str:
    return {9: _("in the morning"), 15: _("in the afternoon"), 20: _("in the evening"), 2: _("at night")}.get(hour, "")


def happened_in_words(found: Report) -> str:
    """Say when it happened as exactly as the reporter did: a form asks for the day and its part, never the minute."""
    if found.occurred_at is None:
        return ""
    at = timezone.localtime(found.occurred_at)
    if found.channel == "import" and at.time() != time.min:
        return local_datetime(at)
    part = _part_of(at.hour) if (at.minute, at.second, at.microsecond) == (0, 0, 0) else ""
    return f"{local_date(at)}, {part}" if part else local_date(at)


def _metres_across(cell: int) -> int:
    lat, lon = cells.centre(cell)
    return round(2 * max(cells.distance_m(lat, lon, *corner) for corner in cells.boundary(cell)))


def proposal_of(found: Report, sheet: desk.Sheet, typed: Any) -> Proposal:
    """Propose a public copy: what was typed, else the one that stands, else the report's own words."""
    stands = sheet.publication
    if typed and "title" in typed:
        title, text, place = typed.get("title", ""), typed.get("text", ""), typed.get("place_name", "")
        photo_ids = [pk for pk in map(number, typed.getlist("photo")) if pk]
    elif stands is not None:
        title, text, place = stands.title, stands.text, stands.place_name
        photo_ids = list(stands.photos.values_list("pk", flat=True))
    else:
        place = _as_the_site_says(found.place_name) if found.place_source in _NAMED else ""
        text = draft(found.text)
        title, photo_ids = draft(found.title) or excerpt(text, 80), []
    title, text, place = title[:200], text[:5_000], place[:200]
    known = known_names()
    reasons = explain(screen_public(title, text, place, known_places=known))
    pieces = [marked(part, known) for part in (title, text, place)]
    return Proposal(title, text, place, photo_ids, reasons, *pieces)


def _as_the_site_says(name: str) -> str:
    """Give a place's name in the site's first language, not in the reporter's, which would tell who wrote."""
    known = find_places(name, language=settings.LANGUAGE_CODE, limit=1) if name else []
    return known[0].label if known and known[0].exact else name


@require_GET
@needs(Permission.SEE_DESK)
def alike_reports(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """Show the reports that may tell of the same thing, side by side with this one."""
    viewer = signed_in(request)
    found = visible_report(viewer, report_id)
    now = clock.now()
    note_look(report_id=found.pk, actor=viewer, now=now)
    suggestions = alike(found, viewer, now=now)
    ids = [one.report.pk for one in suggestions]
    rows = {row.id: row for row in desk.rows_of(viewer, [found.pk, *ids], now=now)}
    context = {
        "report": found,
        "own": rows[found.pk],
        "photos": desk.photos_of([found.pk, *ids]),
        "suggestions": [(one, rows[one.report.pk]) for one in suggestions if one.report.pk in rows],
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "states": dict(State.choices),
        "query": query_of(request.GET, read_filters(request.GET)),
        "may_work": may(viewer, Permission.WORK_REPORTS) and not found.is_claimed_by_other(viewer, now),
    }
    if request.headers.get("HX-Request"):
        return draw_block(request, "desk/reports/alike.html", "suggestions", context)
    return draw(request, "desk/reports/alike.html", context)


@require_GET
@needs(Permission.SEE_DESK)
def photo(request: HttpRequest, report_id: int, photo_id: int) -> HttpResponseBase:
    """Show a picture as it was sent, or give its file, to the desk only."""
    viewer = signed_in(request)
    found = visible_report(viewer, report_id)
    held = found.report_photos.select_related("photo").filter(photo_id=photo_id).first()
    if held is None:
        raise Http404
    note_look(report_id=found.pk, actor=viewer, now=clock.now())
    data_dir = settings.COMMONBEAT.data_dir
    try:
        if request.GET.get("size") == "thumb":
            return picture(
                store.read_public(held.photo.public_token, variant="thumb", data_dir=data_dir, key=picture_key())
            )
        original = store.read_original(held.photo.original_token, data_dir=data_dir, key=picture_key())
        wants_file = "file" in request.GET
        if kind_of(original) == HEIC and not wants_file:
            # Few browsers show what many telephones write.
            return picture(store.read_public(held.photo.public_token, data_dir=data_dir, key=picture_key()))
        return picture(original, as_file=wants_file)
    except store.NoSuchPicture:
        raise Http404 from None


def kind_of(data: bytes) -> str:
    """Name the media type of a picture by its first bytes."""
    if data[4:8] == b"ftyp":
        return HEIC
    return next((kind for start, kind in KINDS.items() if data.startswith(start)), "application/octet-stream")


def picture(data: bytes, *, as_file: bool = False) -> HttpResponse:
    """Answer with a picture, never with a page that somebody uploaded as one."""
    kind = kind_of(data)
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}
    if as_file or kind not in KINDS.values():
        headers["Content-Disposition"] = 'attachment; filename="picture"'
    return HttpResponse(data, content_type=kind, headers=headers)
