"""What is done to an alert before it is out: ask for a second person, release, send back, throw away."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from commonbeat.alerts.actions.drafts import discard_draft
from commonbeat.alerts.actions.release import ask_second, release, release_alone, send_back
from commonbeat.alerts.errors import AlertError, NotAllowed
from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.alert_drafts import alert_or_404, seen_in
from commonbeat.web.desk.alerts import page

ASK, RELEASE, ALONE, BACK, DISCARD = "ask", "release", "alone", "back", "discard"
VERBS = (ASK, RELEASE, ALONE, BACK, DISCARD)


@require_POST
@needs(Permission.ALERT)
def act(request: HttpRequest, alert_id: int, verb: str) -> HttpResponseBase:
    """Ask for a second person, release, release alone, send back, or throw away."""
    actor, now, post = signed_in(request), clock.now(), request.POST
    if verb not in VERBS:
        raise Http404
    seen = seen_in(post)
    try:
        if verb == ASK:
            ask_second(alert_id=alert_id, actor=actor, now=now, seen=seen)
            messages.success(request, "Your colleagues are asked. It goes out when one of them releases it.")
        elif verb == BACK:
            send_back(alert_id=alert_id, note=post.get("note", ""), actor=actor, now=now, seen=seen)
            messages.success(request, "Sent back. Its author sees what you wrote.")
        elif verb == DISCARD:
            discard_draft(alert_id=alert_id, actor=actor, now=now)
            messages.success(request, "The draft is thrown away. Nothing went out.")
            return redirect("desk:alerts")
        elif verb == ALONE:
            release_alone(alert_id=alert_id, reason=post.get("reason", ""), actor=actor, now=now, seen=seen)
            messages.success(request, "Released. It is going out now, and the oversight body sees your reason.")
        else:
            release(alert_id=alert_id, actor=actor, now=now, seen=seen)
            messages.success(request, "Released. It is going out now.")
    except NotAllowed:
        raise Http404 from None
    except AlertError as error:
        return page(request, alert_or_404(actor, alert_id), problem=error)
    return redirect("desk:alert", alert_id=alert_id)
