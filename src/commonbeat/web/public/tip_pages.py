"""What the pages of sealed tips share: their headers, no cookie, and fields that are sealed for a while."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from commonbeat.foundation.crypto import SealError, derive, keyed_hash, seal, unseal
from commonbeat.tips import errors
from commonbeat.web.errors import error_page
from commonbeat.web.headers import CONTENT_SECURITY_POLICY
from commonbeat.web.public.limits import body_size

# These pages alone may compile WebAssembly, which seals in the browser; it permits no other code.
POLICY = CONTENT_SECURITY_POLICY + "; script-src 'self' 'wasm-unsafe-eval'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
# A form may stay open for so long: an upload on a slow line takes hours.
TICKET_LASTS = timedelta(hours=24)
# A receipt goes on from page to page for so long; then it is typed again.
RECEIPT_LASTS = timedelta(hours=1)

P = ParamSpec("P")
Made = TypeVar("Made", bound=msgspec.Struct)
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """When a form was given out (seconds), and by which number it is sent once only."""

    at: int
    nonce: str


class Passed(msgspec.Struct, frozen=True, array_like=True):
    """A receipt on its way from one page to the next, until when (seconds), and which of its words is asked for."""

    receipt: str
    until: int
    word: int


def set_apart(size: int) -> Callable[[View[P]], View[P]]:
    """Give a page the headers of tips; refuse other sites' forms, and bodies of more than `size` bytes unread.

    There is no token in a cookie: no session stands behind these pages, so another site could only send a text of its
    own. Browsers tell from where a form comes.
    """

    def decorate(view: View[P]) -> View[P]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            response: HttpResponseBase
            if request.method == "POST" and _is_foreign(request):
                response = _foreign(request)
            elif body_size(request) > size:
                response = _too_large(request)
            else:
                try:
                    response = view(request, *args, **kwargs)
                except RequestDataTooBig:
                    response = _too_large(request)
            for name, value in HEADERS.items():
                response.headers[name] = value
            return response

        return guarded

    return decorate


def new_ticket(now: datetime) -> str:
    """Give the hidden field of a form that is given out now."""
    return _closed(Ticket(int(now.timestamp()), secrets.token_urlsafe(16)), "tip form")


def open_ticket(text: str, now: datetime) -> Ticket | None:
    """Open it; None when it is none of ours, or too old."""
    ticket = _opened(text, "tip form", Ticket)
    if ticket is None or not 0 <= now.timestamp() - ticket.at <= TICKET_LASTS.total_seconds():
        return None
    return ticket


def use_up(ticket: Ticket, now: datetime, *, by: str = "") -> bool:
    """Note that a form was sent; False when it was already, except `by` the same."""
    # Kept to the end of the next day, so that when it was sent cannot be read off.
    end = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    key = _used(ticket)
    mark = keyed_hash(derive(settings.COMMONBEAT.secret, "tip form sent"), by).hex() if by else "sent"
    return bool(cache.add(key, mark, (end - now).total_seconds())) or (bool(by) and cache.get(key) == mark)


def is_used(ticket: Ticket) -> bool:
    """Tell whether a form was sent."""
    return cache.get(_used(ticket)) is not None


def give_back(ticket: Ticket) -> None:
    """Let a form be sent again, for nothing was stored."""
    cache.delete(_used(ticket))


@contextmanager
def sent_once(ticket: Ticket, now: datetime, *, by: str = "") -> Iterator[bool]:
    """Use a form up together with what is done inside, or neither; gives False when it was sent already."""
    is_first = False
    try:
        # Also when the process ends in between: a form that was not stored may be sent again.
        with transaction.atomic():
            is_first = use_up(ticket, now, by=by)
            yield is_first
    except BaseException:
        # The cache may stand in another database, which did not roll back.
        if is_first:
            give_back(ticket)
        raise


def pass_on(receipt: str, now: datetime) -> str:
    """Seal a receipt into the hidden field of the next page."""
    until = int((now + RECEIPT_LASTS).timestamp())
    return _closed(Passed(receipt, until, 1 + secrets.randbelow(8)), "tip receipt")


def passed_on(text: str, now: datetime) -> Passed | None:
    """Open what was passed on; None when it is none of ours, or too old."""
    passed = _opened(text, "tip receipt", Passed)
    return passed if passed is not None and passed.until > now.timestamp() else None


def sentence_of(error: Exception) -> str:
    """Say to a source what is wrong; where the kind tells nothing, a sentence for everything."""
    if isinstance(error, errors.DeskFull):
        return _("This desk has taken as many tips today as it can read. Nothing was stored. Please try tomorrow.")
    if isinstance(error, errors.DeskClosed):
        return _("This desk takes no tips now. Nothing was stored.")
    if isinstance(error, errors.DialogueOver):
        return _("This dialogue has ended. Nothing can be added to it.")
    if isinstance(error, errors.TooMany):
        return _("This dialogue is full. Nothing more can be added to it.")
    if isinstance(error, errors.TooLarge):
        return _("A file is too large. Nothing was stored.")
    if isinstance(error, errors.TooLong):
        return _("This text is too long. Shorten it, or send it as a file.")
    if isinstance(error, errors.TooManyTries):
        return _("Many wrong receipts were tried in the last minute. Please wait a minute and try again.")
    return _("This could not be stored. Please load the page again and send it once more.")


def status_of(error: Exception) -> int:
    """Give the status of an answer that says what is wrong."""
    kinds = {errors.DeskFull: 503, errors.DeskClosed: 503, errors.DialogueOver: 410, errors.TooLarge: 413}
    return (kinds | {errors.TooManyTries: 429, errors.WrongOffset: 409}).get(type(error), 422)


def refused(sentence: str, status: int, **more: object) -> JsonResponse:
    """Answer a script with a sentence."""
    return JsonResponse({"problem": sentence, **more}, status=status)


def _is_foreign(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site not in ("same-origin", "none")
    # Without a referrer, which these pages do not send, a browser names no origin of a form: "null".
    origin = request.headers.get("Origin", "null")
    known = urlsplit(origin).netloc == request.get_host() or origin in settings.CSRF_TRUSTED_ORIGINS
    return origin != "null" and not known


def _foreign(request: HttpRequest) -> HttpResponse:
    said = _("Another website wanted to send this. Nothing was stored.")
    return error_page(request, status=403, title=_("This did not come from our page"), sentence=said)


def _too_large(request: HttpRequest) -> HttpResponse:
    said = _("What you sent is too large to be sent in this way, and nothing was stored. Please go back and send less.")
    return error_page(request, status=413, title=_("This is too large"), sentence=said)


def _used(ticket: Ticket) -> str:
    return f"tip-form-{keyed_hash(derive(settings.COMMONBEAT.secret, 'tip form'), ticket.nonce).hex()[:32]}"


def _closed(what: msgspec.Struct, purpose: str) -> str:
    sealed = seal(derive(settings.COMMONBEAT.secret, purpose), msgspec.json.encode(what))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _opened(text: str, purpose: str, kind: type[Made]) -> Made | None:
    try:
        sealed = base64.urlsafe_b64decode(text[:1_000] + "=" * (-len(text[:1_000]) % 4))
        return msgspec.json.decode(unseal(derive(settings.COMMONBEAT.secret, purpose), sealed), type=kind)
    except (SealError, msgspec.MsgspecError, binascii.Error, ValueError):
        return None
