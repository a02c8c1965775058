"""Ask for alerts: where, what, how and when, one thing per page; then prove that the address is one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.alerts.actions.subscribing import SubscribeError, confirm
from commonbeat.alerts.drawn_areas import DrawnError, checked, outline_of
from commonbeat.alerts.models import SubscriptionShape
from commonbeat.alerts.rules import MOST_CORNERS
from commonbeat.foundation import clock
from commonbeat.foundation.text import clean_text
from commonbeat.messaging.actions import AddressError, contact_for, enqueue, start_contact
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.messaging.push import application_server_key
from commonbeat.places.models import Beat
from commonbeat.web import throttle
from commonbeat.web.language import direction_of
from commonbeat.web.public import alert_draft as steps
from commonbeat.web.public import alert_proof as proof
from commonbeat.web.public import alert_words as words
from commonbeat.web.public.alert_draft import ChosenPlace, SignUp
from commonbeat.web.public.alert_wishes import language_of, refuse_unfit_draft, store
from commonbeat.web.public.draft import Draft
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.limits import at_most, too_often
from commonbeat.web.public.where import AS_TYPED, Answer, settle

BODY_LIMIT = 50_000
LONGEST_DRAWN = 5_000


@dataclass(slots=True)
class Form:
    """One showing of the form."""

    draft: SignUp
    step: str
    # Whose it is, where that is proven already: then nobody is asked how to reach them.
    contact: Contact | None = None
    problems: dict[str, str] = field(default_factory=dict)
    typed: Draft = field(default_factory=Draft.new)
    where: Answer = field(default_factory=Answer)
    returns: bool = False
    # Of the step "where": the page on which an area is drawn, and what was drawn there that cannot be one.
    is_drawing: bool = False
    drawn: str = ""

    @property
    def steps(self) -> list[str]:
        """List the steps."""
        return [step for step in steps.STEPS if step != steps.HOW or self.contact is None]


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alert_subscribe(request: HttpRequest) -> HttpResponse:
    """Show one step, or take it in and show the next."""
    now = clock.now()
    contact = proof.proven(request, now=now)
    if request.method != "POST":
        return show(request, Form(SignUp(speaks=words.reading_language()), steps.WHERE, contact))
    form = Form(SignUp.from_post(request.POST), request.POST.get("step", ""), contact)
    form.returns = request.POST.get("returns") == "yes"
    if form.step not in form.steps:
        form.step = steps.WHERE
    go = request.POST.get("go", "next")
    if request.POST.get("language", "") in settings.COMMONBEAT.languages:
        from commonbeat.web.public.pages import remember_language

        form.is_drawing, form.drawn = "drawn" in request.POST, request.POST.get("drawn", "")[:LONGEST_DRAWN]
        with translation.override(request.POST["language"]):
            response = show(request, form)
        remember_language(response, request.POST["language"])
        return response
    if go == "back":
        form.step = form.steps[max(0, form.steps.index(form.step) - 1)]
        return show(request, form)
    if go in form.steps:
        form.step, form.returns = go, True
        return show(request, form)
    if form.step == steps.WHERE and not _take_place(request, form, go):
        return show(request, form)
    form.problems |= steps.problems_in(form.step, form.draft)
    if not form.problems:
        following = form.steps[min(len(form.steps) - 1, form.steps.index(form.step) + 1)]
        form.step, form.returns = (steps.CHECK if form.returns else following), False
    return show(request, form)


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alert_subscribed(request: HttpRequest) -> HttpResponse:
    """Take the wish in, and ask for proof unless the browser itself is the address."""
    if request.method != "POST":
        return redirect("public:alert_subscribe")
    now = clock.now()
    form = Form(SignUp.from_post(request.POST), steps.CHECK, proof.proven(request, now=now))
    for step in form.steps:
        problems = steps.problems_in(step, form.draft)
        if problems:
            form.step, form.problems, form.returns = step, problems, True
            return show(request, form)
    try:
        # Before anybody's number is looked at: what is wrong with a wish must tell nothing of whose it is.
        refuse_unfit_draft(form.draft)
        if throttle.is_over(request, proof.SIGN_UPS):
            return too_often(request)
        throttle.count(request, proof.SIGN_UPS)
        if form.contact is not None:
            store(form.contact, form.draft, now=now)
            return redirect("public:alert_manage")
        if form.draft.how == steps.PUSH:
            return _by_push(request, form, now=now)
        return _by_address(request, form, now=now)
    except SubscribeError as error:
        form.step, form.problems = steps.WHERE, {"place_text": error.sentence}
        return show(request, form)


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alert_code(request: HttpRequest) -> HttpResponse:
    """Take the code that came by text message: it confirms what waits, or opens the page of what is there."""
    if request.method != "POST":
        return redirect("public:alert_manage")
    now = clock.now()
    token = request.POST.get("token", "")
    ask = proof.open_token(token, now=now)
    if ask is None:
        return ask_code(request, "", problem=_("This page is too old. Please begin again."), status=422)
    if throttle.is_over(request, proof.SIGN_UPS._replace(name="alert codes typed", most=60)):
        return too_often(request)
    throttle.count(request, proof.SIGN_UPS._replace(name="alert codes typed", most=60))
    contact = Contact.objects.filter(pk=ask.contact_id).first()
    if not proof.is_right_code(ask, request.POST.get("code", "")) or contact is None:
        said = _("This is not the code. Check the message, or wait for it a little longer.")
        return ask_code(request, token, problem=said, status=422)
    return _proven(request, contact, ask, now=now)


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alert_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button for what a mail's link leads to: programs that look at links must not press it."""
    now = clock.now()
    ask = proof.open_token(token, now=now)
    contact = Contact.objects.filter(pk=ask.contact_id).first() if ask is not None else None
    if ask is None or contact is None:
        return render(request, "public/alerts/link.html", {"is_old": True}, status=410)
    if request.method != "POST":
        return render(request, "public/alerts/link.html", {"is_old": False, "confirms": ask.signs_up})
    return _proven(request, contact, ask, now=now)


