"""Sources of others' alerts: the weather service, a neighbour. List, add, edit, try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commonbeat.alerts import polling
from commonbeat.alerts.actions.sources import SourceError, save_source
from commonbeat.alerts.cap import CapError
from commonbeat.alerts.cap_rows import draft_of, site_of
from commonbeat.alerts.fetching import client
from commonbeat.alerts.models import Source
from commonbeat.alerts.source_queries import source_lines
from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.web import throttle
from commonbeat.web.accounts import needs, signed_in

# Each asks a stranger's server, and holds a thread meanwhile.
TRIALS = throttle.Limit("tries of alert sources", 30, 3600, everywhere=True)
MOST_SHOWN, MOST_FETCHED = 50, 10
# A person waits for it.
SECONDS = 15.0

_WORDS = {
    "address": "This is no address that can be asked.",
    "no such host": "There is no such host. Is it spelt right?",
    "private address": "The address lies in a private network. COMMONBEAT_ALERT_SOURCES_PRIVATE=yes allows that.",
    "no answer": "The server does not answer.",
    "TLS": "The server's TLS certificate cannot be trusted.",
    "too slow": "The server takes too long.",
    "too large": "It sends more than 5 MB, or a message of more than 1 MB.",
    "cut off": "The answer was cut off.",
    "redirect": "It redirects from https to http, or to nowhere.",
    "too many redirects": "It redirects again and again.",
    "encoding": "The text is in another encoding than it says.",
    "NUL": "There are NUL characters in it.",
    "not XML": "It is not well-formed XML.",
    "document type": "It has a document type, which CAP does not need and attacks do.",
    "too deep": "Its elements are nested too deeply.",
    "too many elements": "It has too many elements.",
    "too many": "It has too many parts.",
    "too many points": "Its areas have too many points.",
    "not a feed": "It is XML, but neither a feed (Atom, RSS) nor CAP.",
    "not a message": "What the feed leads to is no CAP message.",
    "namespace": "It is not CAP 1.1 or 1.2.",
    "missing": "An element that a message needs is missing.",
    "unknown": "An element has a value that CAP does not know.",
    "not a time": "A time is not written as CAP writes it.",
    "not a name": "Identifier or sender cannot be used.",
    "no geometry": "It has no polygon and no circle, so nobody knows where it holds.",
    "not closed": "A polygon has too few points.",
    "not a number": "A coordinate is not a number.",
    "not a point": "A coordinate is not a pair of numbers.",
    "off the globe": "A point lies off the globe.",
    "around a pole": "The area contains a pole.",
    "not a circle": "A circle is not a point and a radius.",
    "radius": "A circle is too large.",
    "sender": "Its sender is not one of those that this source may speak for.",
    "not signed": "It is not signed, and the source has a certificate.",
    "wrong signature": "Its signature is not by the source's certificate.",
    "from the future": "It was sent in the future.",
    "failed": "It could not be stored. The log of the site says more.",
    "expired": "It has expired.",
    "not actual": "It is a test, an exercise or a draft.",
    "not public": "It is not for the public.",
    "no alert": "It only acknowledges another message.",
    "own": "It is one of our own.",
    "unknown reference": "It ends an alert that we never had.",
    "ended": "It changes an alert that has ended.",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One message that a source has just shown."""

    headline: str
    sender: str
    sent: datetime | None
    expires: datetime | None
    # Why it would not be taken in; empty where it would.
    problem: str
    address: str


def problem_in_words(code: str) -> str:
    """Say what a code means, in a sentence."""
    if code.startswith("status "):
        return _("The server answers with status %(code)s.") % {"code": code.removeprefix("status ")}
    return _(_WORDS[code]) if code in _WORDS else code


@require_safe
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the sources and how they do."""
    lines = [(line, problem_in_words(line.source.error)) for line in source_lines()]
    return render(request, "administration/alert_sources.html", {"lines": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Add a source."""
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Change a source."""
    source = Source.objects.filter(pk=pk).first()
    if source is None:
        raise Http404
    return _form(request, source)


def _form(request: HttpRequest, source: Source | None) -> HttpResponseBase:
    errors: dict[str, str] = {}
    tried: list[Tried] | None = None
    values: dict[str, Any]
    if request.method == "POST":
        values = {name: request.POST.get(name, "")[:20_000] for name in ("name", "url", "senders", "certificate")}
        values |= {name: request.POST.get(name) == "on" for name in ("is_enabled", "forwards")}
        if request.POST.get("do") == "try":
            tried, problem = _try(request, values)
            if problem:
                errors["url"] = problem
        else:
            try:
                _save(request, source, values)
                messages.success(request, _("The source is saved. It is asked within a minute."))
                return redirect("administration:alert_sources")
            except SourceError as error:
                errors[error.field] = str(error)
    elif source is not None:
        values = {
            "name": source.name,
            "url": source.url,
            "senders": "\n".join(source.senders),
            "certificate": source.certificate,
            "is_enabled": source.is_enabled,
            "forwards": source.forwards,
        }
    else:
        values = {"name": "", "url": "", "senders": "", "certificate": "", "is_enabled": True, "forwards": False}
    context = {
        "source": source,
        "problem": problem_in_words(source.error) if source is not None and source.error else "",
        "values": values,
        "errors": errors,
        "all_errors": list(errors.items()),
        "tried": tried,
    }
    return render(request, "administration/alert_source.html", context, status=422 if errors else 200)


def _save(request: HttpRequest, source: Source | None, values: dict[str, Any]) -> None:
    save_source(
        source_id=source.pk if source is not None else None,
        name=values["name"],
        url=values["url"],
        senders=values["senders"].splitlines(),
        certificate=values["certificate"],
        is_enabled=values["is_enabled"],
        forwards=values["forwards"],
        actor_id=signed_in(request).pk,
        now=clock.now(),
    )


def _try(request: HttpRequest, values: dict[str, Any]) -> tuple[list[Tried] | None, str]:
    """Ask the address that is written in the form, and store nothing."""
    if throttle.is_over(request, TRIALS):
        return None, _("Thirty tries an hour are enough. Please wait a little.")
    throttle.count(request, TRIALS)
    senders = [each.strip() for each in values["senders"].splitlines() if each.strip()]
    with client() as browser:
        answer = polling.ask(
            address=values["url"].strip(),
            client=browser,
            now=clock.now(),
            certificate=values["certificate"].replace("\r", "").strip(),
            allow_private=settings.COMMONBEAT.alert_sources_private,
            most=MOST_FETCHED,
            seconds=SECONDS,
        )
    if answer.code:
        return None, problem_in_words(answer.code)
    return [_tried(found, senders) for found in answer.found[:MOST_SHOWN]], ""


def _tried(found: polling.Found, senders: list[str]) -> Tried:
    message = found.message
    if message is None:
        return Tried("", "", None, None, problem_in_words(found.code), found.address)
    problem = ""
    try:
        draft_of(message, source_id=0, senders=senders, site=site_of(settings.COMMONBEAT), now=clock.now())
    except CapError as error:
        problem = problem_in_words(error.code)
    info = message.info[0] if message.info else None
    return Tried(
        headline=(info.headline or info.event) if info else message.identifier,
        sender=message.sender,
        sent=message.sent,
        expires=info.expires if info else None,
        problem=problem,
        address=found.address,
    )
