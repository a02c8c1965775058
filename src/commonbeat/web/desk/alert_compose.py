"""Write an alert: what, where, in which words, how pressing and until when; saved with each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from commonbeat.alerts import rules
from commonbeat.alerts.actions.drafts import Draft, area_of_drawn, change_draft, compose_draft
from commonbeat.alerts.errors import AlertError, Edited, MovedOn, NotAllowed
from commonbeat.alerts.geometry import Area
from commonbeat.alerts.kinds import KINDS, Kind, kind_of
from commonbeat.alerts.models import Alert, AlertState, MsgType
from commonbeat.alerts.queries import people_for
from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import staff_names
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk import alert_text as wording
from commonbeat.web.desk import alert_words as words
from commonbeat.web.desk.alert_drafts import (
    LASTS,
    alert_or_404,
    draft_of,
    draft_or_404,
    drawn_of,
    first_end,
    read_until,
    seen_in,
    until_text,
)
from commonbeat.web.desk.alert_looks import TOO_MANY, may_look
from commonbeat.web.desk.alert_where import Where, WhereError, area_words, beat_options, outline
from commonbeat.web.desk.pages import draw, draw_block, town_map

STEPS = ("what", "where", "text", "how", "check")
TITLES = {"what": "What", "where": "Where", "text": "Words", "how": "How pressing", "check": "Check"}


@dataclass(frozen=True, slots=True)
class Look:
    """What an area is, for whoever draws it."""

    path: tuple[str, int, int]
    square_km: float
    # How many it would reach, as a sentence.
    said: str
    is_mended: bool


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ALERT)
def new(request: HttpRequest) -> HttpResponseBase:
    """Ask what it is about, then where; with the place there is a draft."""
    kind = KINDS.get(request.GET.get("kind", ""))
    if kind is None:
        context = {"tiles": words.kind_tiles(), "steps": _steps("what", None)}
        return draw(request, "desk/alerts/what.html", context, status=200 if not request.GET.get("kind") else 404)
    return _where(request, None, kind)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ALERT)
def step(request: HttpRequest, alert_id: str | int, part: str) -> HttpResponseBase:
    """Show one step of a draft, or take it in and go to the next."""
    alert = draft_or_404(request, int(alert_id))
    if alert.state not in (AlertState.DRAFT, AlertState.WAITING):
        return redirect("desk:alert", alert_id=alert.pk)
    if part == "where":
        return _where(request, alert, kind_of(alert.kind))
    return _text(request, alert) if part == "text" else _how(request, alert)


@require_POST
@needs(Permission.ALERT)
def measure(request: HttpRequest, alert_id: int) -> HttpResponseBase:
    """Say how words travel by SMS, while they are being written."""
    alert, language = draft_or_404(request, alert_id), request.POST.get("measure", "")
    if language not in settings.COMMONBEAT.languages:
        raise Http404
    # An end says nothing of until when, and of how to answer.
    alert.msg_type = MsgType.CANCEL if request.POST.get("follow") in ("end", "cancel") else alert.msg_type
    texts, problems = wording.read_words(request.POST)
    problem = next((said for name, said in problems.items() if name.endswith(f"_{language}")), "")
    said = texts.get(language)
    measured = wording.measured(alert, language, said, now=clock.now()) if said and not problem else problem
    return draw_block(request, "desk/alerts/text.html", "measure", {"measured": measured})


def look_at(area: Area, alert: Alert | None, kind: Kind, viewer: User) -> Look:
    """Say how large an area is, and how many would hear of such an alert in it."""
    severity = alert.severity if alert is not None else kind.severity
    said = TOO_MANY
    if may_look(viewer, area.geojson, alert_id=alert.pk if alert is not None else None, now=clock.now()):
        reached = words.about(*people_for(area=area.geojson, kind=kind.code, severity=severity))
        said = f"It would reach {reached}."
    return Look(outline(area.geojson), area.square_km, said, area.is_mended)


def refused(request: HttpRequest, error: AlertError, alert_id: int | None) -> HttpResponseBase | None:
    """Answer what is no matter of the form: the alert is not the person's, or it has moved on."""
    if isinstance(error, NotAllowed):
        raise Http404
    if isinstance(error, MovedOn) and not isinstance(error, Edited) and alert_id is not None:
        messages.warning(request, error.sentence)
        return redirect("desk:alert", alert_id=alert_id)
    return None


