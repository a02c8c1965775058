"""The report form: one thing per page, without JavaScript, storing nothing before "Send"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from commonbeat.alerts.actions.sightings import tie_sighting
from commonbeat.foundation import clock
from commonbeat.media.actions import keep_photo
from commonbeat.media.images import NotAPicture, PictureTooLarge
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.models import ContactKind
from commonbeat.reports.actions.proxies import record_said_consent
from commonbeat.reports.actions.submit import PHOTO_LIMIT, submit_report
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.answers import check_answers, check_categories
from commonbeat.topics.definition import FieldKind, text_in
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import enabled_topics, offered_topics
from commonbeat.web import throttle
from commonbeat.web.public import steps
from commonbeat.web.public.alerts import answered
from commonbeat.web.public.draft import ANSWER_PREFIX, PARTS, Draft, raw_answers
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.limits import at_most
from commonbeat.web.public.pages import forgotten, remember_language
from commonbeat.web.public.summary import photos_of, summary_rows
from commonbeat.web.public.where import AS_TYPED, Answer, settle

# Three photos at their limit, and the fields.
BODY_LIMIT = 3 * settings.PHOTO_LIMIT_BYTES + 1_000_000


def report_start(request: HttpRequest) -> HttpResponse:
    """Ask what the report is about."""
    return render(request, "public/report/start.html", {"topics": offered_topics()})


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def report_form(request: HttpRequest, code: str) -> HttpResponse:
    """Show one step of a topic's form, or take it in and show the next."""
    topic = topic_or_404(code)
    if needs_account(topic, request):
        return render(request, "public/report/sign_in.html", {"topic": topic}, status=403)
    all_steps = steps.steps_of(topic.definition)
    if request.method != "POST":
        return show(request, Form(topic, Draft.new(), all_steps[0]))
    now = clock.now()
    draft = Draft.from_post(request.POST)
    step = request.POST.get("step", "")
    form = Form(topic, draft, step if step in all_steps else all_steps[0])
    form.returns = request.POST.get("returns") == "yes"
    go = request.POST.get("go", "next")
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        return _in_language(request, form, language, now=now)
    if form.step == steps.PHOTOS:
        go = _take_photos(request, form, go, now=now)
    if go == "back":
        form.step = all_steps[max(0, all_steps.index(form.step) - 1)]
        return show(request, form)
    if go in all_steps:
        # A "change" on the last page comes back to it.
        form.step, form.returns = go, True
        return show(request, form)
    form.problems |= steps.problems_in(form.step, draft, topic.definition, now=now)
    if form.step == steps.WHERE:
        _settle_where(request, form, go)
    if go == "stay" or form.problems or not form.where.is_settled:
        return show(request, form)
    if form.returns:
        form.step, form.returns = steps.CHECK, False
    else:
        form.step = all_steps[min(len(all_steps) - 1, all_steps.index(form.step) + 1)]
    return show(request, form)


def _in_language(request: HttpRequest, form: Form, language: str, *, now: datetime) -> HttpResponse:
    """Show the same step in another language, with everything that was typed and chosen."""
    with translation.override(language):
        if form.step == steps.PHOTOS:
            _take_photos(request, form, "stay", now=now)
        response = show(request, form)
    response.headers["Content-Language"] = language
    remember_language(response, language)
    return response


