"""Slow down whoever asks too often. Counts are kept per network under a keyed hash; no address is stored."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest

from commonbeat.foundation.crypto import derive, keyed_hash
from commonbeat.foundation.net import client_network
from commonbeat.web import tally


class Limit(NamedTuple):
    """How often one network may do one thing."""

    name: str
    most: int
    seconds: int
    # Counted for the whole site rather than for each network.
    everywhere: bool = False


REPORTS = Limit("reports", 30, 3600)
# Guessing references. Nine free characters of 31 make 31^9 = 2.6e13; with 10^7 reports one guess in 2.6 million hits.
# - One network, 30 an hour (a mobile operator puts a town behind one /24, so ten locked honest people out): 263,000 a
#   year, one hit in ten years. With 10^5 reports, one in a thousand.
# - Many networks together: free up to 3,000 an hour, 26 million a year, ten hits a year with 10^7 reports and one in
#   ten years with 10^5. From there each network has three an hour: a guesser needs 1,000 networks to double that, and
#   whoever mistypes once still gets in. Nobody is made to wait in a thread, which would let a guesser stop the site.
# A hit shows where one report stands and what its desk and its reporter wrote to each other; the report's own words,
# place and photos are not on that page.
WRONG_REFERENCES = Limit("wrong references", 30, 3600)
WRONG_REFERENCES_EVERYWHERE = Limit("wrong references, all", 3000, 3600, everywhere=True)
WRONG_REFERENCES_WHILE_GUESSED = WRONG_REFERENCES._replace(most=3)
PHOTOS = Limit("photos", 60, 3600)
PLACES = Limit("place searches", 600, 3600)


def client_address(request: HttpRequest) -> str:
    """Tell where a request came from, believing as many proxies as the settings name."""
    proxies = settings.COMMONBEAT.trusted_proxies
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not proxies:
        return address
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    return hops[-proxies] if len(hops) >= proxies else address


def is_over(request: HttpRequest, limit: Limit) -> bool:
    """Tell whether the client's network has used up its share."""
    return tally.counted(_key(request, limit)) >= limit.most


def count(request: HttpRequest, limit: Limit) -> int:
    """Count one more, and return how many there have been in the running period."""
    return tally.count_one(_key(request, limit), seconds=limit.seconds)


def is_over_for(subject: str, limit: Limit) -> bool:
    """Tell whether a subject other than a network, such as a number, has used up its share; kept under a keyed hash."""
    return tally.counted(_key_of(limit, subject)) >= limit.most


def count_for(subject: str, limit: Limit) -> int:
    """Count one more of a subject, and return how many there have been in the running period."""
    return tally.count_one(_key_of(limit, subject), seconds=limit.seconds)


def take_back_for(subject: str, limit: Limit) -> None:
    """Count one less of a subject: what was counted before it was known turned out right."""
    tally.take_back(_key_of(limit, subject))


def may_try_reference(request: HttpRequest) -> bool:
    """Tell whether the client may try a reference; a right one too, else a guesser goes on."""
    is_guessed = is_over(request, WRONG_REFERENCES_EVERYWHERE)
    return not is_over(request, WRONG_REFERENCES_WHILE_GUESSED if is_guessed else WRONG_REFERENCES)


def count_wrong_reference(request: HttpRequest) -> None:
    """Count a reference that no report has."""
    count(request, WRONG_REFERENCES)
    count(request, WRONG_REFERENCES_EVERYWHERE)


def _key(request: HttpRequest, limit: Limit) -> str:
    return _key_of(limit, "" if limit.everywhere else client_network(client_address(request)))


def _key_of(limit: Limit, subject: str) -> str:
    digest = keyed_hash(derive(settings.COMMONBEAT.secret, "throttle"), f"{limit.name} {subject}")
    return f"throttle-{digest.hex()[:32]}"
