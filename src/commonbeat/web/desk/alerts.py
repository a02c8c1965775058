"""Alerts at the desk: what is out, what waits, and one alert with how far it has gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from commonbeat.alerts import desk_queries, public_queries, rules
from commonbeat.alerts.desk_queries import Account
from commonbeat.alerts.errors import AlertError
from commonbeat.alerts.kinds import kind_of
from commonbeat.alerts.models import Alert, AlertState, AlertText, MsgType, Status
from commonbeat.alerts.public_queries import Chain
from commonbeat.alerts.queries import chain as chain_of
from commonbeat.alerts.queries import drafts_for, sightings
from commonbeat.foundation import clock
from commonbeat.foundation.text import excerpt
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission
from commonbeat.reports.actions.work import note_map_look
from commonbeat.reports.models import Report
from commonbeat.reports.rules import REJECTED
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk import alert_words as words
from commonbeat.web.desk.alert_check import area_context, check, status_of
from commonbeat.web.desk.alert_drafts import alert_or_404, is_own
from commonbeat.web.desk.delivery import failure_in_words
from commonbeat.web.desk.names import channel_names
from commonbeat.web.desk.pages import draw, draw_block, report_address
from commonbeat.web.jinja import local_datetime
from commonbeat.web.language import direction_of

_MANY = 50_000


@dataclass(frozen=True, slots=True)
class Row:
    """One alert in a list."""

    url: str
    headline: str
    language: str
    kind: str
    icon: str
    colour: str
    place: str
    status: str
    until: datetime
    # How far it has gone, or who wrote the draft.
    said: str
    state: str = ""
    ended: str = ""
    ended_at: datetime | None = None
    sightings: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chain, with how far it has gone."""

    alert: Alert
    name: str
    headline: str
    language: str
    said: str
    # Channel, and numbers of people in words: waiting, delayed, sent, delivered, failed, not in time.
    channels: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One report that answers an alert, as far as the viewer may read it."""

    number: int
    report: Report
    url: str
    text: str
    channel: str


@require_safe
@needs(Permission.ALERT)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show what waits for a second person, what is out, the drafts of one's unit, and what ended lately."""
    viewer, now = signed_in(request), clock.now()
    drafts = drafts_for(viewer)
    waiting = [_draft_row(one, viewer, now) for one in drafts if one.state == AlertState.WAITING]
    if request.GET.get("part") == "waiting":
        return draw_block(request, "desk/alerts/list.html", "waiting", {"waiting": waiting})
    found = public_queries.listed(now=now)
    chains = [*found.active, *found.ended]
    accounts = desk_queries.accounts_of([chain.latest.pk for chain in chains], now=now)
    counts = desk_queries.sightings_by_chain([chain.root.pk for chain in chains])
    rows = {
        chain.root.pk: _row(chain, accounts[chain.latest.pk], counts.get(chain.root.pk, 0), now) for chain in chains
    }
    context = {
        "waiting": waiting,
        "active": [rows[chain.root.pk] for chain in found.active],
        "drafts": [_draft_row(one, viewer, now) for one in drafts if one.state == AlertState.DRAFT],
        "ended": [rows[chain.root.pk] for chain in found.ended],
        "is_more": found.is_more,
    }
    return draw(request, "desk/alerts/list.html", context)


@require_safe
@needs(Permission.ALERT)
def alert(request: HttpRequest, alert_id: int) -> HttpResponseBase:
    """Show one alert: before it is out what it would be, then how it goes."""
    return page(request, alert_or_404(signed_in(request), alert_id))


@require_safe
@needs(Permission.ALERT)
def area(request: HttpRequest, alert_id: int) -> HttpResponseBase:
    """Give the area of an alert, drafts among them, as GeoJSON."""
    found = alert_or_404(signed_in(request), alert_id)
    properties = {"id": found.pk, "title": words.kind_name(found.kind), "colour": words.COLOURS[found.severity]}
    features = [{"type": "Feature", "geometry": found.area, "properties": properties}]
    bbox = [found.west, found.south, found.east, found.north]
    collection = {"type": "FeatureCollection", "features": features, "bbox": bbox}
    return JsonResponse(collection, content_type="application/geo+json")


