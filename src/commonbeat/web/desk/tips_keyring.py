"""Open keys: one half in a cookie of the tips pages, the other in this process's memory, and neither opens anything.

Not in the session: sessions are rows of the database, and so of its backups. What is here goes when the process ends,
when nobody has used it for fifteen minutes, and with the sign-out. Another process of the same site has not got it, and
asks for the passphrase.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from commonbeat.tips import members
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Member
from commonbeat.web.sessions import stored_key
from commonbeat.web.throttle import Limit, count_for, is_over_for, take_back_for

COOKIE = "sealed_key"
IDLE = timedelta(minutes=15)
# So long before the end a page with JavaScript warns.
WARNED_BEFORE = timedelta(minutes=2)
# Whoever tries is signed in with two factors as the member; five in five minutes are 525,000 a year.
WRONG_PASSPHRASES = Limit("wrong passphrases", 5, 300)
# Each takes 128 MiB and a core for half a second; what comes while so many run waits, and what finds a queue goes.
AT_ONCE = 2
MOST_WAITING = 4
PATIENCE_SECONDS = 8.0


class Busy(Exception):
    """Too many passphrases are being tried at this moment."""


class TooOften(Exception):
    """Too many wrong passphrases of this member in the last minutes."""


@dataclass(slots=True)
class _Half:
    half: bytes = field(repr=False)
    used: datetime


_lock = threading.Lock()
# Hash of the session's cookie, and member → half.
_halves: dict[tuple[str, int], _Half] = {}
_running = threading.BoundedSemaphore(AT_ONCE)
_waiting = threading.BoundedSemaphore(AT_ONCE + MOST_WAITING)


def hold_open(
    request: HttpRequest, response: HttpResponseBase, *, member: Member, pair: KeyPair, path: str, now: datetime
) -> None:
    """Keep a member's key open for this session: half here, half in a cookie for the addresses under `path`."""
    cookie_half, half = members.split_key(pair, member=bytes(member.uid))
    with _lock:
        _forget_idle(now)
        _halves[_name(request), member.pk] = _Half(half, now)
    response.set_cookie(
        COOKIE,
        base64.urlsafe_b64encode(cookie_half).decode("ascii"),
        path=path,
        httponly=True,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        samesite="Strict",
    )


def open_key(request: HttpRequest, member: Member, now: datetime) -> KeyPair | None:
    """Join the halves of a member's key, and begin the fifteen minutes anew; None where it is locked."""
    with _lock:
        _forget_idle(now)
        kept = _halves.get((_name(request), member.pk))
        if kept is None:
            return None
        half = kept.half
    try:
        cookie_half = base64.b64decode(request.COOKIES.get(COOKIE, "").encode("ascii"), altchars=b"-_", validate=True)
        pair = members.join_key(cookie_half, half, member=bytes(member.uid), public=bytes(member.public))
    except (Unopenable, binascii.Error, ValueError):
        return None
    kept.used = now
    return pair


def lock(request: HttpRequest, response: HttpResponseBase, *, member: Member, path: str) -> None:
    """Forget this session's half of a member's key, and let the browser forget the other."""
    with _lock:
        _halves.pop((_name(request), member.pk), None)
    response.delete_cookie(COOKIE, path=path, samesite="Strict")


def forget_session(session_key: str | None) -> None:
    """Forget every half of a session: it has ended."""
    if session_key:
        _forget(lambda name, _member: name == stored_key(session_key))


def forget_member(member_id: int) -> None:
    """Forget a member's halves in every session: the passphrase has changed, or they have left."""
    _forget(lambda _name, member: member == member_id)


@contextmanager
def trying(member: Member) -> Iterator[None]:
    """Let a passphrase of a member be tried, which is counted unless it is right; TooOften, Busy."""
    subject = f"member {member.pk}"
    if is_over_for(subject, WRONG_PASSPHRASES):
        raise TooOften
    with stretching():
        # Counted before, so that many at once are not one.
        if count_for(subject, WRONG_PASSPHRASES) > WRONG_PASSPHRASES.most:
            raise TooOften
        yield
        take_back_for(subject, WRONG_PASSPHRASES)


@contextmanager
def stretching() -> Iterator[None]:
    """Hold one of the few places for an Argon2id; Busy when there is none within some seconds."""
    if not _waiting.acquire(blocking=False):
        raise Busy
    try:
        if not _running.acquire(timeout=PATIENCE_SECONDS):
            raise Busy
        try:
            yield
        finally:
            _running.release()
    finally:
        _waiting.release()


def _name(request: HttpRequest) -> str:
    return stored_key(request.session.session_key or "")


def _forget_idle(now: datetime) -> None:
    for key in [key for key, kept in _halves.items() if now - kept.used >= IDLE]:
        del _halves[key]


def _forget(concerns: Callable[[str, int], bool]) -> None:
    with _lock:
        for key in [key for key in _halves if concerns(*key)]:
            del _halves[key]
