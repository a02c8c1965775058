"""The language of a page: what the person chose, else what the browser asks for."""

from __future__ import annotations

from collections.abc import Callable

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

RIGHT_TO_LEFT = frozenset({"ar"})
# Pages of staff are written in English alone. Half of them in another language would be worse than none.
STAFF_PAGES = ("/desk/", "/oversight/", "/administration/")
STAFF_LANGUAGE = "en"


class LanguageMiddleware:
    """Activate the person's language for one request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        code = chosen_language(request)
        with translation.override(code):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", code)
        return response


def chosen_language(request: HttpRequest) -> str:
    """Pick the cookie's language, else the browser's, else the site's first; English on pages of staff."""
    if request.path.startswith(STAFF_PAGES):
        return STAFF_LANGUAGE
    known = dict(settings.LANGUAGES)
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if cookie in known:
        return cookie
    for code, _quality in _accepted(request.headers.get("Accept-Language", "")[:200]):
        if code in known:
            return code
    return settings.LANGUAGE_CODE


def direction_of(language: str) -> str:
    """Give "rtl" or "ltr"."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def name_of_language(code: str) -> str:
    """Name a language in the page's language, as it stands within a sentence; an unknown code stays as it is."""
    try:
        return Locale.parse(code, sep="-").get_display_name(translation.get_language() or "en") or code
    except (ValueError, UnknownLocaleError):
        return code


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        code, _sep, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        found.append((code.split("-")[0].lower(), weight))
    return sorted(found, key=lambda pair: -pair[1])
