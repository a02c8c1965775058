"""Those who report for others: what the dialogue decided, who is asked to be one, and who is told that it has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation

from commonbeat.intake import proxy_texts, texts
from commonbeat.intake.proxy_intents import AcceptProxy, EndProxy, GiveConsent, ProxyIntent, PutOnBehalf, SayWhy
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.messaging.queries import language_for
from commonbeat.reports.actions.proxies import (
    accept_proxy,
    end_proxy,
    put_on_behalf,
    record_consent,
    say_why_not_asked,
)
from commonbeat.reports.models import Report
from commonbeat.reports.proxy_models import Proxy

INVITATION_EXPIRES = timedelta(days=3)
# Whoever enrols a stranger's number by mistake costs that stranger at most so many texts in 24 hours.
INVITATION_LIMIT = 3
_KEY = "proxy:"
_INVITED = ":invite"


def carry_out(intent: ProxyIntent, contact: Contact, *, now: datetime) -> Report | None:
    """Carry out what the dialogue decided; give the contact's own report that the reply speaks of."""
    match intent:
        case AcceptProxy(proxy_id):
            if Proxy.objects.filter(pk=proxy_id, contact=contact).exists():
                accept_proxy(proxy_id=proxy_id, now=now)
            return None
        case EndProxy(proxy_id):
            if Proxy.objects.filter(pk=proxy_id, contact=contact).exists():
                end_proxy(proxy_id=proxy_id, actor=None, now=now)
            return None
        case PutOnBehalf(report_id):
            put_on_behalf(report_id=report_id, contact_id=contact.pk, now=now)
        case GiveConsent(report_id, consent):
            record_consent(report_id=report_id, consent=consent, contact_id=contact.pk, now=now)
        case SayWhy(report_id, text):
            say_why_not_asked(report_id=report_id, text=text, contact_id=contact.pk, now=now)
    return Report.objects.filter(pk=intent.report_id, contact=contact).first()


def invite(entry: Entry, now: datetime) -> None:
    """Ask somebody who was enrolled whether they will report for others; it counts once they say YES."""
    proxy = _proxy(entry)
    if proxy is None or proxy.accepted_at is not None or proxy.ended_at is not None or not entry.data.get("new"):
        return
    asked = Outbound.objects.filter(
        contact=proxy.contact, idempotency_key__endswith=_INVITED, created_at__gt=now - timedelta(days=1)
    )
    if asked.count() >= INVITATION_LIMIT:
        return
    with translation.override(language_for(proxy.contact)):
        text = proxy_texts.invitation(site=settings.COMMONBEAT.site_name, community=proxy.community)
        _say(proxy, text, key=f"{_KEY}{entry.pk}{_INVITED}", now=now)


def tell_ended(entry: Entry, now: datetime) -> None:
    """Tell somebody whom staff have ended; whoever ended by a word has had the answer."""
    proxy = _proxy(entry)
    if proxy is None or entry.data.get("own") or proxy.ended_at is None or proxy.accepted_at is None:
        return
    with translation.override(language_for(proxy.contact)):
        _say(proxy, proxy_texts.ended(), key=f"{_KEY}{entry.pk}:ended", now=now)


def _proxy(entry: Entry) -> Proxy | None:
    return Proxy.objects.select_related("contact").filter(pk=entry.subject_id).first()


def _say(proxy: Proxy, text: str, *, key: str, now: datetime) -> None:
    enqueue(
        contact=proxy.contact,
        text=texts.for_phone(text),
        idempotency_key=key,
        now=now,
        expires_in=INVITATION_EXPIRES,
    )
