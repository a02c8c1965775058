"""The journal for those who watch over the police: who did what to which number. Nobody's words stand in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.foundation import clock
from commonbeat.foundation.text import ascii_digits
from commonbeat.journal.actions import append
from commonbeat.journal.models import Entry
from commonbeat.people.actions import FACTOR_RESET, ROLE_CHANGED, STAFF_CREATED
from commonbeat.people.models import Role
from commonbeat.people.permissions import PERMISSIONS, Permission
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.names import channel_names
from commonbeat.web.oversight.alone import ALONE_DAYS, released_alone
from commonbeat.web.oversight.channel_changes import CHANGE_DAYS, channel_changes
from commonbeat.web.oversight.words import details_of, phrase_of

PER_PAGE = 100
EXPORT_CHUNK = 2000
# Counting a week of a large journal reads it whole; once a minute is often enough.
COUNTED_FOR_SECONDS = 60
EXPORTED = "oversight.exported"
LARGEST_ID = 2**63 - 1
ACCESS_DAYS = 30
ACCESS_SHOWN = 50
# Who may read reports, the texts that screening held, or masked texts to translate.
READING = frozenset({Permission.SEE_DESK, Permission.SEE_MODERATION, Permission.TRANSLATE})
READING_ROLES = frozenset(role for role, may_do in PERMISSIONS.items() if may_do & READING)


@dataclass(slots=True)
class Filters:
    """What the reader looks for; `problems` tells, field → sentence, what could not be read."""

    kind: str = ""
    actor: str = ""
    report: str = ""
    first: str = ""
    last: str = ""
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """Give the filters for an address."""
        named = {"kind": self.kind, "actor": self.actor, "report": self.report, "from": self.first, "to": self.last}
        return urlencode({name: value for name, value in named.items() if value})


@require_safe
@needs(Permission.SEE_JOURNAL)
def home(request: HttpRequest) -> HttpResponseBase:
    """Lead to the journal."""
    return redirect("oversight:journal")


@require_safe
@needs(Permission.SEE_JOURNAL)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the journal, newest first."""
    filters = read_filters(request.GET)
    entries = filtered(filters)
    before = _number(request.GET.get("before", ""))
    if before is not None:
        entries = entries.filter(id__lt=before)
    rows = list(entries.order_by("-id")[: PER_PAGE + 1])
    older = None
    if len(rows) > PER_PAGE:
        rows = rows[:PER_PAGE]
        older = "?" + "&".join(part for part in (filters.query, f"before={rows[-1].pk}") if part)
    kinds, week = _tally()
    channels = channel_names()
    context = {
        "rows": [(entry, phrase_of(entry.kind), details_of(entry, channels)) for entry in rows],
        "access": new_access(clock.now()) if before is None else [],
        "access_days": ACCESS_DAYS,
        "alone": released_alone(clock.now()) if before is None else [],
        "alone_days": ALONE_DAYS,
        "changes": channel_changes(clock.now(), channels) if before is None else [],
        "change_days": CHANGE_DAYS,
        "filters": filters,
        "kinds": sorted(((kind, phrase_of(kind)) for kind in kinds), key=lambda each: each[1]),
        "week": [(kind, phrase_of(kind), count) for kind, count in week],
        "older": older,
        "newest": "?" + filters.query if before is not None else None,
        "all_errors": list(filters.problems.items()),
    }
    return render(request, "oversight/journal.html", context, status=400 if filters.problems else 200)


