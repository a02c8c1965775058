"""See, change and end the alerts that one gets, behind the same proof as asking for them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from commonbeat.alerts import subscription_queries as queries
from commonbeat.alerts.actions.subscribing import (
    SubscribeError,
    change_subscription,
    end_all,
    end_subscription,
    full,
)
from commonbeat.alerts.models import Subscription, SubscriptionShape
from commonbeat.foundation import clock
from commonbeat.foundation.phone import normalise_phone
from commonbeat.foundation.text import clean_text
from commonbeat.messaging import queries as messaging
from commonbeat.messaging.actions.browsers import move_browser
from commonbeat.messaging.actions.contacts import AddressError, normalised
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.messaging.push import application_server_key
from commonbeat.places.areas import outline_path
from commonbeat.web import throttle
from commonbeat.web.public import alert_draft as steps
from commonbeat.web.public import alert_proof as proof
from commonbeat.web.public import alert_words as words
from commonbeat.web.public.alert_draft import ChosenPlace, SignUp
from commonbeat.web.public.alert_subscribe import BODY_LIMIT, ask_code, link_of, send_welcome
from commonbeat.web.public.alert_wishes import wish_of
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.limits import at_most, body_size, too_often


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alert_manage(request: HttpRequest) -> HttpResponse:
    """Show what a proven contact gets, or ask for proof."""
    now = clock.now()
    contact = proof.proven(request, now=now)
    if contact is not None:
        return _act(request, contact, now=now) if request.method == "POST" else _list(request, contact)
    if request.method != "POST":
        return _ask(request)
    if throttle.is_over(request, proof.SIGN_UPS):
        return too_often(request)
    throttle.count(request, proof.SIGN_UPS)
    if "push" in request.POST:
        return _by_push(request, now=now)
    return _by_address(request, now=now)


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alert_change(request: HttpRequest, number: int) -> HttpResponse:
    """Change what one place is about: kinds, severity, language, quiet hours, radius and name."""
    now = clock.now()
    contact = proof.proven(request, now=now)
    if contact is None:
        return redirect("public:alert_manage")
    found = queries.own_subscription(contact, number)
    if found is None:
        return redirect("public:alert_manage")
    draft, problems = _draft_of(found), {}
    radius, label = str(found.radius or ""), found.label
    if request.method == "POST":
        draft = SignUp.from_post(request.POST)
        radius, label = request.POST.get("radius", ""), clean_text(request.POST.get("label", ""), steps.LABEL_LIMIT)
        problems = steps.problems_in(steps.WHEN, draft)
        if not problems:
            try:
                change_subscription(
                    contact=contact,
                    subscription_id=found.pk,
                    wish=wish_of(draft),
                    language=draft.speaks or found.language,
                    radius=int(radius) if radius in {str(each) for each in steps.RADII} else None,
                    label=label,
                    now=now,
                )
                return redirect("public:alert_manage")
            except SubscribeError as error:
                problems = {"kind": error.sentence}
    context = {
        "number": found.pk,
        "draft": draft,
        "problems": problems,
        "summary_errors": list(problems.items()),
        "kinds": words.kind_options(),
        "least": steps.least_options(),
        "radii": [(str(metres), steps.distance_text(metres)) for metres in steps.RADII],
        "radius": radius,
        "label": label,
        "is_point": found.shape == SubscriptionShape.POINT,
        "drawn": _drawn(found),
        "town_pmtiles": town_pmtiles() if found.area else "",
        "site_hours": settings.COMMONBEAT.quiet_hours.replace("-", "–"),
    }
    return render(request, "public/alerts/change.html", context, status=422 if problems else 200)


# A service worker has no page and no token. The old address with its secret is the proof.
@csrf_exempt
@require_http_methods(["POST"])
def alert_moved(request: HttpRequest) -> HttpResponse:
    """Take a browser's new address for its old one; both are as secret as a password. Nothing is told of either."""
    if body_size(request) > 10_000:
        return JsonResponse({"error": _("This is too large.")}, status=413)
    if throttle.is_over(request, proof.SIGN_UPS):
        return JsonResponse({"error": _("Please wait a little.")}, status=429)
    throttle.count(request, proof.SIGN_UPS)
    try:
        told = json.loads(request.read(body_size(request)))
        old, fresh = (
            normalised(ContactKind.PUSH, json.dumps(told[name]), settings.COMMONBEAT.region)
            for name in ("old", "fresh")
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return JsonResponse({"error": _("This is no subscription of a browser.")}, status=400)
    move_browser(old=old, fresh=fresh, now=clock.now())
    return JsonResponse({})


def _act(request: HttpRequest, contact: Contact, *, now: datetime) -> HttpResponse:
    go = request.POST.get("go", "")
    if go == "leave":
        proof.forget(request)
        return redirect("public:alerts")
    if go == "end_all":
        end_all(contact=contact, now=now)
        proof.forget(request)
        return render(request, "public/alerts/ended.html", {"is_push": contact.kind == ContactKind.PUSH})
    if go.startswith("end:") and go[4:].isdecimal() and len(go) < 22:
        found = queries.own_subscription(contact, int(go[4:]))
        if found is not None:
            end_subscription(contact=contact, subscription_id=found.pk, now=now)
    elif go == "trial" and contact.kind == ContactKind.PUSH:
        send_welcome(contact, key=f"{contact.pk}:{now.timestamp():.0f}", now=now)
        return _list(request, contact, is_tried=True)
    return redirect("public:alert_manage")


def _list(request: HttpRequest, contact: Contact, *, is_tried: bool = False) -> HttpResponse:
    rows = [_row(found) for found in queries.own_subscriptions(contact)]
    context = {
        "rows": rows,
        "is_push": contact.kind == ContactKind.PUSH,
        "is_tried": is_tried,
        "is_stopped": contact.stopped_at is not None,
        # Of what was just confirmed something found no room.
        "is_full": full() if "full" in request.GET else "",
        "push_key": application_server_key(settings.COMMONBEAT.secret),
    }
    return render(request, "public/alerts/manage.html", context)


def _ask(request: HttpRequest, *, problems: dict[str, str] | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "problems": problems or {},
        "summary_errors": list((problems or {}).items()),
        "typed": request.POST.get("address", "")[:260],
        "has_mail": steps.EMAIL in steps.ways(),
        "push_key": application_server_key(settings.COMMONBEAT.secret),
    }
    return render(request, "public/alerts/ask.html", context, status=422 if problems else 200)


def _by_push(request: HttpRequest, *, now: datetime) -> HttpResponse:
    try:
        address = normalised(ContactKind.PUSH, request.POST.get("push", ""), settings.COMMONBEAT.region)
    except AddressError:
        return _ask(request, problems={"push": _("This browser gets no alerts.")})
    contact = messaging.find_contact(kind=ContactKind.PUSH, address=address)
    if contact is None:
        return _ask(request, problems={"push": _("This browser gets no alerts.")})
    proof.remember(request, contact, now=now)
    return redirect("public:alert_manage")


def _by_address(request: HttpRequest, *, now: datetime) -> HttpResponse:
    typed, region = clean_text(request.POST.get("address", ""), 260), settings.COMMONBEAT.region
    kind = ContactKind.EMAIL if "@" in typed and steps.EMAIL in steps.ways() else ContactKind.PHONE
    if kind == ContactKind.PHONE and normalise_phone(typed, region) is None:
        return _ask(request, problems={"address": _("Type the number or address to which the alerts come.")})
    try:
        address = normalised(kind, typed, region)
    except AddressError:
        return _ask(request, problems={"address": _("Type the number or address to which the alerts come.")})
    contact = messaging.find_contact(kind=kind, address=address)
    has_some = contact is not None and bool(queries.own_subscriptions(contact))
    lasts = proof.LINK_LASTS if kind == ContactKind.EMAIL else proof.CODE_LASTS
    # The page is the same whether or not there is anything, and so is what it holds.
    ask = proof.new_ask(contact.pk if contact is not None and has_some else 0, signs_up=False, lasts=lasts, now=now)
    token = proof.token_of(ask)
    if proof.may_ask(request, contact if has_some else None) and contact is not None and has_some:
        language = contact.language or words.reading_language()
        proof.send_proof(contact, ask, link=link_of(token), language=language, now=now)
    if kind == ContactKind.EMAIL:
        return render(request, "public/alerts/subscribed.html", {"how": steps.EMAIL})
    return ask_code(request, token)


def _row(found: Subscription) -> dict[str, Any]:
    draft = _draft_of(found)
    return {
        "id": found.pk,
        "where": draft.places[0].sentence(),
        "drawn": _drawn(found),
        "what": steps.kinds_text(draft.kinds),
        "least": dict(steps.least_options())[str(draft.least)],
        "quiet": steps.quiet_text(draft),
        "language": str(dict(settings.LANGUAGES).get(found.language, found.language)),
    }


def _drawn(found: Subscription) -> dict[str, Any] | None:
    """Give what a page needs to show an area that its owner drew; None for what was not drawn."""
    if found.area is None:
        return None
    path, width, height = outline_path(found.area)
    return {"path": path, "width": width, "height": height, "geojson": json.dumps(found.area, separators=(",", ":"))}


def _draft_of(found: Subscription) -> SignUp:
    beat = found.beat
    label = found.label or (beat.name[: steps.LABEL_LIMIT] if beat is not None else "")
    place = ChosenPlace(found.shape, label, found.latitude, found.longitude, found.radius, found.beat_id)
    draft = SignUp(
        places=[place],
        kinds=list(found.kinds),
        least=found.least_severity,
        speaks=found.language,
    )
    if found.quiet_from is not None and found.quiet_to is not None:
        is_none = found.quiet_from == found.quiet_to
        draft.quiet = steps.QUIET_NONE if is_none else steps.QUIET_OWN
        if not is_none:
            draft.quiet_from, draft.quiet_to = (
                f"{at // 60:02d}:{at % 60:02d}" for at in (found.quiet_from, found.quiet_to)
            )
    return draft
