"""What the desk reads: its list, its counts, one report with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, Min, OuterRef, Q
from django.db.models.functions import Substr

from commonbeat.foundation.text import excerpt
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Outbound
from commonbeat.messaging.trust import level_of
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.places.models import Beat
from commonbeat.reports import rules
from commonbeat.reports.models import (
    Message,
    Publication,
    PublicationState,
    Report,
    ReportPhoto,
    ReportQuerySet,
    State,
    Verification,
)
from commonbeat.reports.proxy_models import OnBehalf
from commonbeat.reports.queries.lookup import history_of
from commonbeat.reports.queries.search import search_reports

TABS = ("new", "mine", "beat", "all")
PERIODS = {"today": 1, "week": 7, "month": 30}
PAGE_SIZE = 50
# Counting stops here: "99+" says as much as an exact number, and counting a million costs 60 ms.
COUNT_LIMIT = 100
EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; empty values narrow nothing."""

    tab: str = "new"
    topic_id: int | None = None
    state: str = ""
    channel: str = ""
    beat_id: int | None = None
    period: str = ""
    verified: str = ""
    answer_waits: bool = False
    # Made for somebody else, through a proxy or so said on the web form.
    for_others: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    id: int
    topic_id: int
    title: str
    excerpt: str
    place_name: str
    has_place: bool
    created_at: datetime
    state: str
    channel: str
    claimed_by_id: int | None
    claimed_by: str
    answer_waiting: bool
    verified: bool
    has_photo: bool
    on_incident: bool
    # How far the sender is trusted, or "blocked"; empty where the sender is not known for sure.
    trust: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, newest first; `newer` and `older` are the ids to continue from."""

    rows: list[Row]
    newer: int | None
    older: int | None


def own_beats(viewer: User) -> list[Beat]:
    """Read the beats of an officer, without their outlines."""
    return list(Beat.objects.filter(officers=viewer).only("pk", "name").order_by("name"))


def beats_of_desk(viewer: User) -> list[Beat]:
    """Read the beats whose reports the viewer may see, without their outlines."""
    beats = Beat.objects.only("pk", "name").order_by("name")
    return list(beats if may(viewer, Permission.SEE_ALL_DESKS) else beats.filter(unit=viewer.unit_id))


def matching(viewer: User, filters: Filters, *, now: datetime, beat_ids: Sequence[int] = ()) -> ReportQuerySet:
    """Narrow the viewer's reports to a tab and filters, unordered; beat_ids are the viewer's own beats."""
    found = Report.objects.visible_to(viewer)
    match filters.tab:
        case "new":
            found = found.filter(state=State.NEW)
        case "mine":
            # From the claims outwards: beside unit_id = … SQLite would read the whole unit (280 ms at 1,000,000).
            held = Report.objects.filter(claimed_by=viewer, claimed_until__gt=now)
            found = found.filter(pk__in=held.values("pk"))
        case "beat":
            found = found.filter(beat_id__in=beat_ids) if len(beat_ids) != 1 else found.filter(beat_id=beat_ids[0])
    if filters.topic_id:
        found = found.filter(topic_id=filters.topic_id)
    if filters.state:
        found = found.filter(state=filters.state)
    if filters.channel:
        found = found.filter(channel=filters.channel)
    if filters.beat_id:
        found = found.filter(beat_id=filters.beat_id)
    if filters.period in PERIODS:
        since = now - timedelta(days=PERIODS[filters.period])
        # Numbers rise with time, but for imported files. The least number of the period ends the walk along any index
        # by number; "+ 0" keeps SQLite from looking for a minimum by walking all numbers from the first.
        first = Report.objects.filter(created_at__gte=since).aggregate(first=Min(F("pk") + 0))["first"]
        found = found.filter(pk__gte=first, created_at__gte=since) if first is not None else found.none()
    if filters.verified:
        found = found.filter(verified_at__isnull=filters.verified != "yes")
    if filters.answer_waits:
        # Few wait at any time: their own index first, for the desks of a unit and of all alike.
        found = found.filter(pk__in=Report.objects.filter(answer_waiting=True).values("pk"))
    if filters.for_others:
        found = found.filter(pk__in=OnBehalf.objects.values("report_id"))
    return found


def report_list(
    viewer: User,
    filters: Filters,
    *,
    now: datetime,
    beat_ids: Sequence[int] = (),
    before: int | None = None,
    after: int | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    """Read one page: two queries (and up to two for a search), whatever the number of reports."""
    found = matching(viewer, filters, now=now, beat_ids=beat_ids)
    backwards = after is not None and before is None and not filters.text
    if filters.text:
        found = search_reports(found, filters.text, within=index_words(viewer, filters, beat_ids), before=before)
    else:
        found = _from(found, before, after if backwards else None)
        if filters.tab == "beat" and not filters.beat_id and len(beat_ids) > 1:
            found = _of_beats(found, beat_ids, backwards=backwards, size=size)
        found = found.order_by("pk" if backwards else "-pk")
    rows = _rows(found, now, size + 1)
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    newer = rows[0].id if rows and (more if backwards else before is not None) and not filters.text else None
    older = rows[-1].id if rows and (more or backwards) else None
    return Page(rows, newer, older)


def rows_of(viewer: User, ids: Iterable[int], *, now: datetime) -> list[Row]:
    """Read the lines of some reports, newest first; what the viewer may not see is left out."""
    return _rows(Report.objects.visible_to(viewer).filter(pk__in=list(ids)).order_by("-pk"), now, 200)


def photos_of(ids: Iterable[int]) -> dict[int, list[int]]:
    """Give the photos of some reports, by report: one query."""
    found: dict[int, list[int]] = {}
    pairs = ReportPhoto.objects.filter(report_id__in=list(ids)).order_by("pk").values_list("report_id", "photo_id")
    for report_id, photo_id in pairs:
        found.setdefault(report_id, []).append(photo_id)
    return found


def neighbours(
    viewer: User, filters: Filters, report_id: int, *, now: datetime, beat_ids: Sequence[int] = ()
) -> tuple[int | None, int | None]:
    """Find the reports before and after one in a list: (newer, older); a search has no neighbours."""
    found = matching(viewer, replace(filters, text=""), now=now, beat_ids=beat_ids)
    newer = found.filter(pk__gt=report_id).order_by("pk").values_list("pk", flat=True).first()
    older = found.filter(pk__lt=report_id).order_by("-pk").values_list("pk", flat=True).first()
    return newer, older


def tab_counts(viewer: User, *, now: datetime, beat_ids: Sequence[int] = ()) -> dict[str, int]:
    """Count what each tab holds, up to COUNT_LIMIT: one query per tab but "all"."""
    counts = {
        tab: matching(viewer, Filters(tab=tab), now=now, beat_ids=beat_ids)[:COUNT_LIMIT].count()
        for tab in ("new", "mine")
    }
    if beat_ids:
        open_here = matching(viewer, Filters(tab="beat", state=State.NEW), now=now, beat_ids=beat_ids)
        counts["beat"] = open_here[:COUNT_LIMIT].count()
    return counts


def _from(found: ReportQuerySet, before: int | None, after: int | None) -> ReportQuerySet:
    if before is not None:
        return found.filter(pk__lt=before)
    return found.filter(pk__gt=after) if after is not None else found


def _of_beats(found: ReportQuerySet, beat_ids: Sequence[int], *, backwards: bool, size: int) -> ReportQuerySet:
    # One short walk along the index per beat; "beat_id IN (…) ORDER BY id" would sort both beats whole (115 ms).
    ids: list[int] = []
    for beat_id in beat_ids:
        of_one = found.filter(beat_id=beat_id).order_by("pk" if backwards else "-pk")
        ids += of_one.values_list("pk", flat=True)[: size + 1]
    return found.filter(pk__in=ids)


def index_words(viewer: User, filters: Filters, beat_ids: Sequence[int]) -> dict[str, Any]:
    """Give the filters as the search index knows them."""
    within: dict[str, Any] = {"topic": filters.topic_id, "state": filters.state, "beat": filters.beat_id}
    if not may(viewer, Permission.SEE_ALL_DESKS):
        within["unit"] = viewer.unit_id
    if filters.tab == "new":
        within["state"] = State.NEW.value
    if filters.tab == "beat" and not filters.beat_id:
        within["beat"] = list(beat_ids)
    return within


def _rows(found: ReportQuerySet, now: datetime, limit: int) -> list[Row]:
    photos = ReportPhoto.objects.filter(report_id=OuterRef("pk"))
    raw = found.annotate(
        head=Substr("text", 1, 4 * EXCERPT), pictured=Exists(photos), holder=F("claimed_by__display_name")
    ).values_list(
        "pk",
        "topic_id",
        "title",
        "head",
        "place_name",
        "latitude",
        "created_at",
        "state",
        "channel",
        "claimed_by_id",
        "claimed_until",
        "holder",
        "claimed_by__username",
        "answer_waiting",
        "verified_at",
        "pictured",
        "incident_id",
        "contact_confirmed",
        "contact__trust_points",
        "contact__trust_set",
        "contact__blocked_at",
    )[:limit]
    rows = []
    for pk, topic_id, title, head, place, lat, at, state, channel, by, until, name, login, waits, seen, *rest in raw:
        pic, inc, is_sure, points, set_level, blocked_at = rest
        held = by is not None and until is not None and until > now
        rows.append(
            Row(
                id=pk,
                topic_id=topic_id,
                title=title,
                excerpt=excerpt(head, EXCERPT),
                place_name=place,
                has_place=lat is not None,
                created_at=at,
                state=state,
                channel=channel,
                claimed_by_id=by if held else None,
                claimed_by=(name or login) if held else "",
                answer_waiting=waits,
                verified=seen is not None,
                has_photo=pic,
                on_incident=inc is not None,
                trust=trust_of(points, set_level, blocked_at) if is_sure and points is not None else "",
            )
        )
    return rows


def trust_of(points: int, set_by_staff: str, blocked_at: datetime | None) -> str:
    """Give what the desk is shown of a sender: the level, or "blocked"."""
    return "blocked" if blocked_at is not None else str(level_of(points, set_by_staff))


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything about one report."""

    report: Report
    messages: list[Message]
    photos: list[ReportPhoto]
    verifications: list[Verification]
    publication: Publication | None
    outbound: list[Outbound]
    history: list[Entry]
    siblings: list[Row] = field(default_factory=list)

    @property
    def moves(self) -> list[str]:
        """List the states that a person may move it to, publishing apart, in the order of the work."""
        order = (State.NEW, State.TRIAGED, State.RESOLVED, State.REJECTED, State.DUPLICATE, State.EXPIRED)
        return [state for state in order if rules.may_move(self.report.state, state)]


