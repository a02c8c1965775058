"""How the channels do: which gateway answers, what waits, what it has cost. To read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.foundation import clock
from commonbeat.messaging import policy
from commonbeat.messaging.channel import channels, setup_of
from commonbeat.messaging.queries import ChannelLine, channel_lines, perhaps_doubled
from commonbeat.people.permissions import Permission
from commonbeat.web.accounts import needs
from commonbeat.web.desk.delivery import failure_in_words, money

DOUBLED_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Shown:
    """One channel as the page shows it."""

    line: ChannelLine
    name: str
    problem: str
    takes_over: str
    today: str
    month: str


@require_safe
@needs(Permission.ADMINISTER)
def page(request: HttpRequest) -> HttpResponseBase:
    """Show the health of every channel, and the spending against its limits."""
    now, options = clock.now(), settings.COMMONBEAT
    lines = [_shown(line, options.currency) for line in channel_lines(now=now)]
    spent = policy.spent_micros(now)
    limits = [
        (name, money(used, options.currency), money(round(limit * 1_000_000), options.currency) if limit else "",
         min(100, round(used / (limit * 10_000))) if limit else None)
        for name, used, limit in (
            (_("Today"), spent[0], options.daily_limit), (_("This month"), spent[1], options.monthly_limit),
        )
    ]  # fmt: skip
    doubled = perhaps_doubled(since=now - DOUBLED_WITHIN)
    twice = [(_provider(code), count) for code, count in sorted(doubled.items(), key=lambda pair: -pair[1])]
    context = {
        "twice": twice,
        "lines": lines,
        "limits": limits,
        "is_night": policy.is_night(now),
        "quiet_hours": options.quiet_hours,
    }
    return render(request, "administration/delivery.html", context)


def _shown(line: ChannelLine, currency: str) -> Shown:
    return Shown(
        line=line,
        name=_provider(line.code),
        problem=failure_in_words(line.error) if line.error else "",
        takes_over=_provider(line.taken_over_by) if line.taken_over_by else "",
        today=money(line.today_micros, currency),
        month=money(line.month_micros, currency),
    )


def _provider(code: str) -> str:
    """Name a channel by its provider, as whoever set it up knows it; one that is gone by its code."""
    channel = channels().get(code)
    return setup_of(channel).title if channel is not None else code