@require_safe
@needs(Permission.ALERT)
def sighting_points(request: HttpRequest, alert_id: int) -> HttpResponseBase:
    """Give the places of the sightings that the viewer may read, with number and time."""
    viewer = signed_in(request)
    seen, _hidden = _sightings(alert_or_404(viewer, alert_id), viewer)
    note_map_look(actor=viewer, now=clock.now())
    points = [
        {
            "at": [round(one.report.latitude, 6), round(one.report.longitude, 6)],
            "number": one.number,
            "time": one.report.created_at.timestamp(),
            "when": local_datetime(one.report.created_at),
            "title": one.text,
            "url": one.url,
        }
        for one in reversed(seen)
        # Where it was not, nobody needs to look.
        if one.report.state != REJECTED and one.report.latitude is not None and one.report.longitude is not None
    ]
    return JsonResponse({"points": points})


def page(request: HttpRequest, found: Alert, *, problem: AlertError | None = None) -> HttpResponseBase:
    """Draw the page of an alert as it stands, with what went wrong just now."""
    # Who waits for a second person asks for this part, also when it has gone out meanwhile.
    if found.state != AlertState.RELEASED or request.GET.get("part") == "standing":
        return check(request, found, problem=problem)
    if found.root_id is not None and problem is None:
        return redirect("desk:alert", alert_id=found.root_id)
    viewer, now = signed_in(request), clock.now()
    chain = Chain(tuple(chain_of(found)))
    messages, root, latest, told = chain.messages, chain.root, chain.latest, chain.told
    accounts = desk_queries.accounts_of([one.pk for one in messages], now=now)
    is_active = chain.is_active(now)
    progress = {
        "alert": root,
        "chain": [_message(one, accounts[one.pk]) for one in reversed(messages)],
        "failures": [
            (words.channel_kind(channel), failure_in_words(code) if code else "No reason is known.", words.people(n))
            for channel, code, n in desk_queries.failures_of([one.pk for one in messages])
            if max(account.people for account in accounts.values()) >= rules.FEWEST_TOLD
        ],
        "is_moving": is_active or any(account.is_under_way for account in accounts.values()),
        "pace": _pace(accounts.values()),
        "checked_at": now,
    }
    if request.GET.get("part") == "progress":
        return draw_block(request, "desk/alerts/alert.html", "progress", progress)
    seen, hidden = _sightings(root, viewer)
    waits = desk_queries.unsent_follow_up(root.pk) if is_active else None
    context: dict[str, Any] = {
        **progress,
        **area_context(told),
        "told": told,
        "latest": latest,
        "is_active": is_active,
        "is_own": is_own(viewer, root),
        "waits": waits if waits is not None and is_own(viewer, root) else None,
        "kind": kind_of(root.kind),
        "kind_name": words.kind_name(root.kind),
        "colour": words.COLOURS[told.severity] if is_active else "grey",
        "headline": _headline(told),
        "texts": [(words.language_name(one.language), direction_of(one.language), one) for one in _ordered(told)],
        "until": words.moment(latest.expires_at),
        "left": words.lasts(latest.expires_at, now),
        "outcome": words.OUTCOMES.get(root.outcome, ("", ""))[0],
        "severity_badge": words.SEVERITY_BADGES[told.severity],
        "status": "" if root.status == Status.ACTUAL else root.status.upper(),
        "timeline": words.in_words(desk_queries.history_of(messages), messages),
        "sightings": seen,
        "hidden_sightings": hidden,
        "points": reverse("desk:alert_sightings", kwargs={"alert_id": root.pk}),
        "latitude": settings.COMMONBEAT.map_latitude,
        "longitude": settings.COMMONBEAT.map_longitude,
        "problem": problem.sentence if problem else "",
    }
    return draw(request, "desk/alerts/alert.html", context, status=status_of(problem) if problem else 200)


def _pace(accounts: Iterable[Account]) -> int:
    """Give after how many seconds the page looks again: counting a million rows takes a second of the database."""
    found = list(accounts)
    if sum(account.people for account in found) > _MANY:
        return 30
    is_going = any(one.is_under_way or one.states["queued"] or one.states["leased"] for one in found)
    return 5 if is_going else 20