# ------------------------------------------------------------------ the steps


def _where(request: HttpRequest, alert: Alert | None, kind: Kind) -> HttpResponseBase:
    actor, now = signed_in(request), clock.now()
    where = Where.from_drawn(drawn_of(alert)) if alert is not None else Where()
    if request.method != "POST":
        return _where_page(request, alert, kind, where, {})
    go, problems = request.POST.get("go", "next"), {}
    look: Look | None = None
    try:
        where = Where.from_post(request.POST)
        if go == "all":
            where.beats = [pk for pk, _name in beat_options()]
        where.take_place(request.POST.get("match", ""))
        area = area_of_drawn(where.drawn(), is_large_meant=True)
        look = look_at(area, alert, kind, actor)
        if go in ("next", "all"):
            area_of_drawn(where.drawn(), is_large_meant=where.is_large_meant)
            saved = _save_where(where, alert, kind, actor, request.POST, now)
            if area.is_mended:
                messages.warning(request, "The outline crossed itself and was mended. Look at the map before you send.")
            return redirect("desk:alert_step", alert_id=saved.pk, part="text")
    except WhereError as error:
        problems[error.field] = error.sentence
    except AlertError as error:
        answer = refused(request, error, alert.pk if alert else None)
        if answer is not None:
            return answer
        if isinstance(error, Edited) and alert is not None:
            return _where_page(request, alert_or_404(actor, alert.pk), kind, where, {"": error.sentence}, look, 409)
        problems["large" if look is not None and error.field == "area" else error.field] = error.sentence
    if request.headers.get("HX-Request"):
        context = {"look": look, "problem": "" if look else next(iter(problems.values()), "")}
        return draw_block(request, "desk/alerts/where.html", "look", context)
    return _where_page(request, alert, kind, where, problems, look)


def _save_where(where: Where, alert: Alert | None, kind: Kind, actor: User, post: QueryDict, now: datetime) -> Alert:
    drawn = where.drawn()
    areas = {language: area_words(drawn, language) for language in settings.COMMONBEAT.languages}
    if alert is None:
        draft = Draft(
            kind=kind.code,
            urgency=kind.urgency,
            severity=kind.severity,
            certainty=kind.certainty,
            expires_at=first_end(kind, now),
            drawn=drawn,
            texts=wording.first_words(kind, areas),
            to_partners=kind.to_partners,
            is_large_meant=where.is_large_meant,
        )
        return compose_draft(draft=draft, actor=actor, now=now)
    # The words for the area follow it, unless somebody has written others.
    before, texts = drawn_of(alert), wording.texts_of(alert)
    for language, said in texts.items():
        if not said.area_desc or said.area_desc == area_words(before, language):
            texts[language] = replace(said, area_desc=areas.get(language, ""))
    changed = draft_of(alert, now=now, drawn=drawn, texts=texts, is_large_meant=where.is_large_meant)
    return change_draft(alert_id=alert.pk, draft=changed, actor=actor, now=now, seen=seen_in(post))


def _where_page(
    request: HttpRequest,
    alert: Alert | None,
    kind: Kind,
    where: Where,
    problems: Mapping[str, str],
    look: Look | None = None,
    status: int = 0,
) -> HttpResponseBase:
    if look is None and alert is not None and request.method != "POST":
        area = None if problems else area_of_drawn(drawn_of(alert), is_large_meant=True)
        look = None if area is None else look_at(area, alert, kind, signed_in(request))
    context = _context("where", alert, kind, problems) | where_context(where) | {"look": look}
    return draw(request, "desk/alerts/where.html", context, status=status or (422 if problems else 200))


def where_context(where: Where) -> dict[str, Any]:
    """Give what the part of a page needs that asks where."""
    options = settings.COMMONBEAT
    return {
        "where": where,
        "circles": where.circle_lines(),
        "beats": beat_options(),
        "town_pmtiles": town_map(),
        "latitude": options.map_latitude,
        "longitude": options.map_longitude,
        "zoom": options.map_zoom,
    }


