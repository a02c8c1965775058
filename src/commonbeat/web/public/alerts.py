"""Alerts for everybody: what stands, what ended lately, and one alert from its first message to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.alerts import public_queries as queries
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Alert, AlertText, MsgType, Status
from commonbeat.alerts.public_queries import Chain
from commonbeat.alerts.rules import FEWEST_TOLD
from commonbeat.foundation import clock
from commonbeat.reactions.alerting import helped
from commonbeat.web.jinja import local_datetime
from commonbeat.web.public import alert_words as words
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.tip_link import takes_tips_anywhere

# What the first page says of alerts is at most so old.
_BANNER_SECONDS = 5.0
_MOST_IN_BANNER = 3
_banners: dict[str, tuple[float, list[Shown]]] = {}


@dataclass(frozen=True, slots=True)
class Shown:
    """One alert as a list shows it, in the reader's language."""

    url: str
    headline: str
    text_language: str
    kind: str
    icon: str
    colour: str
    severity: str
    # The colour of the severity's mark, as a state of components/page.html has it.
    badge: str
    place: str
    is_test: bool
    until: datetime
    ended_at: datetime | None
    outcome: str
    updated_at: datetime | None


@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    """Show what stands, the worst first, and what ended lately, narrowed by kind."""
    now, kind = clock.now(), request.GET.get("kind", "")
    if kind and kind not in KINDS:
        raise Http404
    found = queries.listed(now=now, kind=kind)
    return render(
        request,
        "public/alerts/list.html",
        {
            "active": [shown(chain, now=now) for chain in found.active],
            "ended": [shown(chain, now=now) for chain in found.ended],
            "is_more": found.is_more,
            "kind": kind,
            "kinds": words.kind_options(),
            "areas": reverse("public:alert_areas") + (f"?kind={kind}" if kind else ""),
            "town_pmtiles": town_pmtiles(),
        },
    )


@require_safe
def alert_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show one alert; any message of it leads to its first, under whose address it is known."""
    now, chain = clock.now(), _chain_or_404(number)
    if chain.root.pk != number:
        return redirect("public:alert", number=chain.root.pk)
    text, latest = _text(chain, chain.told), chain.latest
    kind = KINDS.get(chain.root.kind)
    is_active = chain.is_active(now)
    return render(
        request,
        "public/alerts/alert.html",
        {
            "alert": shown(chain, now=now),
            "text": text,
            "is_active": is_active,
            "ending": _text(chain, latest) if latest.msg_type == MsgType.CANCEL else None,
            "steps": _steps(chain, now=now),
            "number": chain.root.pk,
            "asks_sightings": is_active and kind is not None and kind.asks_sightings,
            "helped": _helped(helped([one.pk for one in chain.messages])),
            "source": chain.root.source,
            # Of a feed of others, so that it may be anything.
            "more": chain.told.web if chain.told.web.startswith(("https://", "http://")) else "",
            "address": f"{settings.COMMONBEAT.site_url.rstrip('/')}/a/{chain.root.pk}",
            "areas": reverse("public:alert_area", kwargs={"number": chain.root.pk}),
            "town_pmtiles": town_pmtiles(),
            "takes_tips": takes_tips_anywhere(),
        },
    )


@require_safe
def short(request: HttpRequest, number: int) -> HttpResponse:
    """Lead from the short address that stands in text messages to the alert's page."""
    return redirect("public:alert", number=_chain_or_404(number).root.pk)


@require_safe
def near(request: HttpRequest) -> HttpResponse:
    """Give the page on which a device finds out by itself what is near it; nothing of where it is comes here."""
    return render(request, "public/alerts/near.html", {"kinds": dict(words.kind_options())})


@require_safe
def alert_area(request: HttpRequest, number: int) -> HttpResponse:
    """Give the area of one alert as GeoJSON."""
    chain = _chain_or_404(number)
    told = chain.told
    bbox = [told.west, told.south, told.east, told.north]
    return _collection([(chain, told.area)], now=clock.now(), bbox=bbox)


@require_safe
def alert_areas(request: HttpRequest) -> HttpResponse:
    """Give the areas of all that stands as GeoJSON."""
    now, kind = clock.now(), request.GET.get("kind", "")
    if kind and kind not in KINDS:
        raise Http404
    return _collection(queries.areas_of_active(now=now, kind=kind), now=now)


def answered(number: int, *, now: datetime) -> Shown | None:
    """Give the alert that a report answers, for the pages of its form; None when none such is out."""
    chain = queries.chain_of(number)
    return shown(chain, now=now) if chain is not None else None


