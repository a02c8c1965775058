"""Who was to report today, who has, and who is late."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from commonbeat.foundation import clock
from commonbeat.foundation.text import ascii_digits
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.actions.expected import enrol, unenrol
from commonbeat.reports.queries.expected import board, topics_expected
from commonbeat.reports.schedule import Standing
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import enabled_topics
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.enrolling import LONGEST, read_lines
from commonbeat.web.desk.pages import draw

# What wants somebody to do something stands first.
ORDER = (Standing.MISSING, Standing.LATE, Standing.EXPECTED, Standing.REPORTED, Standing.FREE)
# Of a file of thousands the first wrong lines tell what is wrong with all.
SHOWN_PROBLEMS = 100


@require_GET
@needs(Permission.SEE_DESK)
def expected(request: HttpRequest) -> HttpResponseBase:
    """Show the board of one topic."""
    topics = _topics()
    counts = topics_expected(signed_in(request))
    code = request.GET.get("topic", "")
    # Unless one is named, the first that has reporters.
    topic = next((one for one in topics if one.code == code), None) or next(
        (one for one in topics if counts.get(one.pk)), topics[0] if topics else None
    )
    return _page(request, topic)


@require_POST
@needs(Permission.ENROL)
def enrol_reporters(request: HttpRequest, code: str) -> HttpResponseBase:
    """Put reporters on the list of a topic, from a text or a file; what cannot be read comes back."""
    topic = _topic(code)
    try:
        text = _given(request)
    except UnicodeDecodeError:
        return _page(request, topic, problems=[(0, "", _("Save the file as CSV in UTF-8."))])
    if len(text) > LONGEST:
        return _page(request, topic, problems=[(0, "", _("This is too long. Enrol fewer at once."))])
    rows, problems = read_lines(text, languages=tuple(settings.COMMONBEAT.languages))
    if not rows and not problems:
        return _page(request, topic, problems=[(0, "", _("Write at least a telephone number and a place."))])
    if problems:
        # All or nothing: a list that is half enrolled is hard to mend.
        return _page(request, topic, problems=problems, typed=text)
    count, refused = enrol(topic_id=topic.pk, rows=rows, actor=signed_in(request), now=clock.now())
    said = ngettext("%(count)s reporter is enrolled.", "%(count)s reporters are enrolled.", count) % {"count": count}
    if refused:
        lines = [(number + 1, rows[number].site, sentence) for number, sentence in refused.items()]
        return _page(request, topic, problems=lines, typed=text, said=said)
    messages.success(request, said)
    return redirect(f"{reverse('desk:expected')}?topic={topic.code}")


@require_POST
@needs(Permission.ENROL)
def remove_reporter(request: HttpRequest, reporter_id: int) -> HttpResponseBase:
    """Take one reporter off the list."""
    unenrol(reporter_id=reporter_id, actor=signed_in(request), now=clock.now())
    messages.success(request, _("Taken off the list. What was reported stays."))
    topic = next((one.code for one in _topics() if one.code == request.POST.get("topic")), "")
    return redirect(f"{reverse('desk:expected')}{'?topic=' + topic if topic else ''}")


def _topics() -> list[Topic]:
    return [topic for topic in enabled_topics() if topic.definition.structured.words]


def _topic(code: str) -> Topic:
    topic = next((one for one in _topics() if one.code == code), None)
    if topic is None:
        raise Http404
    return topic


def _given(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("lines", "")
    return bytes(file.read(4 * LONGEST + 1)).decode("utf-8-sig")


def _by_number(site: str) -> list[tuple[int, str]]:
    """Put Clinic 2 before Clinic 10."""
    parts = re.split(r"(\d+)", ascii_digits(site))
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts if part]


def _page(
    request: HttpRequest,
    topic: Topic | None,
    *,
    problems: list[tuple[int, str, str]] | None = None,
    typed: str = "",
    said: str = "",
) -> HttpResponseBase:
    viewer = signed_in(request)
    now = clock.now()
    language = translation.get_language() or "en"
    counts = topics_expected(viewer)
    lines = board(viewer, topic_id=topic.pk, now=now) if topic else []
    lines.sort(key=lambda line: (ORDER.index(line.standing), _by_number(line.reporter.site)))
    sums = Counter(line.standing for line in lines)
    context: dict[str, Any] = {
        "topic": topic,
        "topic_name": topic.name_in(language) if topic else "",
        "tabs": [
            {
                "label": one.name_in(language),
                "url": f"{reverse('desk:expected')}?topic={one.code}",
                "current": topic is not None and one.pk == topic.pk,
                "count": counts.get(one.pk, 0),
            }
            for one in _topics()
        ],
        "lines": lines,
        "sums": [(standing, sums[standing]) for standing in ORDER if sums[standing]],
        "now": now,
        "may_enrol": may(viewer, Permission.ENROL),
        "problems": (problems or [])[:SHOWN_PROBLEMS],
        "problem_count": len(problems or []),
        "typed": typed,
        "said": said,
    }
    return draw(request, "desk/expected/board.html", context, status=422 if problems else 200)