def _text(request: HttpRequest, alert: Alert) -> HttpResponseBase:
    actor, now = signed_in(request), clock.now()
    problems: dict[str, str] = {}
    texts, status = wording.texts_of(alert), 0
    if request.method == "POST":
        texts, problems = wording.read_words(request.POST)
        if not problems:
            try:
                draft = draft_of(alert, now=now, texts=texts)
                alert = change_draft(alert_id=alert.pk, draft=draft, actor=actor, now=now, seen=seen_in(request.POST))
                problems = {} if request.POST.get("go") == "save" else wording.unready(texts)
                if not problems and request.POST.get("go") != "save":
                    return redirect("desk:alert_step", alert_id=alert.pk, part="how")
                messages.success(request, "The draft is saved.")
            except Edited as error:
                alert = alert_or_404(actor, alert.pk)
                problems, status = {"": error.sentence}, 409
            except AlertError as error:
                answer = refused(request, error, alert.pk)
                if answer is not None:
                    return answer
                problems[error.field] = error.sentence
    context = _context("text", alert, kind_of(alert.kind), problems) | {
        "languages_shown": wording.shown(texts, alert, now=now),
        "labels": wording.LABELS,
        "limits": wording.LIMITS,
        "main_name": words.language_name(settings.COMMONBEAT.languages[0]),
        "present": wording.texts_of(alert) if status == 409 else {},
    }
    return draw(request, "desk/alerts/text.html", context, status=status or (422 if problems else 200))


def _how(request: HttpRequest, alert: Alert) -> HttpResponseBase:
    actor, now = signed_in(request), clock.now()
    values: dict[str, Any] = {
        "urgency": alert.urgency,
        "severity": alert.severity,
        "certainty": alert.certainty,
        "status": alert.status,
        "to_partners": alert.to_partners,
        "until": until_text(alert.expires_at if rules.is_fit_expiry(alert.expires_at, now) else _new_end(alert, now)),
        "lasts": "",
    }
    problems, code = {}, 0
    if request.method == "POST":
        post = request.POST
        values = {name: post.get(name, "")[:40] for name in values} | {"to_partners": post.get("to_partners") == "on"}
        # A correction is as real as what it corrects.
        values["status"] = alert.status if alert.root_id else values["status"]
        try:
            draft = draft_of(
                alert,
                now=now,
                expires_at=read_until(post, now=now),
                **{name: values[name] for name in ("urgency", "severity", "certainty", "status", "to_partners")},
            )
            change_draft(alert_id=alert.pk, draft=draft, actor=actor, now=now, seen=seen_in(post))
            return redirect("desk:alert", alert_id=alert.pk)
        except Edited as error:
            alert = alert_or_404(actor, alert.pk)
            problems, code = {"": error.sentence}, 409
        except AlertError as error:
            answer = refused(request, error, alert.pk)
            if answer is not None:
                return answer
            problems = {"until" if error.field == "expires_at" else error.field: error.sentence}
    context = _context("how", alert, kind_of(alert.kind), problems) | {
        "values": values,
        "urgencies": words.URGENCIES,
        "severities": words.SEVERITIES,
        "certainties": words.CERTAINTIES,
        "statuses": words.STATUSES,
        "lasts": LASTS,
        "zone": settings.COMMONBEAT.time_zone,
    }
    return draw(request, "desk/alerts/how.html", context, status=code or (422 if problems else 200))


def _context(name: str, alert: Alert | None, kind: Kind, problems: Mapping[str, str]) -> dict[str, Any]:
    editor = ""
    if problems.get("") and alert is not None and alert.author_id:
        editor = staff_names({alert.author_id}).get(alert.author_id, "")
    return {
        "alert": alert,
        "kind": kind,
        "kind_name": kind.name_in("en"),
        "step": name,
        "steps": _steps(name, alert),
        "problems": problems,
        "all_problems": [(field or None, said) for field, said in problems.items()],
        "editor": editor,
        "seen": alert.changed_at.isoformat() if alert is not None else "",
    }


def _steps(current: str, alert: Alert | None) -> list[tuple[str, str, bool]]:
    """List the steps: title, address where there is a draft, whether it is this one."""
    found = []
    for name in STEPS:
        address = ""
        if alert is not None and name in ("where", "text", "how"):
            address = reverse("desk:alert_step", kwargs={"alert_id": alert.pk, "part": name})
        elif alert is not None and name == "check":
            address = reverse("desk:alert", kwargs={"alert_id": alert.pk})
        found.append((TITLES[name], address, name == current))
    return found


def steps_of(alert: Alert) -> list[tuple[str, str, bool]]:
    """List the steps for the last of them."""
    return _steps("check", alert)


def _new_end(alert: Alert, now: datetime) -> datetime:
    return first_end(kind_of(alert.kind), now)
