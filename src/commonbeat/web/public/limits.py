"""Refuse what is too large before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from commonbeat.web.errors import error_page

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def at_most(size: int) -> Callable[[View[P]], View[P]]:
    """Answer 413 to a body of more than `size` bytes, before the middleware reads it for its token."""

    def decorate(view: View[P]) -> View[P]:
        protected = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if body_size(request) > size:
                return too_large(request)
            try:
                return protected(request, *args, **kwargs)
            except RequestDataTooBig:
                return too_large(request)

        return guarded

    return decorate


def body_size(request: HttpRequest) -> int:
    """Tell how long the body claims to be."""
    claimed = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(claimed) if claimed.isdecimal() else 0


def too_large(request: HttpRequest) -> HttpResponse:
    """Say that nothing was stored because it was too much."""
    return error_page(
        request,
        status=413,
        title=_("This is too large"),
        sentence=_("What you sent is too large for us, and nothing was stored. Please go back and send fewer photos."),
    )


def too_often(request: HttpRequest) -> HttpResponse:
    """Say that somebody must wait."""
    return error_page(
        request,
        status=429,
        title=_("Please wait a little"),
        sentence=_(
            "A great deal has come from your network within the hour. Please try again later. "
            "In danger, call the emergency number."
        ),
    )