def _message(message: Alert, account: Account) -> Message:
    names = {MsgType.ALERT.value: "Alert", MsgType.UPDATE.value: "Update"}
    text = _first_text(message)
    rows = []
    for channel, states in sorted(account.channels.items()) if account.people >= rules.FEWEST_TOLD else ():
        numbers = (
            states["queued"] + states["leased"], states["delayed"], states["sent"] + states["delivered"],
            states["delivered"], states["failed"], states["expired"],
        )  # fmt: skip
        rows.append((words.channel_kind(channel), [words.people(n) if n else "–" for n in numbers]))
    return Message(
        alert=message,
        name=names.get(message.msg_type, "End"),
        headline=text.headline if text else "",
        language=text.language if text else "en",
        said=words.standing(account),
        channels=rows,
    )


def _row(chain: Chain, account: Account, count: int, now: datetime) -> Row:
    text = chain.text_of(chain.told, settings.COMMONBEAT.languages)
    ended_at = chain.ended_at(now)
    return Row(
        url=reverse("desk:alert", kwargs={"alert_id": chain.root.pk}),
        headline=text.headline if text else words.kind_name(chain.root.kind),
        language=text.language if text else "en",
        kind=words.kind_name(chain.root.kind),
        icon=kind_of(chain.root.kind).icon,
        colour="grey" if ended_at else words.COLOURS[chain.told.severity],
        place=text.area_desc if text else "",
        status="" if chain.root.status == Status.ACTUAL else chain.root.status.upper(),
        until=chain.latest.expires_at,
        said=words.standing(account),
        ended=words.OUTCOMES.get(chain.root.outcome, words.OUTCOMES["expired"])[0] if ended_at else "",
        ended_at=ended_at,
        sightings=count,
        source="another system" if chain.root.source_id else "",
    )


def _draft_row(draft: Alert, viewer: User, now: datetime) -> Row:
    text = _first_text(draft)
    author = "you" if draft.author_id == viewer.pk else draft.author.shown_name if draft.author else "somebody"
    said = f"written by {author}"
    if draft.state == AlertState.WAITING:
        since, left = words.when_asked(draft, now)
        said = f"written by {author}, who asked at {since}" if author != "you" else f"you asked at {since}"
        said += f"; alone in {left} s" if left else ""
    elif draft.returned_note:
        said += f"; sent back: {draft.returned_note}"
    return Row(
        url=reverse("desk:alert", kwargs={"alert_id": draft.pk}),
        headline=text.headline if text else words.kind_name(draft.kind),
        language=text.language if text else "en",
        kind=words.kind_name(draft.kind) + (" (correction)" if draft.root_id else ""),
        icon=kind_of(draft.kind).icon,
        colour=words.COLOURS[draft.severity],
        place=text.area_desc if text else "",
        status="" if draft.status == Status.ACTUAL else draft.status.upper(),
        until=draft.expires_at,
        said=said,
        state="Waits for you" if draft.state == AlertState.WAITING and author != "you" else "",
    )


def _sightings(found: Alert, viewer: User) -> tuple[list[Seen], int]:
    """Give the sightings that the viewer may read, newest first, numbered by time, and how many others there are."""
    ids = [one.report_id for one in sightings(found)]
    names = channel_names()
    reports = Report.objects.visible_to(viewer).filter(pk__in=ids).order_by("created_at", "pk")
    seen = [
        Seen(
            number=number,
            report=report,
            url=report_address(report.pk),
            text=excerpt(report.title or report.text, 160),
            channel=names.get(report.channel, report.channel),
        )
        for number, report in enumerate(reports, start=1)
    ]
    return seen[::-1], len(ids) - len(seen)


def _first_text(found: Alert) -> AlertText | None:
    return next(iter(_ordered(found)), None)


def _ordered(found: Alert) -> list[AlertText]:
    order = {code: index for index, code in enumerate(settings.COMMONBEAT.languages)}
    return sorted(found.texts.all(), key=lambda one: (order.get(one.language, len(order)), one.language))


def _headline(found: Alert) -> str:
    text = _first_text(found)
    return text.headline if text else words.kind_name(found.kind)
