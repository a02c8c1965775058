"""Look at an alert before it goes out: who, how it reads, what is odd; then release it, or ask for a second person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from commonbeat.alerts import cap, desk_queries, rules
from commonbeat.alerts.actions.release import is_only_one
from commonbeat.alerts.cap_rows import site_of, to_cap
from commonbeat.alerts.errors import AlertError, MovedOn
from commonbeat.alerts.geometry import geometry_of, square_kilometres
from commonbeat.alerts.models import Alert, AlertState, AlertText, MsgType, Status
from commonbeat.alerts.queries import Line, chain, preview
from commonbeat.alerts.rendering import long_text, push_payload, site_of_settings, sms_text
from commonbeat.foundation import clock
from commonbeat.foundation.text import segments
from commonbeat.people.models import User
from commonbeat.web.accounts import signed_in
from commonbeat.web.desk import alert_text as wording
from commonbeat.web.desk import alert_words as words
from commonbeat.web.desk.alert_compose import steps_of
from commonbeat.web.desk.alert_drafts import drawn_of
from commonbeat.web.desk.alert_looks import TOO_MANY, may_look
from commonbeat.web.desk.alert_where import Where, outline
from commonbeat.web.desk.delivery import money
from commonbeat.web.desk.pages import draw, draw_block, town_map
from commonbeat.web.language import direction_of

# From here on an area is named as large beside what is asked twice when it is drawn.
_LARGE_KM2 = 2_000


@dataclass(frozen=True, slots=True)
class Rendering:
    """How an alert reads in one language."""

    language: str
    name: str
    direction: str
    text: AlertText
    sms: str
    parts: str
    push_title: str
    push_body: str
    email: str


@dataclass(frozen=True, slots=True)
class Warning:
    """What is odd, and where it is mended."""

    sentence: str
    url: str = ""
    link: str = ""


def check(request: HttpRequest, alert: Alert, *, problem: AlertError | None = None) -> HttpResponseBase:
    """Show an alert that is not out, with what its reader may do."""
    viewer, now = signed_in(request), clock.now()
    if request.GET.get("part") == "standing":
        return draw_block(request, "desk/alerts/check.html", "standing", standing(alert, viewer, now))
    unready = _unready(alert, now)
    may_see = bool(alert.texts.all()) and may_look(viewer, alert.area, alert_id=alert.pk, now=now)
    seen = preview(alert, now=now) if may_see else None
    context: dict[str, Any] = {
        "alert": alert,
        "steps": steps_of(alert),
        "kind_name": words.kind_name(alert.kind),
        "rows": summary(alert, now),
        "unready": unready,
        "warnings": _warnings(alert, [] if seen is None else seen.lines, seen is not None and not seen.people, now),
        "reached": words.about(seen.people, seen.is_few) if seen is not None else "",
        "too_many": TOO_MANY if alert.texts.all() and not may_see else "",
        "lines": [_line(line) for line in seen.lines] if seen is not None else [],
        "cost": _cost(None if seen is None else seen.cost_micros),
        "renderings": renderings(alert, now=now),
        "cap": _cap(alert, now) if alert.texts.all() and not unready else "",
        "problem": problem.sentence if problem else "",
        "problem_field": problem.field if problem else "",
        "typed": request.POST if problem else {},
        "is_discarded": alert.state == AlertState.DISCARDED,
        **standing(alert, viewer, now),
        **area_context(alert),
    }
    return draw(request, "desk/alerts/check.html", context, status=status_of(problem) if problem else 200)


def status_of(error: AlertError) -> int:
    """Give the status of a refusal: 409 where somebody was faster, else 422."""
    return 409 if isinstance(error, MovedOn) else 422


def standing(alert: Alert, viewer: User, now: datetime) -> dict[str, Any]:
    """Give what the reader of a draft may do, and how long a second person has been asked."""
    asked, left = words.when_asked(alert, now) if alert.state == AlertState.WAITING else ("", 0)
    return {
        "alert": alert,
        "asked": asked,
        "left": left,
        "takes_two": alert.needs_second,
        # Their unit has nobody else, and the oversight body has set it so.
        "is_single": alert.needs_second and is_only_one(alert, viewer),
        "is_actual": alert.status == Status.ACTUAL,
        "is_author": alert.author_id == viewer.pk,
        "is_waiting": alert.state == AlertState.WAITING,
        "is_out": alert.state == AlertState.RELEASED,
        "is_open": alert.state in (AlertState.DRAFT, AlertState.WAITING),
        "seen": alert.changed_at.isoformat(),
    }


def renderings(alert: Alert, *, now: datetime, texts: Iterable[AlertText] | None = None) -> list[Rendering]:
    """Give how an alert reads by SMS, push and e-mail in each of its languages, the site's first.

    `texts` are the words of one that is not stored.
    """
    site, order = site_of_settings(), list(settings.COMMONBEAT.languages)
    rows = alert.texts.all() if texts is None else texts
    found = []
    for text in sorted(rows, key=lambda one: order.index(one.language) if one.language in order else len(order)):
        sms = sms_text(alert, text, site=site, now=now)
        push = json.loads(push_payload(alert, text, site=site, now=now))
        size = segments(sms)
        parts = f"{size.parts} part" if size.parts == 1 else f"{size.parts} parts"
        found.append(
            Rendering(
                language=text.language,
                name=words.language_name(text.language),
                direction=direction_of(text.language),
                text=text,
                sms=sms,
                parts=f"{parts}, {size.encoding}",
                push_title=push["title"],
                push_body=push["body"],
                email=long_text(alert, text, site=site, now=now),
            )
        )
    return found


def area_context(alert: Alert) -> dict[str, Any]:
    """Give what a page says of where an alert is for."""
    places, more = desk_queries.places_in(alert.area, language="en")
    return {
        "path": outline(alert.area),
        "square_km": square_kilometres(geometry_of(alert.area)),
        "beat_names": desk_queries.beats_in(alert.area),
        "place_names": places,
        "more_places": more,
        "area_address": reverse("desk:alert_area", kwargs={"alert_id": alert.pk}),
        "town_pmtiles": town_map(),
    }


def summary(alert: Alert, now: datetime) -> list[tuple[str, str, str]]:
    """List what was chosen: term, words, and the step in which it is changed."""
    status = {code: label for code, label, _hint in words.STATUSES}.get(alert.status, alert.status)
    return [
        ("What", words.kind_name(alert.kind), ""),
        ("Where", _drawn_words(alert), "where"),
        ("How pressing", f"{alert.urgency}, {alert.severity.lower()}, {alert.certainty.lower()}", "how"),
        ("Until", f"{words.moment(alert.expires_at)} (in {words.lasts(alert.expires_at, now)})", "how"),
        ("To partners", "Schools, taxis and shops get it, too" if alert.to_partners else "No", "how"),
        ("Is it real?", status, "how"),
    ]


def _drawn_words(alert: Alert) -> str:
    drawn = drawn_of(alert)
    circles = [(float(lat), float(lon), float(metres)) for lat, lon, metres in drawn.circles]
    parts = [said for _value, said in Where(circles=circles).circle_lines()]
    if drawn.beats:
        parts.append(f"{len(drawn.beats)} beat" if len(drawn.beats) == 1 else f"{len(drawn.beats)} beats")
    if drawn.polygons:
        parts.append("an outline" if len(drawn.polygons) == 1 else f"{len(drawn.polygons)} outlines")
    return ", ".join(parts)


def _unready(alert: Alert, now: datetime) -> list[Warning]:
    """List what keeps an alert from going out."""
    text, how = (reverse("desk:alert_step", kwargs={"alert_id": alert.pk, "part": name}) for name in ("text", "how"))
    found = [
        Warning(said, f"{text}#id_{field}", "Write it")
        for field, said in wording.unready(wording.texts_of(alert)).items()
    ]
    if alert.expires_at <= now:
        found.append(Warning("Its end has passed.", how, "Choose another"))
    elif not rules.is_fit_expiry(alert.expires_at, now):
        found.append(Warning("An alert runs for 5 minutes at least and 30 days at most.", how, "Change its end"))
    return found


def _warnings(alert: Alert, lines: Sequence[Line], is_nobody: bool, now: datetime) -> list[Warning]:
    where, text, how = (
        reverse("desk:alert_step", kwargs={"alert_id": alert.pk, "part": name}) for name in ("where", "text", "how")
    )
    found = []
    size = square_kilometres(geometry_of(alert.area))
    if size > rules.ASK_TWICE_KM2:
        found.append(Warning(f"The area has {size:,.0f} km²: that is a country or more.", where, "Draw it again"))
    elif size > _LARGE_KM2:
        found.append(Warning(f"The area is large: {size:,.0f} km².", where, "Draw it again"))
    if is_nobody and alert.texts.all():
        found.append(
            Warning(
                f"It would reach {words.FEW} subscribers. It still stands on the public page and in the feeds.",
                where,
                "Change the area",
            )
        )
    said = words.until_warning(alert.expires_at, now)
    if said and alert.expires_at > now:
        found.append(Warning(said, how, "Change its end"))
    have = {one.language for one in alert.texts.all()}
    missing = [code for code in dict.fromkeys(line.language for line in lines) if code not in have]
    if missing:
        names = ", ".join(words.language_name(code) for code in missing)
        said = f"Subscribers read {names}, and it says nothing in that language. They get another one."
        found.append(Warning(said, text, "Write it"))
    if alert.root_id is None:
        found += [_repeats(other) for other in desk_queries.overlapping(alert, now=now)[:3]]
    return found


def _repeats(other: Alert) -> Warning:
    headline = next((one.headline for one in other.texts.all()), "")
    url = reverse("desk:alert_follow", kwargs={"alert_id": other.root_id_or_own, "verb": "update"})
    return Warning(f"An alert of this kind is out for the same ground: “{headline}”.", url, "Update that one instead")


def _line(line: Line) -> dict[str, Any]:
    return {
        "channel": words.channel_kind(line.channel),
        "language": words.language_name(line.language),
        "people": words.FEW if line.is_few else words.people(line.people),
        "parts": line.parts,
        "cost": _cost(line.cost_micros),
    }


def _cost(micros: int | None) -> str:
    return "" if micros is None else money(micros, settings.COMMONBEAT.currency)


def _cap(alert: Alert, now: datetime) -> str:
    """Give the message for other systems as it will be, but for its signature and the moment of its release."""
    before = alert.released_at
    alert.released_at = before or now.replace(microsecond=0)
    try:
        earlier = chain(alert) if alert.msg_type != MsgType.ALERT else []
        return cap.write(to_cap(alert, earlier=earlier, site=site_of(settings.COMMONBEAT))).decode()
    except cap.CapError as error:
        return f"It cannot be written as CAP: {error}"
    finally:
        alert.released_at = before
