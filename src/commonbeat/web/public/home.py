"""The first page of a place."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from commonbeat.foundation import clock
from commonbeat.reports.queries.public import latest
from commonbeat.topics.queries import offered_topics
from commonbeat.web.public.alerts import banner
from commonbeat.web.public.officer import some_officers
from commonbeat.web.public.reports import written_rows
from commonbeat.web.public.tip_link import takes_tips_anywhere


def home(request: HttpRequest) -> HttpResponse:
    """Show what one can do here, what happened near, and who the officers are."""
    now = clock.now()
    return render(
        request,
        "public/home.html",
        {
            "topics": offered_topics(),
            "alerts": banner(now),
            **written_rows(latest(now=now)),
            "officers": some_officers(),
            "takes_tips": takes_tips_anywhere(),
        },
    )