def banner(now: datetime) -> list[Shown]:
    """Give the worst of what stands, for the first page; a test is none of it."""
    language = words.reading_language()
    moment = time.monotonic()
    kept = _banners.get(language)
    if kept is None or connection.in_atomic_block or moment - kept[0] > _BANNER_SECONDS:
        standing = [chain for chain in queries.listed(now=now).active if chain.root.status == Status.ACTUAL]
        kept = _banners[language] = (moment, [shown(chain, now=now) for chain in standing[:_MOST_IN_BANNER]])
    return [one for one in kept[1] if one.until > now]


def shown(chain: Chain, *, now: datetime) -> Shown:
    """Put an alert as a list shows it."""
    told, text = chain.told, _text(chain, chain.told)
    ended_at = chain.ended_at(now)
    return Shown(
        url=reverse("public:alert", kwargs={"number": chain.root.pk}),
        headline=text.headline if text else words.kind_name(chain.root.kind),
        text_language=text.language if text else words.reading_language(),
        kind=words.kind_name(chain.root.kind),
        icon=words.kind_icon(chain.root.kind),
        colour="grey" if ended_at else words.SEVERITY_COLOURS.get(told.severity, "grey"),
        severity=words.severity_word(told.severity),
        badge=words.SEVERITY_BADGES.get(told.severity, "expired"),
        place=text.area_desc if text else "",
        is_test=chain.root.status != Status.ACTUAL,
        until=chain.latest.expires_at,
        ended_at=ended_at,
        outcome=words.outcome_sentence(chain.outcome) if ended_at else "",
        updated_at=told.released_at if told.pk != chain.root.pk else None,
    )


def _chain_or_404(number: int) -> Chain:
    chain = queries.chain_of(number) if number < 2**63 else None
    if chain is None:
        raise Http404
    return chain


def _text(chain: Chain, message: Alert) -> AlertText | None:
    return chain.text_of(message, words.reading_order())


def _steps(chain: Chain, *, now: datetime) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    before: tuple[str, datetime] | None = None
    for message in chain.messages:
        text = _text(chain, message)
        note, until = (text.headline if text else ""), message.expires_at
        if before is not None and note == before[0] and message.msg_type == MsgType.UPDATE:
            # The same headline again says nothing: the end is new, or what stands below it.
            is_other_end = until != before[1]
            note = _("Now until %(moment)s") % {"moment": local_datetime(until)} if is_other_end else ""
            text = None if is_other_end else text
            note = note or (text.description if text else "")
        before = (text.headline if text else before[0] if before else "", until)
        said = {MsgType.ALERT.value: _("Alert"), MsgType.UPDATE.value: _("Update")}.get(message.msg_type, _("End"))
        steps.append(
            {
                "text": said,
                "note": note,
                "note_language": text.language if text else "",
                "at": message.released_at or message.created_at,
                "status": "done",
            }
        )
    ended_at = chain.ended_at(now)
    if ended_at is None:
        steps[-1]["status"] = "now"
    elif chain.latest.msg_type != MsgType.CANCEL:
        sentence = words.outcome_sentence(chain.outcome)
        steps.append({"text": _("End"), "note": sentence, "note_language": "", "at": ended_at, "status": "done"})
    return steps


def _helped(count: int) -> str:
    """Say how many have answered; few are told as "some", for who did is nobody's business."""
    if not count:
        return ""
    if count < FEWEST_TOLD:
        return _("Some people have helped.")
    return _("%(number)s people have helped.") % {"number": count}


def _collection(
    areas: list[tuple[Chain, dict[str, Any]]], *, now: datetime, bbox: list[float] | None = None
) -> HttpResponse:
    features = []
    for chain, area in areas:
        one = shown(chain, now=now)
        title = f"{_('TEST')}: {one.headline}" if one.is_test else one.headline
        properties = {"id": chain.root.pk, "url": one.url, "title": title, "topic": one.kind, "colour": one.colour}
        features.append({"type": "Feature", "geometry": area, "properties": properties})
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if bbox:
        # The map moves to where the area is, which may lie outside the middle of the town.
        collection["bbox"] = bbox
    response = JsonResponse(collection, content_type="application/geo+json")
    response.headers["Cache-Control"] = "public, max-age=30"
    response.headers["Vary"] = "Cookie, Accept-Language"
    response.headers["Content-Language"] = translation.get_language() or ""
    return response