@require_safe
@needs(Permission.SEE_JOURNAL)
def export(request: HttpRequest) -> HttpResponseBase:
    """Give the filtered journal as CSV, oldest first, written as it is read; the export is journalled too."""
    filters = read_filters(request.GET)
    if filters.problems:
        return listing(request)
    now = clock.now()
    append(kind=EXPORTED, subject_id=0, now=now, actor_id=signed_in(request).pk)
    response = StreamingHttpResponse(_csv(filtered(filters)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="journal-{timezone.localdate(now)}.csv"'
    return response


def read_filters(query: QueryDict) -> Filters:
    """Read the filters of an address; what cannot be read is told and leaves nothing to see."""
    filters = Filters(
        kind=query.get("kind", "")[:40],
        actor=ascii_digits(query.get("actor", "").strip())[:20],
        report=ascii_digits(query.get("report", "").strip())[:20],
        first=query.get("from", "").strip()[:10],
        last=query.get("to", "").strip()[:10],
    )
    if filters.actor and _number(filters.actor) is None:
        filters.problems["actor"] = _("Write the number of an account.")
    if filters.report and _number(filters.report) is None:
        filters.problems["report"] = _("Write the number of a report.")
    for name, written in (("from", filters.first), ("to", filters.last)):
        if written and _day(written) is None:
            filters.problems[name] = _("Enter a date, such as 2025-03-27.")
    return filters


def filtered(filters: Filters) -> QuerySet[Entry]:
    """Select the entries that pass the filters."""
    if filters.problems:
        return Entry.objects.none()
    wanted: dict[str, Any] = {}
    if filters.kind:
        wanted["kind"] = filters.kind
    if filters.actor:
        wanted["actor_id"] = _number(filters.actor)
    if filters.report:
        wanted |= {"kind__startswith": "reports.", "subject_id": _number(filters.report)}
    first, last = _day(filters.first), _day(filters.last)
    if first:
        wanted["at__gte"] = _midnight(first)
    if last:
        wanted["at__lt"] = _midnight(last + timedelta(days=1))
    return Entry.objects.filter(**wanted)


@dataclass(frozen=True, slots=True)
class NewAccess:
    """One way in which an account came to read reports: made, given another role, or begun anew."""

    at: datetime
    kind: str
    account_id: int
    role: str
    actor_id: int | None

    @property
    def phrase(self) -> str:
        """Name in plain words what was done."""
        return phrase_of(self.kind)


def new_access(now: datetime) -> list[NewAccess]:
    """Read who came to read reports lately, and by whose hand, newest first; at most ACCESS_SHOWN.

    An administrator who reads no reports could make an account that does, and use it: this is where it shows.
    """
    kinds = (STAFF_CREATED, ROLE_CHANGED, FACTOR_RESET)
    entries = Entry.objects.filter(kind__in=kinds, at__gte=now - timedelta(days=ACCESS_DAYS)).order_by("-id")
    found = []
    for entry in entries[: 10 * ACCESS_SHOWN]:
        role = str(entry.data.get("to" if entry.kind == ROLE_CHANGED else "role", ""))
        if role in READING_ROLES:
            found.append(NewAccess(entry.at, entry.kind, entry.subject_id, str(Role(role).label), entry.actor_id))
    return found[:ACCESS_SHOWN]


def _tally() -> tuple[list[str], list[tuple[str, int]]]:
    found: tuple[list[str], list[tuple[str, int]]] | None = cache.get("oversight-tally")
    if found is None:
        since = clock.now() - timedelta(days=7)
        week = Entry.objects.filter(at__gte=since).values_list("kind").annotate(count=Count("id")).order_by("-count")
        kinds = Entry.objects.order_by("kind").values_list("kind", flat=True).distinct()
        found = list(kinds), list(week)
        cache.set("oversight-tally", found, COUNTED_FOR_SECONDS)
    return found


class _Line:
    """Give back each line that a csv.writer writes."""

    def write(self, line: str) -> str:
        return line


def _csv(entries: QuerySet[Entry]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(["number", "at", "kind", "subject", "account", "data"])
    after = 0
    # Chunks by number keep no read transaction open, which would stop SQLite from trimming its log.
    while chunk := list(entries.filter(id__gt=after).order_by("id")[:EXPORT_CHUNK]):
        for entry in chunk:
            data = json.dumps(entry.data, sort_keys=True) if entry.data else ""
            yield writer.writerow(
                [entry.pk, entry.at.isoformat(), entry.kind, entry.subject_id, entry.actor_id or "", data]
            )
        after = chunk[-1].pk


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return number if number is not None and number <= LARGEST_ID else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 9000 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