def ask_code(request: HttpRequest, token: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    """Ask for the code."""
    context = {"token": token, "problem": problem, "errors": [("code", problem)] if problem else []}
    return render(request, "public/alerts/code.html", context, status=status)


def show(request: HttpRequest, form: Form, *, status: int = 0) -> HttpResponse:
    """Show a step, with everything that was said before carried along."""
    draft = form.draft
    asked_here = frozenset() if form.is_drawing else steps.OWN_FIELDS.get(form.step, frozenset())
    context: dict[str, Any] = {
        "form": form,
        "draft": draft,
        "step": form.step,
        "number": form.steps.index(form.step) + 1,
        "total": len(form.steps),
        "carried": list(draft.hidden_fields(asked_here)),
        "problems": form.problems,
        "summary_errors": list(form.problems.items()),
        "language_form": "subscribe-form",
        "language_action": reverse("public:alert_subscribe"),
    }
    if form.is_drawing:
        context |= {
            "label": clean_text(request.POST.get("label", ""), steps.LABEL_LIMIT),
            "most_corners": MOST_CORNERS,
            "town_pmtiles": town_pmtiles(),
        }
    elif form.step == steps.WHERE:
        context |= {
            "typed": form.typed,
            "point": form.typed.point(),
            "as_typed": AS_TYPED,
            "beats": steps.beat_options(),
            "radii": [(str(metres), steps.distance_text(metres)) for metres in steps.RADII],
            "radius": request.POST.get("radius") or str(steps.USUAL_RADIUS),
            "town_pmtiles": town_pmtiles(),
        }
    elif form.step == steps.WHAT:
        context |= {"kinds": words.kind_options(), "least": steps.least_options()}
    elif form.step == steps.HOW:
        context["ways"] = steps.ways()
    elif form.step == steps.WHEN:
        context["site_hours"] = settings.COMMONBEAT.quiet_hours.replace("-", "–")
    elif form.step == steps.CHECK:
        context["rows"] = _summary(form)
        context["push_key"] = application_server_key(settings.COMMONBEAT.secret) if _is_push(form) else ""
    response = render(
        request, "public/alerts/subscribe.html", context, status=status or (422 if form.problems else 200)
    )
    # A step is the answer to a POST, and "back" could not show it again without this.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def push_text(title: str, body: str, *, language: str, topic: str) -> str:
    """Write a push message of this page's own, as the service worker reads it."""
    told = {"title": title, "body": body, "lang": language, "dir": direction_of(language), "topic": topic}
    return msgspec.json.encode(told).decode()


def send_welcome(contact: Contact, *, key: str, now: datetime) -> None:
    """Send a browser a message by which its owner sees that they come."""
    language = contact.language or words.reading_language()
    with translation.override(language):
        title = _("Alerts of %(site)s come here") % {"site": settings.COMMONBEAT.site_name}
        body = _("This is how they look. You can end them at any time.")
        text = push_text(title, body, language=language, topic="welcome")
    enqueue(contact=contact, text=text, idempotency_key=f"alerts:welcome:{key}", now=now)


def _take_place(request: HttpRequest, form: Form, go: str) -> bool:
    """Take what was typed, tapped or chosen; tell whether the form may leave this step."""
    post, draft = request.POST, form.draft
    if go.startswith("drop:") and go[5:].isdecimal():
        draft.places = [place for at, place in enumerate(draft.places) if at != int(go[5:])]
        return False
    if go == "draw":
        form.is_drawing = True
        return False
    if go == "drawn":
        _take_drawn(request, form)
        return False
    if go == "all":
        draft.places = [ChosenPlace(SubscriptionShape.ALL)]
        return True
    beat = post.get("beat", "")
    if beat.isdecimal() and len(beat) < 18:
        found = Beat.objects.filter(pk=int(beat)).first()
        if found is not None:
            label = found.name[: steps.LABEL_LIMIT]
            _put(draft, ChosenPlace(SubscriptionShape.BEAT, label, beat_id=found.pk))
    form.typed = Draft.from_post(post)
    if form.typed.place_text or form.typed.point() is not None:
        language = words.reading_language()
        match = post.get("match", "")
        form.where = settle(
            form.typed, match="" if match == AS_TYPED else match, typed_for=post.get("typed_for", ""), language=language
        )
        point = form.typed.point()
        if form.where.problem:
            form.problems["place_text"] = form.where.problem
        if not form.where.is_settled or point is None:
            return False
        radius = post.get("radius", "")
        metres = int(radius) if radius in {str(each) for each in steps.RADII} else steps.USUAL_RADIUS
        label = post.get("label", "").strip() or form.typed.place_text
        _put(draft, ChosenPlace.point(*point, metres, label))
        form.typed, form.where = Draft.new(), Answer()
    if go == "add":
        form.problems |= {} if draft.places else steps.problems_in(steps.WHERE, draft)
        return False
    return True


def _take_drawn(request: HttpRequest, form: Form) -> None:
    """Take the area that was drawn, or show the map again with what is wrong with it."""
    form.drawn = request.POST.get("drawn", "")[:LONGEST_DRAWN]
    try:
        outline = outline_of(json.loads(form.drawn))
        checked(outline)
        _put(form.draft, ChosenPlace.area(outline, request.POST.get("label", "")))
    except DrawnError as error:
        form.is_drawing, form.problems["drawn"] = True, error.sentence
    except (ValueError, RecursionError):
        form.is_drawing, form.problems["drawn"] = True, _("Draw one area on the map.")


def _put(draft: SignUp, place: ChosenPlace) -> None:
    # Whoever names a place does not mean the whole town any more.
    draft.places = [one for one in draft.places if one.shape != SubscriptionShape.ALL and one != place]
    draft.places.append(place)


def _by_push(request: HttpRequest, form: Form, *, now: datetime) -> HttpResponse:
    try:
        with transaction.atomic():
            contact = contact_for(
                kind=ContactKind.PUSH, address=request.POST.get("push", ""), language=form.draft.speaks, now=now
            )
            # Only this browser knows its own address, so that it is its owner who asks, also after an end.
            start_contact(contact=contact, now=now)
            made = store(contact, form.draft, now=now)
    except AddressError:
        said = _("This browser gave no address for alerts. Allow notifications for this site, or choose another way.")
        form.step, form.problems = steps.HOW, {"how": said}
        return show(request, form)
    proof.remember(request, contact, now=now)
    send_welcome(contact, key=str(made[-1].pk), now=now)
    return render(request, "public/alerts/subscribed.html", {"how": steps.PUSH})


def _by_address(request: HttpRequest, form: Form, *, now: datetime) -> HttpResponse:
    kind, address = form.draft.address()
    language = language_of(form.draft)
    # Neither language nor channel is noted of the contact: whoever types an address here need not be its owner.
    contact = contact_for(kind=kind, address=address, now=now)
    lasts = proof.LINK_LASTS if kind == ContactKind.EMAIL else proof.CODE_LASTS
    ask = proof.new_ask(contact.pk, signs_up=True, lasts=lasts, now=now)
    token = proof.token_of(ask)
    if proof.may_ask(request, contact):
        # Beside whatever else waits for this address, also where it is as much as there may be: the owner hears of it
        # behind the code, and a stranger learns nothing.
        with transaction.atomic():
            store(contact, form.draft, asked_key=ask.nonce, now=now)
            proof.send_proof(contact, ask, link=link_of(token), language=language, now=now)
    if kind == ContactKind.EMAIL:
        return render(request, "public/alerts/subscribed.html", {"how": steps.EMAIL})
    return ask_code(request, token)


def link_of(token: str) -> str:
    """Give the address that a mail leads to."""
    return settings.COMMONBEAT.site_url.rstrip("/") + reverse("public:alert_link", kwargs={"token": token})


def _proven(request: HttpRequest, contact: Contact, ask: proof.Ask, *, now: datetime) -> HttpResponse:
    """Confirm what waited, and show what there is."""
    left_out = confirm(contact=contact, asked_key=ask.nonce, now=now).left_out if ask.signs_up else 0
    proof.remember(request, contact, now=now)
    return redirect(reverse("public:alert_manage") + ("?full" if left_out else ""))


def _is_push(form: Form) -> bool:
    return form.contact is None and form.draft.how == steps.PUSH


def _summary(form: Form) -> list[dict[str, str]]:
    """Put everything that is asked for into words, each with the step that changes it."""
    draft = form.draft
    how = {steps.PUSH: _("In this browser"), steps.PHONE: draft.phone, steps.EMAIL: draft.email}
    least = dict(steps.least_options())[str(draft.least)]
    speaks = dict(settings.LANGUAGES).get(draft.speaks or words.reading_language(), "")
    rows = [
        (_("Where"), "\n".join(place.sentence() for place in draft.places), steps.WHERE),
        (_("What"), steps.kinds_text(draft.kinds), steps.WHAT),
        (_("How bad"), least, steps.WHAT),
        (_("Language"), str(speaks), steps.WHEN),
        (_("Quiet hours"), steps.quiet_text(draft), steps.WHEN),
    ]
    if form.contact is None:
        rows.insert(3, (_("How"), how.get(draft.how, ""), steps.HOW))
    return [{"term": term, "value": value, "step": step} for term, value, step in rows]
