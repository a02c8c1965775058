"""Who reports for others, what was made on whose behalf, and how many sources that is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F
from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.people.models import User
from commonbeat.reports.models import Report
from commonbeat.reports.proxy_models import NO_CONSENT, Consent, OnBehalf, Proxy

# An answer about consent is taken this long after the question; as long as one to the desk.
CONSENT_DAYS = 14
MOST = 1_000
MOST_OPEN = 50
ASKED = Consent.ASKED.value


@dataclass(frozen=True, slots=True)
class Line:
    """One proxy, and how many reports it made for others."""

    proxy: Proxy
    reports: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Sources:
    """How many reports an incident has, and from how many senders at most they come."""

    reports: int
    senders: int
    # Of the reports: how many came through a proxy.
    through_proxies: int


def reason_in_words(reason: str) -> str:
    """Give why a report is not taken up: our own sentence translated, other words as they were written."""
    return _(NO_CONSENT) if reason == NO_CONSENT else reason


def is_proxy(contact_id: int, *, now: datetime) -> bool:
    """Tell whether a contact may report for others: one query."""
    return Proxy.objects.active(timezone.localtime(now).date()).filter(contact_id=contact_id).exists()


def is_through_proxy(report_id: int) -> bool:
    """Tell whether a report is somebody else's words that a proxy passed on: one query.

    What anybody may say on the web form is none: whoever sends spam would say it too.
    """
    return OnBehalf.objects.filter(report_id=report_id, proxy__isnull=False).exists()


def proxy_of(contact_id: int) -> Proxy | None:
    """Read the enrolment of a contact that has not ended: one query."""
    return Proxy.objects.filter(contact_id=contact_id, ended_at=None).first()


def open_consents(contact_id: int, *, now: datetime) -> list[Report]:
    """Read the reports of a proxy of which it is not known whether the person agreed, newest first: one query."""
    since = now - timedelta(days=CONSENT_DAYS)
    waiting = {"on_behalf__consent": Consent.ASKED, "on_behalf__asked_at__gt": since}
    return list(Report.objects.filter(on_behalf__proxy__contact_id=contact_id, **waiting).order_by("-pk")[:MOST_OPEN])


def can_be_on_behalf(report_id: int, *, contact_id: int) -> bool:
    """Tell whether a report of this sender is neither public nor marked yet: one query."""
    mine = Report.objects.filter(pk=report_id, contact_id=contact_id, contact_confirmed=True)
    return mine.filter(on_behalf=None, publication=None).exists()


def behalf_of(report: Report) -> OnBehalf | None:
    """Read what is known of the person for whom a report was made: one query. Its reader must see the report."""
    found = OnBehalf.objects.filter(report_id=report.pk)
    return found.select_related("proxy", "recorded_by", "reason").first()


def board(viewer: User) -> list[Line]:
    """Read the proxies that the viewer may see, ended ones last: two queries."""
    found = Proxy.objects.visible_to(viewer).select_related("contact", "unit")
    proxies = list(found.order_by(F("ended_at").desc(nulls_first=True), "community", "pk")[:MOST])
    counted = OnBehalf.objects.filter(proxy__in=[proxy.pk for proxy in proxies]).values_list("proxy_id", "consent")
    sums = {(proxy_id, consent): n for proxy_id, consent, n in counted.annotate(n=Count("pk"))}
    return [
        Line(proxy, sum(sums.get((proxy.pk, consent), 0) for consent in Consent.values), sums.get((proxy.pk, ASKED), 0))
        for proxy in proxies
    ]


def sources_of(report_ids: Collection[int]) -> Sources:
    """Count the senders of some reports, each once however much it sent, a proxy among them: one query.

    A sender without a contact may be anybody, and is counted by report.
    """
    found = Report.objects.filter(pk__in=report_ids).values_list("contact_id", "on_behalf__proxy_id")
    # The contact of a proxy is that of all its reports, those in its own name included.
    known = {contact_id for contact_id, _proxy_id in found if contact_id is not None}
    unknown = sum(contact_id is None for contact_id, _proxy_id in found)
    return Sources(len(found), len(known) + unknown, sum(proxy_id is not None for _contact_id, proxy_id in found))
