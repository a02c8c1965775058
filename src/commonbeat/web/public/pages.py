"""Pages that explain, and the small things that every page leans on."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commonbeat.foundation.text import clean_text
from commonbeat.topics.queries import keyword_in, offered_topics
from commonbeat.web import throttle
from commonbeat.web.public.where import choices_for

LANGUAGE_COOKIE_SECONDS = 365 * 24 * 3600


def anonymous(request: HttpRequest) -> HttpResponse:
    """Say what "anonymous" means here: to the public, to staff, to police."""
    return render(request, "public/help/anonymous.html")


def sms(request: HttpRequest) -> HttpResponse:
    """Say how to report by text message."""
    language = translation.get_language() or "en"
    words = [(keyword_in(topic, language), topic.name_in(language)) for topic in offered_topics()]
    return render(request, "public/help/sms.html", {"words": [pair for pair in words if pair[0]]})


def privacy(request: HttpRequest) -> HttpResponse:
    """Say what is kept, how long, and who sees it."""
    return render(request, "public/help/privacy.html")


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead to the mark of the house: browsers ask for this name beside pictures and files."""
    return HttpResponseRedirect(static("commonbeat/mark.svg"))


# Nobody gains by changing another's language, and a token would mean a cookie for everybody who only reads.
@csrf_exempt
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the chosen language and go back to where the reader was."""
    code = request.POST.get("language", "")
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(to, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(to if safe else reverse("public:home"))
    if code in dict(settings.LANGUAGES):
        remember_language(response, code)
    return response


def remember_language(response: HttpResponse, code: str) -> None:
    """Set the cookie of the chosen language."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=LANGUAGE_COOKIE_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Leave this site, and let the browser forget the pages of it; a script says so by POST and leaves by itself."""
    response = HttpResponse(status=204) if request.method == "POST" else HttpResponseRedirect(exit_address())
    return forgotten(response)


def exit_address() -> str:
    """Give where "Exit this page" leads."""
    return settings.COMMONBEAT.exit_url or "https://www.wikipedia.org/"


def forgotten(response: HttpResponse) -> HttpResponse:
    """Tell the browser to forget every page that it has kept of this site, so that "back" shows none of them."""
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@require_POST
def place_search(request: HttpRequest) -> HttpResponse:
    """Find places by name for the form's suggestions; posted, so that no address keeps what somebody looked for."""
    if throttle.is_over(request, throttle.PLACES):
        return JsonResponse({"error": _("Please wait a little.")}, status=429)
    throttle.count(request, throttle.PLACES)
    text = clean_text(request.POST.get("text", ""), 200)
    language = translation.get_language() or settings.LANGUAGE_CODE
    found = choices_for(text, language) if text else []
    return JsonResponse(
        {"places": [{"id": c.value, "name": c.name, "latitude": c.latitude, "longitude": c.longitude} for c in found]}
    )


@require_GET
def manifest(request: HttpRequest) -> HttpResponse:
    """Describe the site for a phone's home screen."""
    name = settings.COMMONBEAT.site_name
    return JsonResponse(
        {
            "name": name,
            "short_name": name[:12],
            "start_url": "/",
            # Telephones of Apple push only to sites on the home screen that open by themselves ("standalone").
            "display": "standalone",
            "display_override": ["minimal-ui"],
            "background_color": "#faf6ee",
            "theme_color": "#14564b",
            "icons": [
                {"src": static("commonbeat/mark.svg"), "sizes": "any", "type": "image/svg+xml"},
                *(
                    {"src": static(f"commonbeat/mark-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png"}
                    for side in (192, 512)
                ),
            ],
        },
        content_type="application/manifest+json",
    )
