"""Error pages: a clear sentence, and the way on."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def error_page(request: HttpRequest, *, status: int, title: str, sentence: str) -> HttpResponse:
    """Answer with one sentence in the person's language."""
    return render(request, "public/error.html", {"title": title, "sentence": sentence}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that cannot be read."""
    if isinstance(exception, TooManyFieldsSent):
        # Ticked boxes as a rule, and not one of them was looked at.
        said = _("You chose more than %(count)s things at once. Nothing was changed. Please go back and choose fewer.")
        most = {"count": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}
        return error_page(request, status=400, title=_("Too much at once"), sentence=said % most)
    return error_page(
        request,
        status=400,
        title=_("We could not read that"),
        sentence=_("What arrived here was damaged or too large. Nothing was stored. Please go back and try again."),
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer somebody who may not see a page."""
    return error_page(
        request,
        status=403,
        title=_("This page is not for your account"),
        sentence=_("If you think that it should be, ask your supervisor."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    return error_page(
        request,
        status=404,
        title=_("We could not find that page"),
        sentence=_("The address may be mistyped, or what it showed is no longer public."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke on our side."""
    return error_page(
        request,
        status=500,
        title=_("Something went wrong on our side"),
        sentence=_("Please try again in a minute. If it matters now, call or send a text message."),
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came back without its token."""
    return error_page(
        request,
        status=403,
        title=_("This form has been open for too long"),
        sentence=_("Please go back, load the page again and send it once more. Allow cookies for this site."),
    )
