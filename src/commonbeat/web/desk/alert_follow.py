"""Follow an alert up: correct it, give it more time, say how it ended, take it back. It goes to all who have it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from commonbeat.alerts import desk_queries, rules
from commonbeat.alerts.actions.drafts import HEADLINE, Draft, Words, area_of_drawn
from commonbeat.alerts.actions.follow import END_LASTS, cancel_alert, end_alert, extend, update_alert
from commonbeat.alerts.ending_texts import ending_of
from commonbeat.alerts.errors import AlertError, MovedOn, NotAllowed
from commonbeat.alerts.models import Alert, AlertState, AlertText, MsgType
from commonbeat.alerts.queries import chain as chain_of
from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk import alert_text as wording
from commonbeat.web.desk import alert_words as words
from commonbeat.web.desk.alert_check import Rendering, renderings, status_of
from commonbeat.web.desk.alert_compose import where_context
from commonbeat.web.desk.alert_drafts import (
    LASTS,
    alert_or_404,
    draft_of,
    draft_or_404,
    drawn_of,
    read_until,
    until_text,
)
from commonbeat.web.desk.alert_where import Where, WhereError
from commonbeat.web.desk.alerts import page
from commonbeat.web.desk.filters import number
from commonbeat.web.desk.pages import draw

UPDATE, EXTEND, END, CANCEL = "update", "extend", "end", "cancel"
TITLES = {
    UPDATE: "Correct this alert",
    EXTEND: "Change its end",
    END: "Say how it ended",
    CANCEL: "Take it back as a mistake",
}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.RELEASE_ALERT)
def follow(request: HttpRequest, alert_id: int, verb: str) -> HttpResponseBase:
    """Show what would go to whom, and let it go."""
    if verb not in TITLES:
        raise Http404
    named, now = draft_or_404(request, alert_id), clock.now()
    if named.state != AlertState.RELEASED:
        return redirect("desk:alert", alert_id=named.pk)
    chain = chain_of(named)
    root, latest = chain[0], chain[-1]
    if root.ended_at is not None or latest.expires_at <= now:
        return page(request, root, problem=MovedOn("This alert has ended already."))
    outcome = "mistake" if verb == CANCEL else request.POST.get("outcome") or request.GET.get("outcome", "")
    if verb == END and outcome not in words.outcomes_for(root.kind):
        return _choose(request, root, is_wrong=bool(outcome))
    form = _Form(request, verb, root, latest, outcome, now)
    if request.method != "POST":
        return form.show()
    try:
        form.read()
        if form.problems or request.POST.get("go") != "send":
            return form.show(is_looked=not form.problems)
        sent = form.send()
    except NotAllowed:
        raise Http404 from None
    except WhereError as error:
        form.problems[error.field] = error.sentence
        return form.show()
    except MovedOn as error:
        return page(request, alert_or_404(signed_in(request), root.pk), problem=error)
    except AlertError as error:
        form.problems["until" if error.field == "expires_at" else error.field] = error.sentence
        return form.show(status=status_of(error))
    if sent.state == AlertState.WAITING:
        messages.success(request, "The correction is immediate and severe: a second person is asked to release it.")
        return redirect("desk:alert", alert_id=sent.pk)
    messages.success(request, "It is going out now, to everybody who received the first one.")
    return redirect("desk:alert", alert_id=root.pk)


class _Form:
    """One showing of a follow-up."""

    def __init__(
        self, request: HttpRequest, verb: str, root: Alert, latest: Alert, outcome: str, now: datetime
    ) -> None:
        self.request, self.verb, self.root, self.latest, self.outcome, self.now = (
            request, verb, root, latest, outcome, now,
        )  # fmt: skip
        self.problems: dict[str, str] = {}
        self.texts: dict[str, Words] = _first_words(verb, outcome, latest)
        self.until = latest.expires_at
        self.typed_until = until_text(latest.expires_at)
        self.where = Where.from_drawn(drawn_of(latest))
        self.values = {name: getattr(latest, name) for name in ("urgency", "severity", "certainty")}

    @property
    def is_end(self) -> bool:
        return self.verb in (END, CANCEL)

    def read(self) -> None:
        """Take in what was typed."""
        post = self.request.POST
        if self.verb != EXTEND:
            self.texts, self.problems = wording.read_words(post)
            self.problems |= {} if self.problems else wording.unready(self.texts)
        if self.is_end:
            return
        self.typed_until = post.get("until", "")[:40]
        self.until = read_until(post, now=self.now)
        if self.verb == UPDATE:
            self.values = {name: post.get(name, "")[:40] or value for name, value in self.values.items()}
            if post.get("has_area"):
                self.where = Where.from_post(post)
                self.where.take_place(post.get("match", ""))
                area_of_drawn(self.where.drawn(), is_large_meant=self.where.is_large_meant)

    def send(self) -> Alert:
        """Let it go out; AlertError where it cannot."""
        named: dict[str, Any] = {
            "alert_id": self.root.pk,
            "actor": signed_in(self.request),
            "now": self.now,
        }
        if self.verb == CANCEL:
            return cancel_alert(**named, texts=self.texts)
        if self.verb == END:
            return end_alert(**named, outcome=self.outcome, texts=self.texts)
        named["after"] = number(self.request.POST.get("latest")) or self.latest.pk
        if self.verb == EXTEND:
            return extend(**named, expires_at=self.until)
        return update_alert(**named, draft=self._draft())

    def show(self, *, is_looked: bool = False, status: int = 0) -> HttpResponseBase:
        """Draw the form, with how it reads."""
        reached = desk_queries.reached_by(self.root)
        # None and one read alike, also by which channel.
        is_few = sum(reached.values()) < rules.FEWEST_TOLD
        context: dict[str, Any] = {
            "alert": self.root,
            "latest": self.latest,
            "verb": self.verb,
            "is_end": self.is_end,
            "outcome": self.outcome,
            "outcome_name": words.OUTCOMES.get(self.outcome, ("", ""))[0],
            "title": TITLES[self.verb],
            "problems": self.problems,
            "all_problems": [(field or None, said) for field, said in self.problems.items()],
            "reached": [(words.channel_kind(code), words.people(n)) for code, n in reached.items() if not is_few],
            "few": words.FEW,
            "languages_shown": wording.shown(self.texts, self._as_sent(), now=self.now),
            "labels": wording.LABELS,
            "limits": wording.LIMITS,
            "main_name": words.language_name(settings.COMMONBEAT.languages[0]),
            "lasts": LASTS,
            "zone": settings.COMMONBEAT.time_zone,
            "until": self.typed_until,
            "values": self.values,
            "urgencies": words.URGENCIES,
            "severities": words.SEVERITIES,
            "certainties": words.CERTAINTIES,
            "is_looked": is_looked,
            "renderings": self._renderings() if not self.problems else [],
            **(where_context(self.where) if self.verb == UPDATE else {}),
        }
        code = status or (422 if self.problems else 200)
        return draw(self.request, "desk/alerts/follow.html", context, status=code)

    def _draft(self) -> Draft:
        changes: dict[str, Any] = {"expires_at": self.until, "texts": self.texts, **self.values}
        if self.request.POST.get("has_area"):
            changes |= {"drawn": self.where.drawn(), "is_large_meant": self.where.is_large_meant}
        return draft_of(self.latest, now=self.now, **changes)

    def _as_sent(self) -> Alert:
        """Give the message as it would be; it is stored nowhere."""
        fields = ("kind", "status", "urgency", "severity", "certainty", "area", "area_parts")
        sent = Alert(**{name: getattr(self.latest, name) for name in fields}, root=self.root, previous=self.latest)
        sent.msg_type = MsgType.CANCEL if self.is_end else MsgType.UPDATE
        sent.expires_at = self.now + END_LASTS if self.is_end else self.until
        return sent

    def _renderings(self) -> list[Rendering]:
        sent = self._as_sent()
        rows = [
            AlertText(language=language, headline=said.headline, description=said.description,
                      instruction=said.instruction, area_desc=said.area_desc)
            for language, said in self.texts.items()
        ]  # fmt: skip
        return renderings(sent, now=self.now, texts=rows)


def _choose(request: HttpRequest, root: Alert, *, is_wrong: bool) -> HttpResponseBase:
    tiles = [(code, *words.OUTCOMES[code]) for code in words.outcomes_for(root.kind)]
    context = {"alert": root, "tiles": tiles, "problem": "Choose how it ended." if is_wrong else ""}
    return draw(request, "desk/alerts/outcome.html", context, status=422 if is_wrong else 200)


def _first_words(verb: str, outcome: str, latest: Alert) -> dict[str, Words]:
    said = wording.texts_of(latest)
    if verb not in (END, CANCEL):
        return said
    found = {}
    for language, one in said.items():
        template = ending_of(outcome, language, one.headline)
        found[language] = Words(template.headline[:HEADLINE], template.description, one.area_desc, template.instruction)
    return found
