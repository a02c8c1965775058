"""What became of each message to the person: where it is, why it failed, what it cost; and sending it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from commonbeat.foundation import clock
from commonbeat.messaging.actions import NotRetried, retry_outbound
from commonbeat.messaging.models import Outbound, OutboundState
from commonbeat.messaging.queries import Waiting, may_have_come_twice, parts_of, text_of, waits_for
from commonbeat.people.permissions import Permission
from commonbeat.reports.models import Report
from commonbeat.reports.queries import desk
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.filters import query_of, read_filters
from commonbeat.web.desk.names import channel_names
from commonbeat.web.desk.pages import report_address
from commonbeat.web.errors import error_page
from commonbeat.web.jinja import local_datetime, local_number

_HTTP = re.compile(r"http (\d{3})")
_FINAL = (OutboundState.FAILED, OutboundState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Line:
    """One message as the desk sees it."""

    row: Outbound
    text: str
    # A short word for where it is, and a sentence for why.
    state: str
    why: str
    channel: str
    cost: str
    parts: list[str]
    can_retry: bool


def delivery_of(rows: Sequence[Outbound], *, stopped: bool, now: datetime) -> list[Line]:
    """Put what became of messages to one person into words: two queries, whatever their number."""
    parts = parts_of([row.pk for row in rows])
    is_waiting = any(row.state in (OutboundState.QUEUED, OutboundState.LEASED) for row in rows)
    waiting = waits_for(rows, now=now) if is_waiting else {}
    lines = []
    for row in rows:
        text = text_of(row)
        lines.append(
            Line(
                row=row,
                text=text,
                state=state_in_words(row.state),
                why=_why(row, waiting.get(row.pk)),
                channel=_channel(row),
                cost=_cost(row),
                parts=[_part(one.number, one.state, one.error) for one in parts.get(row.pk, [])],
                can_retry=row.state in _FINAL and bool(text) and not stopped,
            )
        )
    return lines


def unsent(report_id: int) -> str:
    """Say that what was just written is not sent, where the sender is blocked; else nothing."""
    if not Report.objects.filter(pk=report_id, contact__blocked_at__isnull=False).exists():
        return ""
    return _("The sender is blocked, so nothing was sent. It is shown to whoever looks up the reference.")


def state_in_words(state: str) -> str:
    """Say where a message is."""
    return {
        "queued": _("waits to be sent"),
        "leased": _("is being sent"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "failed": _("not delivered"),
        "expired": _("not sent in time"),
    }.get(state, state)


def failure_in_words(code: str) -> str:
    """Say in a plain sentence what the code of a failure means."""
    known = {
        "stopped": _("The person has said STOP."),
        "blocked": _("The sender is blocked."),
        "opted_out": _("The person has told the network to stop messages from this number."),
        "undelivered": _("The network could not deliver it, and does not say why."),
        "unreadable": _("The stored text is damaged."),
        "authorization": _("The gateway refuses our password. Whoever runs the site must set it right."),
        "not configured": _("The gateway is not set up on this site."),
    }
    if code in known:
        return str(known[code])
    if code.endswith(("Timeout", "ReadError", "RemoteProtocolError")):
        return _("The gateway did not answer in time.")
    if code.startswith("Connect"):
        return _("The gateway could not be reached.")
    status = _HTTP.fullmatch(code)
    if status and status[1] == "429":
        return _("The gateway takes no more messages for the moment.")
    if status and status[1].startswith("5"):
        return _("The gateway is out of order (%(code)s).") % {"code": code}
    if status:
        return _("The gateway refuses this message (%(code)s), perhaps because the number does not exist.") % {
            "code": code
        }
    return _("The provider gives “%(code)s” as the reason.") % {"code": code}


@require_POST
@needs(Permission.WORK_REPORTS)
def again(request: HttpRequest, report_id: int, outbound_id: int) -> HttpResponseBase:
    """Send a message again that failed."""
    actor, now = signed_in(request), clock.now()
    report = desk.report_for(actor, report_id)
    if report is None or not Outbound.objects.filter(pk=outbound_id, about_id=report.pk).exists():
        raise Http404
    title = _("The message was not sent again")
    if report.is_claimed_by_other(actor, now):
        return error_page(request, status=409, title=title, sentence=_("Somebody else is working on this report."))
    try:
        retry_outbound(outbound_id=outbound_id, actor_id=actor.pk, now=now)
    except NotRetried as error:
        return error_page(request, status=409, title=title, sentence=error.sentence)
    messages.success(request, _("The message is on its way again."))
    return redirect(report_address(report.pk, query_of(request.GET, read_filters(request.GET)), "thread"))


def _why(row: Outbound, waiting: Waiting | None) -> str:
    if row.state in _FINAL and row.error:
        return failure_in_words(row.error)
    if row.state == OutboundState.EXPIRED:
        return _("It could not be sent before %(time)s.") % {"time": local_datetime(row.expires_at, "short")}
    if may_have_come_twice(row):
        return _(
            "It may have come twice: the answer to an earlier attempt was lost, and this provider knows no repeat."
        )
    if waiting is None:
        return failure_in_words(row.error) if row.error else ""
    if waiting.reason == "gateway":
        since = local_datetime(waiting.since, "short")
        return _("The gateway has not answered since %(time)s. It is asked again all the time.") % {"time": since}
    if waiting.reason == "money":
        return _("The spending limit is reached. It goes when the new day or month begins, or the limit is raised.")
    if waiting.reason == "night":
        return _("It waits for the end of the quiet hours.")
    return _("%(reason)s The next attempt is at %(time)s.") % {
        "reason": failure_in_words(row.error),
        "time": local_datetime(row.due_at, "short"),
    }


def _channel(row: Outbound) -> str:
    name = channel_name(row.channel)
    if row.moved_from:
        return _("%(channel)s, because %(other)s did not answer") % {
            "channel": name,
            "other": channel_name(row.moved_from),
        }
    return name


def channel_name(code: str) -> str:
    """Name a channel as people know it, with its provider where there are several of a kind; else by its code."""
    return channel_names().get(code, code)


def _cost(row: Outbound) -> str:
    return "" if row.cost_micros is None else money(row.cost_micros, row.currency)


def money(micros: int, currency: str) -> str:
    """Write an amount as a page shows it."""
    amount = micros / 1_000_000
    return f"{local_number(round(amount, 2 if amount >= 1 else 4))} {currency}"


def _part(number: int, state: str, error: str) -> str:
    said = _("Part %(number)s: %(state)s") % {"number": number, "state": state_in_words(state)}
    return f"{said}. {failure_in_words(error)}" if error else said
