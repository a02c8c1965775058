"""The topics of a site: list, order, and the page on which one is made."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import staff_names
from commonbeat.topics.actions import TopicError, create_topic, reorder, revise_topic, set_enabled
from commonbeat.topics.checks import WORKFLOW_STATES
from commonbeat.topics.definition import FieldKind
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import all_topics, forget_topics, version_of, versions_of
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number
from commonbeat.web.administration.topic_draft import WITH_OPTIONS, Draft, blank, draft_of, read_draft, take_step
from commonbeat.web.administration.topic_texting import rows_of, tried

ICONS = (
    "violence", "harassment", "dump", "street-light", "medicine", "ballot", "stolen", "other", "eye", "heart", "road",
    "traffic", "noise", "water", "fire", "animal", "people", "phone", "message", "warning", "shield-check", "clock",
)  # fmt: skip
COLOURS = (
    "#a8322d", "#a94f12", "#8a6200", "#3c6f2f", "#17695d", "#28608f", "#4a4f96", "#74457a", "#a03a68", "#5d5a55",
)  # fmt: skip


@require_safe
@needs(Permission.ADMINISTER)
def home(request: HttpRequest) -> HttpResponseBase:
    """Lead to the topics."""
    return redirect("administration:topics")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the topics in the order of the public page; switch them on and off, and move them."""
    if request.method == "POST":
        return _change_list(request)
    topics = all_topics()
    return render(request, "administration/topics.html", {"topics": topics, "enabled": sum(t.enabled for t in topics)})


def _change_list(request: HttpRequest) -> HttpResponseBase:
    verb, _colon, number = request.POST.get("do", "").partition(":")
    topics = {topic.pk: topic for topic in all_topics()}
    topic = topics.get(whole_number(number) or 0)
    if topic is None:
        raise Http404
    actor, now = signed_in(request).pk, clock.now()
    if verb in ("enable", "disable"):
        set_enabled(topic_id=topic.pk, enabled=verb == "enable", actor_id=actor, now=now)
    elif verb in ("up", "down"):
        order = list(topics)
        index = order.index(topic.pk)
        other = index - 1 if verb == "up" else index + 1
        if 0 <= other < len(order):
            order[index], order[other] = order[other], order[index]
            reorder(topic_ids=order, actor_id=actor, now=now)
    forget_topics()
    return redirect("administration:topics")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a topic."""
    if request.method != "POST":
        return _page(request, blank(), topic=None)
    draft, errors = _after_step(request)
    if request.POST.get("do") == "save" and not errors:
        try:
            topic = create_topic(
                code=request.POST.get("code", "").strip().lower(),
                definition=draft.definition(),
                actor_id=signed_in(request).pk,
                now=clock.now(),
            )
        except TopicError as error:
            errors = error.problems
        else:
            messages.success(request, _("The topic is there. Residents can choose it now."))
            return redirect("administration:topic_edit", code=topic.code)
    return _page(request, draft, topic=None, errors=errors)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def edit(request: HttpRequest, code: str) -> HttpResponseBase:
    """Change a topic; each saving is a new version, and old reports keep theirs."""
    topic = Topic.objects.select_related("current").filter(code=code, current__isnull=False).first()
    if topic is None:
        raise Http404
    assert topic.current is not None
    if request.method != "POST":
        draft = draft_of(topic.definition)
        wanted = request.GET.get("version", "")
        if wanted:
            number = whole_number(wanted)
            version = version_of(topic.pk, number) if number is not None else None
            if version is None:
                raise Http404
            draft = draft_of(version.definition)
        return _page(request, draft, topic=topic)
    draft, errors = _after_step(request)
    if request.POST.get("do") == "save" and not errors:
        if request.POST.get("base") != str(topic.current.number):
            errors = {"": _("Somebody else has saved this topic meanwhile. Look at the newest version below first.")}
        else:
            try:
                revise_topic(
                    topic_id=topic.pk, definition=draft.definition(), actor_id=signed_in(request).pk, now=clock.now()
                )
            except TopicError as error:
                errors = error.problems
            else:
                messages.success(request, _("Saved. New reports use this form; earlier ones keep theirs."))
                return redirect("administration:topic_edit", code=topic.code)
    return _page(request, draft, topic=topic, errors=errors)


def _after_step(request: HttpRequest) -> tuple[Draft, dict[str, str]]:
    draft = read_draft(request.POST, _languages())
    step = request.POST.get("do", "")
    if step == "save":
        return draft, draft.problems
    take_step(draft, step)
    # What is unfinished is told when it is saved; a form that cannot be read is told at once.
    return draft, {"": draft.problems[""]} if "" in draft.problems else {}


def _page(
    request: HttpRequest, draft: Draft, *, topic: Topic | None, errors: dict[str, str] | None = None
) -> HttpResponseBase:
    versions = versions_of(topic.pk) if topic else []
    context: dict[str, Any] = {
        "topic": topic,
        "code": request.POST.get("code", ""),
        "draft": draft,
        "data": draft.data,
        "preview": draft.preview(),
        "texted": rows_of(draft.data),
        "tried": tried(draft.preview(), _languages()),
        "errors": errors or {},
        "all_errors": [(_anchor(where, draft), named_problem(where, text)) for where, text in (errors or {}).items()],
        "versions": versions,
        "names": staff_names({v.created_by_id for v in versions if v.created_by_id}),
        "icons": ICONS,
        "colours": COLOURS,
        "kinds": list(FieldKind),
        "kinds_with_options": WITH_OPTIONS,
        "states": WORKFLOW_STATES,
        "codes": _languages(),
        "own_names": dict(settings.LANGUAGES),
    }
    return render(request, "administration/topic.html", context, status=422 if errors else 200)


def named_problem(where: str, text: str) -> str:
    """Put the name of the field, as the page calls it, before what is wrong with it."""
    parts = where.split(".")
    number = int(parts[1]) + 1 if len(parts) > 1 and parts[1].isdigit() else 0
    name = {
        "name": _("Name"),
        "help": _("What it is for, in a sentence"),
        "workflow_texts": _("What the reporter is told"),
        "structured": _("Structured messages"),
        "categories": _("Category %(number)s") % {"number": number} if number else _("Categories"),
        "fields": _("Question %(number)s") % {"number": number} if number else _("Questions"),
    }.get(parts[0], "")
    if parts[0] == "fields" and len(parts) > 3 and parts[2] == "options" and parts[3].isdigit():
        name = _("%(question)s, answer %(number)s") % {"question": name, "number": int(parts[3]) + 1}
    elif parts[0] == "fields" and parts[2:] == ["help"]:
        name = _("%(question)s, help") % {"question": name}
    return _("%(field)s: %(problem)s") % {"field": name, "problem": text} if name else text


def _anchor(where: str, draft: Draft) -> str | None:
    """Find the control that a problem is about, where it is on the page."""
    first = _languages()[0]
    parts = where.split(".")
    if where in ("name", "help"):
        return f"{where}-{first}"
    if parts[0] == "categories" and len(parts) > 1:
        return f"category-{parts[1]}-{first}"
    if parts[0] == "fields" and len(parts) > 2 and parts[1] == str(draft.open):
        return {"label": f"field-label-{first}", "minimum": "field-minimum"}.get(parts[2], "field-kind")
    if parts[0] == "fields" and len(parts) > 1:
        return f"question-{parts[1]}"
    if parts[0] == "workflow_texts" and len(parts) > 1:
        return f"told-{parts[1]}-{first}"
    if where == "structured":
        return f"word-{first}"
    return where or None


def _languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]