def report_for(viewer: User, report_id: int) -> Report | None:
    """Read one report that the viewer may see, with what its page names: one query."""
    return (
        Report.objects.visible_to(viewer)
        .select_related("topic__current", "topic_version", "unit", "beat", "claimed_by", "contact", "incident")
        .defer("beat__area")
        .filter(pk=report_id)
        .first()
    )


def sheet_of(report: Report, viewer: User, *, now: datetime) -> Sheet:
    """Read everything that belongs to a report: seven queries at most."""
    siblings = []
    if report.incident_id is not None:
        others = Report.objects.visible_to(viewer).filter(incident_id=report.incident_id).exclude(pk=report.pk)
        siblings = _rows(others.order_by("pk"), now, PAGE_SIZE)
    return Sheet(
        report=report,
        messages=list(report.messages.select_related("author").order_by("pk")),
        photos=list(report.report_photos.select_related("photo").order_by("pk")),
        verifications=list(report.verifications.select_related("by").order_by("-pk")),
        publication=Publication.objects.select_related("proposed_by", "released_by").filter(report=report).first(),
        outbound=list(Outbound.objects.filter(about_id=report.pk).order_by("pk")[:PAGE_SIZE]),
        history=history_of(report),
        siblings=siblings,
    )


def held_publications(*, limit: int = PAGE_SIZE) -> list[Publication]:
    """Read the public copies that wait for a second person, oldest first; never the report behind them."""
    return list(
        Publication.objects.filter(state=PublicationState.HELD)
        .select_related("proposed_by", "topic__current")
        .prefetch_related("photos")
        .order_by("pk")[:limit]
    )


def held_publication(publication_id: int) -> Publication | None:
    """Read one public copy that waits for a second person."""
    return (
        Publication.objects.filter(state=PublicationState.HELD, pk=publication_id)
        .select_related("proposed_by", "topic__current")
        .first()
    )


def is_on_incident(report_id: int) -> bool:
    """Tell whether a report hangs on an incident."""
    return Report.objects.filter(pk=report_id, incident__isnull=False).exists()


def count_newer(viewer: User, filters: Filters, than: int, *, now: datetime, beat_ids: Sequence[int] = ()) -> int:
    """Count the reports of a list that came after one, up to COUNT_LIMIT."""
    found = matching(viewer, filters, now=now, beat_ids=beat_ids).filter(Q(pk__gt=than))
    return found[:COUNT_LIMIT].count()
