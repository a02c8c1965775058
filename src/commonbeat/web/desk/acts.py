"""What a person does to a report: one address per verb, each a POST that calls one action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from commonbeat.foundation import clock
from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.text import clean_text, excerpt, segments, to_gsm7
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission
from commonbeat.places.gazetteer import find_places
from commonbeat.places.points import explain_unreadable, point_in
from commonbeat.reports import rules
from commonbeat.reports.actions.correct import correct_place, correct_topic
from commonbeat.reports.actions.dialogue import QUESTION_LIMIT, ask_reporter, mark_answers_read, tell_reporter
from commonbeat.reports.actions.incidents import merge_reports, unmerge_report
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts
from commonbeat.reports.actions.work import (
    add_note,
    claim_report,
    move_report,
    release_claim,
    verify_report,
    withdraw_verification,
)
from commonbeat.reports.errors import ClaimedByOther, MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.models import PlaceSource, PublicationState, State
from commonbeat.reports.queries import desk
from commonbeat.topics.queries import topic_by_code
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.delivery import unsent
from commonbeat.web.desk.filters import number, query_of, read_filters
from commonbeat.web.desk.pages import draw, draw_block, report_address
from commonbeat.web.desk.reports import Problem, report_context, visible_report
from commonbeat.web.errors import error_page

BULK_LIMIT = 200
# A slip of the hand must not make one incident of half a town.
MERGE_LIMIT = 20
# What a bulk act does besides moving; also the mark by which it is taken back.
CLAIM, MERGE = "claim", "merge"
# Not taken up, for it is no report at all.
SPAM = "spam"
# The field that a refusal of a verb points to.
FIELDS = {
    "ask": "ask", "tell": "tell", "note": "note", "verify": "evidence", "publish": "title", "move": "reason",
    "place": "where", "topic": "topic",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """One act: which report, what was typed, who, when."""

    report_id: int
    data: QueryDict
    actor: User
    now: datetime


def _claim(work: Work) -> str:
    report = claim_report(report_id=work.report_id, actor=work.actor, now=work.now)
    assert report.claimed_until is not None
    return _("You are working on this report now. Nobody else can change it in the meantime.")


def _release(work: Work) -> str:
    release_claim(report_id=work.report_id, actor=work.actor, now=work.now)
    return _("The report is free for others.")


def _move(work: Work) -> str:
    to_state = work.data.get("to", "")
    if to_state not in State.values:
        raise MoveNotPossible
    move_report(
        report_id=work.report_id,
        to_state=to_state,
        actor=work.actor,
        now=work.now,
        reason=work.data.get("reason", ""),
        is_spam=bool(work.data.get(SPAM)),
    )
    return _("The report is now “%(state)s”.") % {"state": State(to_state).label}


def _unpublish(work: Work) -> str:
    move_report(report_id=work.report_id, to_state=rules.TRIAGED, actor=work.actor, now=work.now)
    return _("The report is no longer public.")


def _ask(work: Work) -> str:
    ask_reporter(report_id=work.report_id, text=work.data.get("ask", ""), actor=work.actor, now=work.now)
    mark_answers_read(report_id=work.report_id, actor=work.actor)
    return unsent(work.report_id) or _("Your question is on its way. The answer will appear here.")


def _tell(work: Work) -> str:
    tell_reporter(report_id=work.report_id, text=work.data.get("tell", ""), actor=work.actor, now=work.now)
    mark_answers_read(report_id=work.report_id, actor=work.actor)
    return unsent(work.report_id) or _("Your message is on its way.")


def _note(work: Work) -> str:
    add_note(report_id=work.report_id, text=work.data.get("note", ""), actor=work.actor, now=work.now)
    return _("The note was added.")


def _read(work: Work) -> str:
    mark_answers_read(report_id=work.report_id, actor=work.actor)
    return _("The answer is marked as read.")


def _verify(work: Work) -> str:
    verify_report(
        report_id=work.report_id,
        evidence=work.data.get("evidence", ""),
        independent_sources=number(work.data.get("sources", "").strip()[:6]) or 0,
        actor=work.actor,
        now=work.now,
    )
    return _("The report is marked as verified.")


def _unverify(work: Work) -> str:
    withdraw_verification(report_id=work.report_id, actor=work.actor, now=work.now)
    return _("The mark “verified” was taken back.")


def _publish(work: Work) -> str:
    publication = publish_report(
        report_id=work.report_id,
        title=work.data.get("title", ""),
        text=work.data.get("text", ""),
        place_name=work.data.get("place_name", ""),
        photo_ids=[pk for pk in map(number, work.data.getlist("photo")) if pk],
        actor=work.actor,
        now=work.now,
    )
    if publication.state == PublicationState.HELD:
        return _("A second person will look at the public text before anybody sees it.")
    if publication.public_at > work.now:
        return _("Published. It becomes visible after the delay that its topic sets.")
    return _("Published.")


def _merge(work: Work) -> str:
    others = [pk for pk in map(number, work.data.getlist("other")[:BULK_LIMIT]) if pk]
    merge_reports(report_id=work.report_id, other_ids=others, actor=work.actor, now=work.now)
    return _("The reports are together now. You can take each off again below.")


def _unmerge(work: Work) -> str:
    unmerge_report(report_id=work.report_id, actor=work.actor, now=work.now)
    return _("The report stands by itself again.")


def _place(work: Work) -> str:
    correct_place(report_id=work.report_id, where=_where(work.data), actor=work.actor, now=work.now)
    return _("The place was set.")


def _topic(work: Work) -> str:
    topic = topic_by_code(work.data.get("topic", "")[:40])
    correct_topic(report_id=work.report_id, topic_id=topic.pk if topic else 0, actor=work.actor, now=work.now)
    return _("The topic was changed.")


VERBS: dict[str, Callable[[Work], str]] = {
    "claim": _claim,
    "release": _release,
    "move": _move,
    "unpublish": _unpublish,
    "ask": _ask,
    "tell": _tell,
    "note": _note,
    "read": _read,
    "verify": _verify,
    "unverify": _unverify,
    "publish": _publish,
    "merge": _merge,
    "unmerge": _unmerge,
    "place": _place,
    "topic": _topic,
}


class SeveralPlaces(ReportError):
    """A name that means several places, or one that is spelled differently: the person chooses."""

    def __init__(self, sentence: str, matches: list[tuple[str, str]]) -> None:
        super().__init__(sentence)
        self.matches = matches


def _where(data: QueryDict) -> Whereabouts:
    typed = clean_text(data.get("where", ""), 200)
    # A pin on the map, or a choice from the list of places found, as "latitude,longitude,name".
    for chosen in (data.get("choice", ""), f"{data.get('latitude', '')},{data.get('longitude', '')},"):
        latitude, _comma, rest = chosen.partition(",")
        longitude, _comma, name = rest.partition(",")
        point = (
            parse_coordinates(f"{latitude[:20]}, {longitude[:20]}") if latitude.strip() and longitude.strip() else None
        )
        if point is not None:
            return Whereabouts(PlaceSource.DESK, clean_text(name, 200) or typed, *point)
    point = point_in(typed, translation.get_language())
    if point is not None:
        return Whereabouts(PlaceSource.DESK, "", *point)
    if not typed:
        raise ReportError(_("Write the name of a place or its coordinates, or put the pin on the map."))
    matches = find_places(typed, language=translation.get_language())
    if len(matches) == 1 and matches[0].exact:
        return Whereabouts(PlaceSource.DESK, matches[0].label, matches[0].latitude, matches[0].longitude)
    if not matches:
        unreadable = explain_unreadable(typed)
        raise ReportError(unreadable or _("No place with this name is known here. Try coordinates or the map."))
    found = [(f"{match.latitude},{match.longitude},{match.label}", match.label) for match in matches]
    raise SeveralPlaces(_("Which of these places is it?"), found)


@require_POST
@needs(Permission.WORK_REPORTS)
def act(request: HttpRequest, report_id: int, verb: str) -> HttpResponseBase:
    """Do one thing to a report, and show its page again; what was typed survives a refusal."""
    handler = VERBS.get(verb)
    if handler is None:
        raise Http404
    actor = signed_in(request)
    found = visible_report(actor, report_id)
    if verb == "publish" and request.POST.get("step") == "check":
        return draw(request, "desk/reports/report.html", report_context(request, found, checked=True))
    try:
        said = handler(Work(report_id, request.POST, actor, clock.now()))
    except ReportError as error:
        fresh = visible_report(actor, report_id)
        problem = Problem(verb, FIELDS.get(verb, ""), error.sentence)
        context = report_context(request, fresh, problem=problem)
        context["place_choices"] = getattr(error, "matches", [])
        return draw(request, "desk/reports/report.html", context, status=status_of(error))
    messages.success(request, said)
    query = query_of(request.GET, read_filters(request.GET))
    back = number(request.POST.get("back")) or report_id
    if desk.report_for(actor, back) is None:
        # A new place can hand a report to another desk.
        messages.info(request, _("The report now lies on the desk of another unit."))
        return redirect(f"{reverse('desk:list')}?{query}")
    anchors = {"ask": "thread", "tell": "thread", "note": "thread", "merge": "incident", "unmerge": "incident"}
    return redirect(report_address(back, query, anchors.get(verb, "")))


def status_of(error: ReportError) -> int:
    """Give the HTTP status of a refusal."""
    if isinstance(error, NotAllowed):
        return 403
    return 409 if isinstance(error, MoveNotPossible | ClaimedByOther) else 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report in a bulk act."""

    report_id: int
    title: str
    sentence: str
    done: bool
    before: str


