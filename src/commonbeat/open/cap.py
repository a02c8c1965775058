"""Alerts for other systems: each message as signed CAP 1.2, and feeds of those that are out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from commonbeat.alerts import cap_queries, feeds
from commonbeat.alerts.cap import MEDIA_TYPE, element_of
from commonbeat.alerts.cap_rows import Site, cap_address, page_address, site_of, to_cap
from commonbeat.alerts.cap_signing import SigningKey, sign, site_key
from commonbeat.foundation import clock

# A message never changes once it is out.
MESSAGE_CACHE = "public, max-age=3600"
# An alert must be known within a minute.
FEED_CACHE = "public, max-age=30"

Make = Callable[[Sequence[feeds.Item], feeds.About], bytes]
# Of each feed in each language: whose messages stand in it, none of which ever changes, and its bytes.
_kept: dict[tuple[str, str, bool], tuple[tuple[str, ...], bytes]] = {}


@require_safe
def message(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Give one released message of this site, signed."""
    if "\x00" in identifier or not cap_queries.is_out(identifier):
        raise Http404
    return _answer(request, _signed(identifier, _site()), MEDIA_TYPE, MESSAGE_CACHE)


@require_safe
def certificate(request: HttpRequest) -> HttpResponseBase:
    """Give the certificate with which all our messages are signed."""
    return _answer(request, _signing_key().certificate, "application/x-pem-file", MESSAGE_CACHE)


@require_safe
def alerts_atom(request: HttpRequest) -> HttpResponseBase:
    """Give what is out, and what ended within a day, as Atom."""
    return _feed(request, "alerts_atom", feeds.atom, "application/atom+xml; charset=utf-8")


@require_safe
def alerts_rss(request: HttpRequest) -> HttpResponseBase:
    """Give the same as RSS 2.0."""
    return _feed(request, "alerts_rss", feeds.rss, "application/rss+xml; charset=utf-8")


@require_safe
def look_outs_atom(request: HttpRequest) -> HttpResponseBase:
    """Give what schools, taxis and shops are asked to look out for, as Atom."""
    return _feed(request, "look_outs_atom", feeds.atom, "application/atom+xml; charset=utf-8", to_partners=True)


def _feed(request: HttpRequest, name: str, make: Make, kind: str, *, to_partners: bool = False) -> HttpResponseBase:
    language = request.GET.get("language", settings.LANGUAGE_CODE)
    if language not in dict(settings.LANGUAGES):
        known = ", ".join(dict(settings.LANGUAGES))
        return HttpResponse(f"“language” may be one of: {known}.", status=400, content_type="text/plain; charset=utf-8")
    with_tests = request.GET.get("tests") == "1"
    identifiers = cap_queries.feed_ids(now=clock.now(), to_partners=to_partners, with_tests=with_tests)
    key = (name, language, with_tests)
    kept = _kept.get(key)
    if kept is None or kept[0] != identifiers:
        with override(language):
            kept = _kept[key] = (identifiers, make(_items(identifiers), _about(*key)))
    response = _answer(request, kept[1], kind, FEED_CACHE)
    response.headers["Content-Language"] = language
    return response


def _about(name: str, language: str, with_tests: bool) -> feeds.About:
    site = _site()
    # Babel does not look into f-strings before Python 3.12.
    what = _("Look-outs") if name == "look_outs_atom" else _("Alerts")
    asked = {"language": language} if language != settings.LANGUAGE_CODE else {}
    if with_tests:
        asked["tests"] = "1"
    return feeds.About(
        title=f"{site.name}: {what}",
        address=f"{site.address}{reverse(f'open:{name}')}{'?' if asked else ''}{urlencode(asked)}",
        page=f"{site.address}/alerts/",
        author=site.name,
        language=language,
    )


def _items(identifiers: Sequence[str]) -> list[feeds.Item]:
    site = _site()
    return [
        feeds.Item(to_cap(alert, earlier=(), site=site), cap_address(alert.identifier, site), page_address(alert, site))
        for alert in cap_queries.feed_alerts(identifiers)
    ]


@lru_cache(maxsize=500)
def _signed(identifier: str, site: Site) -> bytes:
    alert, earlier = cap_queries.message(identifier)
    return sign(element_of(to_cap(alert, earlier=earlier, site=site)), _signing_key())


def _site() -> Site:
    return site_of(settings.COMMONBEAT)


def _signing_key() -> SigningKey:
    options = settings.COMMONBEAT
    return site_key(options.data_dir / "keys", name=site_of(options).sender, now=clock.now())


def _answer(request: HttpRequest, body: bytes, kind: str, cache: str) -> HttpResponse:
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type=kind)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache
    # Maps and dashboards of others may show it.
    response.headers["Access-Control-Allow-Origin"] = "*"
    found = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(found, HttpResponse)
    return found