@at_most(BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def report_done(request: HttpRequest) -> HttpResponse:
    """Take the report in and show its reference; the reference stands in this answer alone, never in an address."""
    if request.method != "POST":
        return redirect("public:lookup")
    topic = topic_or_404(request.POST.get("topic", ""))
    if needs_account(topic, request):
        return render(request, "public/report/sign_in.html", {"topic": topic}, status=403)
    now = clock.now()
    form = Form(topic, Draft.from_post(request.POST), steps.CHECK)
    for step in steps.steps_of(topic.definition):
        problems = steps.problems_in(step, form.draft, topic.definition, now=now)
        if problems:
            form.step, form.problems, form.returns = step, problems, True
            return show(request, form)
    key = client_key_of(form.draft.key)
    if throttle.is_over(request, throttle.REPORTS) and not Report.objects.filter(client_key=key).exists():
        form.problems = {"": _("Very many reports came from your network within the hour. Please send it later.")}
        return show(request, form, status=429)
    report, is_new = send(form.draft, topic, request=request, now=now)
    if is_new:
        throttle.count(request, throttle.REPORTS)
    response = render(
        request,
        "public/report/done.html",
        {"topic": topic, "reference_text": report.reference, "has_phone": report.contact_id is not None},
    )
    # The steps were kept for "back"; once the report is sent, nothing of it stays in the browser.
    return forgotten(response)


@dataclass(slots=True)
class Form:
    """One showing of the form."""

    topic: Topic
    draft: Draft
    step: str
    problems: dict[str, str] = field(default_factory=dict)
    where: Answer = field(default_factory=Answer)
    returns: bool = False


def send(
    draft: Draft, topic: Topic, *, request: HttpRequest, now: datetime, written_at: datetime | None = None
) -> tuple[Report, bool]:
    """Hand a checked draft to the one door of reports; `written_at` is when "today" was said, if that was earlier."""
    written_at = written_at or now
    assert topic.current is not None
    definition = topic.definition
    language = translation.get_language() or settings.LANGUAGE_CODE
    today = timezone.localtime(written_at).date()
    answers, _errors = check_answers(definition, raw_answers(draft, definition, today), today=today)
    user = request.user
    with transaction.atomic():
        contact_id = None
        if draft.phone:
            # Neither channel nor language: whoever types a number here need not be its owner.
            contact_id = contact_for(kind=ContactKind.PHONE, address=draft.phone, now=now).pk
        report, is_new = submit_report(
            version=topic.current,
            text=draft.text,
            language=language,
            channel="web",
            client_key=client_key_of(draft.key),
            now=now,
            categories=check_categories(definition, draft.categories),
            answers=answers,
            where=draft.whereabouts(),
            occurred_at=draft.occurred_at(written_at),
            contact_id=contact_id,
            contact_confirmed=False,
            # Whoever is signed in still reports anonymously, unless the topic asks for an account.
            reporter_id=user.pk if definition.who_may_report == "account" and user.is_authenticated else None,
            photo_ids=[photo.pk for photo in photos_of(draft)],
        )
        if is_new and draft.alert:
            tie_sighting(alert_id=draft.alert, report_id=report.pk, now=now)
        if is_new and draft.consent:
            record_said_consent(report_id=report.pk, consent=draft.consent, now=now)
        if not is_new:
            # No number is kept without the report that it came with.
            transaction.set_rollback(True)
    return report, is_new


def client_key_of(key: str) -> str:
    """Name a form's key as reports store it; the offline page uses the same, so that both are one report."""
    return f"web-{key}"


def topic_or_404(code: str) -> Topic:
    """Give an enabled topic."""
    topic = next((topic for topic in enabled_topics() if topic.code == code), None)
    if topic is None:
        raise Http404
    return topic


def needs_account(topic: Topic, request: HttpRequest) -> bool:
    """Tell whether the topic is open to accounts only, and nobody is signed in."""
    return topic.definition.who_may_report == "account" and not request.user.is_authenticated


def show(request: HttpRequest, form: Form, *, status: int = 0) -> HttpResponse:
    """Show a step, with everything that was typed before it carried along."""
    definition, draft = form.topic.definition, form.draft
    language = translation.get_language() or settings.LANGUAGE_CODE
    all_steps = steps.steps_of(definition)
    own = steps.OWN_FIELDS.get(form.step, frozenset())
    if form.step == steps.QUESTIONS:
        own = frozenset(ANSWER_PREFIX + question.code for question in steps.questions_of(definition))
    context: dict[str, Any] = {
        "form": form,
        "topic": form.topic,
        "definition": definition,
        "draft": draft,
        "step": form.step,
        "number": all_steps.index(form.step) + 1,
        "total": len(all_steps),
        "carried": list(draft.hidden_fields(own)),
        "problems": form.problems,
        "summary_errors": [(_control(form, name), _named(form, name, text)) for name, text in form.problems.items()],
        "language_form": "report-form",
        "language_action": reverse("public:report_form", kwargs={"code": form.topic.code}),
        "question": {
            steps.WHAT: steps.question_of(definition, "what", language, _("What happened?")),
            "when": steps.question_of(definition, "when", language, _("When was it?")),
            steps.WHERE: steps.question_of(definition, "where", language, _("Where did it happen?")),
        },
        "answers": answered(draft.alert, now=clock.now()) if draft.alert else None,
        "as_typed": AS_TYPED,
        "parts": list(PARTS),
    }
    if form.step == steps.WHAT:
        context["today"] = timezone.localdate().isoformat()
        context["asks_part"] = steps.asks_part_of_day(definition)
        context["text_optional"] = not steps.text_is_required(definition)
    elif form.step == steps.QUESTIONS:
        context["questions"] = steps.questions_of(definition)
    elif form.step == steps.WHERE:
        context["point"] = draft.point()
        context["public_place"] = steps.public_place_sentence(definition)
        context["town_pmtiles"] = town_pmtiles()
    elif form.step == steps.PHOTOS:
        context["photos"] = photos_of(draft)
        context["photo_limit"] = PHOTO_LIMIT
        context["photo_field"] = next(f for f in definition.fields if f.kind is FieldKind.PHOTO)
    elif form.step == steps.CHECK:
        context["consents"] = steps.consents()
        context["rows"] = summary_rows(form.topic, draft)
    response = render(request, "public/report/step.html", context, status=status or (422 if form.problems else 200))
    # Not "no-store": a step is the answer to a POST, and "back" could not show it again. See forgotten() for its end.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _control(form: Form, name: str) -> str | None:
    if not name:
        return None
    if name.startswith(ANSWER_PREFIX) and name.removeprefix(ANSWER_PREFIX) not in {
        question.code for question in form.topic.definition.fields
    }:
        return None
    return name


def _named(form: Form, name: str, sentence: str) -> str:
    """Put the question before a sentence such as "Choose an answer.", which alone names none."""
    code = name.removeprefix(ANSWER_PREFIX)
    asked = next((each for each in form.topic.definition.fields if name != code and each.code == code), None)
    if asked is None:
        return sentence
    label = text_in(asked.label, translation.get_language() or settings.LANGUAGE_CODE)
    return f"{label} {sentence}" if label.endswith(("?", "؟", ".", ":")) else f"{label}: {sentence}"


def _settle_where(request: HttpRequest, form: Form, go: str) -> None:
    if go == "nowhere":
        form.draft.place_source = PlaceSource.NONE
        form.draft.place_text = form.draft.latitude = form.draft.longitude = ""
        return
    form.where = settle(
        form.draft,
        match=request.POST.get("match", "") if go != "search" else "",
        typed_for=request.POST.get("typed_for", "") if go != "search" else "",
        language=translation.get_language() or settings.LANGUAGE_CODE,
    )
    if form.where.problem:
        form.problems["place_text"] = form.where.problem


def _take_photos(request: HttpRequest, form: Form, go: str, *, now: datetime) -> str:
    """Keep what was uploaded, drop what was removed, and return where to go then."""
    draft = form.draft
    removed = request.POST.get("remove", "")
    if removed:
        draft.photos = [key for key in draft.photos if key != removed]
        return "stay"
    files = [file for file in request.FILES.getlist("photos") if isinstance(file, UploadedFile)]
    for file in files:
        problem = _take_photo(request, draft, file, now=now)
        if problem:
            form.problems["photos"] = problem
    # The form is told what came before it goes on: a problem keeps the page, a removal too.
    return "stay" if form.problems and go == "next" else go


def _take_photo(request: HttpRequest, draft: Draft, file: UploadedFile, *, now: datetime) -> str:
    if len(draft.photos) >= PHOTO_LIMIT:
        return ngettext(
            "You can add %(count)d photo.", "You can add %(count)d photos. The first ones were kept.", PHOTO_LIMIT
        ) % {"count": PHOTO_LIMIT}
    if (file.size or 0) > settings.PHOTO_LIMIT_BYTES:
        return _("This photo is too large. Choose one of at most 15 megabytes.")
    if throttle.is_over(request, throttle.PHOTOS):
        return _("Very many photos came from your network within the hour. Please send the report without one.")
    throttle.count(request, throttle.PHOTOS)
    try:
        photo = keep_photo(data=file.read(), now=now)
    except NotAPicture:
        return _("This file is not a photo that we can read. Choose a JPEG, PNG, WebP, GIF or HEIC.")
    except PictureTooLarge:
        return _("This photo has too many pixels. Choose a smaller one.")
    draft.photos.append(photo.draft_key)
    return ""