@require_POST
@needs(Permission.WORK_REPORTS)
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Do one thing to several reports at once, each through the same action; the result names each."""
    actor = signed_in(request)
    now = clock.now()
    undo = request.POST.get("step") == "undo"
    to = request.POST.get("to", "")
    if not undo and to not in (rules.TRIAGED, rules.REJECTED, SPAM, CLAIM, MERGE):
        raise Http404
    given = request.POST.getlist("report")
    if len(given) > BULK_LIMIT:
        said = _("A change reaches %(count)s reports at once. Choose fewer.") % {"count": BULK_LIMIT}
        return error_page(request, status=400, title=_("Too many reports at once"), sentence=said)
    wanted = [part.partition(":") for part in given]
    chosen = {pk: before for pk, before in ((number(head), tail) for head, _colon, tail in wanted) if pk}
    rows = desk.rows_of(actor, chosen, now=now)
    if to == MERGE and not undo:
        outcomes = _put_together(rows, actor, now)
    else:
        before = chosen if undo else {}
        outcomes = [_one_of_several(row, to, before.get(row.id), request.POST, actor, now) for row in rows]
    done = sum(outcome.done for outcome in outcomes)
    context = {
        "outcomes": outcomes,
        "done": done,
        "undo": undo,
        "can_undo": not undo and any(outcome.done and outcome.before for outcome in outcomes),
        "reason": request.POST.get("reason", ""),
        "sentence": ngettext("%(count)s report was changed.", "%(count)s reports were changed.", done)
        % {"count": done},
        "query": query_of(request.GET, read_filters(request.GET)),
        "back": "desk:map" if request.POST.get("from") == "map" else "desk:list",
    }
    return draw(request, "desk/reports/bulk.html", context, status=200 if done or not outcomes else 409)


def _one_of_several(row: desk.Row, to: str, before: str | None, data: QueryDict, actor: User, now: datetime) -> Outcome:
    title = row.title or excerpt(row.excerpt, 90)
    try:
        if before is not None:
            _take_back(row.id, before, actor, now)
            said = _("taken back")
        elif to == CLAIM:
            claim_report(report_id=row.id, actor=actor, now=now)
            said = _("You are working on it")
        else:
            is_spam, reason = to == SPAM, data.get("reason", "")
            state = rules.REJECTED if is_spam else to
            reason = reason or (_("This is no report.") if is_spam else "")
            move_report(report_id=row.id, to_state=state, actor=actor, now=now, reason=reason, is_spam=is_spam)
            said = str(State(state).label)
    except ReportError as error:
        return Outcome(row.id, title, error.sentence, False, row.state)
    return Outcome(row.id, title, said, True, CLAIM if to == CLAIM else row.state)


def _put_together(rows: list[desk.Row], actor: User, now: datetime) -> list[Outcome]:
    # All or none, onto the oldest: half an incident helps nobody.
    titles = {row.id: row.title or excerpt(row.excerpt, 90) for row in rows}
    # Who was on an incident before stays on one when this is taken back.
    marks = {row.id: "" if row.on_incident else MERGE for row in rows}
    try:
        if len(titles) > MERGE_LIMIT:
            raise ReportError(_("At most %(count)s reports can be put together at once.") % {"count": MERGE_LIMIT})
        if len(titles) < 2:
            raise ReportError(_("Choose at least two reports."))
        oldest, *others = sorted(titles)
        merge_reports(report_id=oldest, other_ids=others, actor=actor, now=now)
    except ReportError as error:
        return [Outcome(pk, title, error.sentence, False, "") for pk, title in titles.items()]
    return [Outcome(pk, title, _("put together"), True, marks[pk]) for pk, title in titles.items()]


def _take_back(report_id: int, before: str, actor: User, now: datetime) -> None:
    if before == CLAIM:
        release_claim(report_id=report_id, actor=actor, now=now)
        return
    if before == MERGE:
        # With the last one but one the incident is gone, and the last stands by itself already.
        if desk.is_on_incident(report_id):
            unmerge_report(report_id=report_id, actor=actor, now=now)
        return
    move_report(report_id=report_id, to_state=rules.NEW, actor=actor, now=now)
    if before == rules.TRIAGED:
        move_report(report_id=report_id, to_state=rules.TRIAGED, actor=actor, now=now)


@require_POST
@needs(Permission.WORK_REPORTS)
def measure(request: HttpRequest) -> HttpResponse:
    """Say how a message would travel by SMS, while it is being written."""
    text = request.POST.get("ask") or request.POST.get("tell") or ""
    return draw_block(request, "desk/reports/report.html", "measure", {"measured": measured(text)})


def measured(text: str) -> str:
    """Put the size of a message by SMS into words."""
    text = clean_text(text, 10_000)
    left = QUESTION_LIMIT - len(text)
    if left < 0:
        return ngettext("%(count)s character too long", "%(count)s characters too long", -left) % {"count": -left}
    size = segments(to_gsm7(text))
    parts = ngettext("%(count)s part by SMS", "%(count)s parts by SMS", size.parts) % {"count": size.parts}
    if size.encoding == "UCS-2":
        return _("%(parts)s; letters beyond the Latin ones make each part shorter (70 characters)") % {"parts": parts}
    return _("%(parts)s, %(left)s characters left") % {"parts": parts, "left": left}
