"""The receipt: shown once, kept by its owner alone, and proven by one of its words."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from commonbeat.foundation import clock
from commonbeat.tips.receipts import is_word_of, show_receipt
from commonbeat.web.errors import error_page
from commonbeat.web.public import tip_pages as pages
from commonbeat.web.public.pages import remember_language

_BODY_LIMIT = 20_000


def receipt_page(
    request: HttpRequest,
    receipt: str,
    *,
    now: datetime,
    is_first: bool = False,
    has_files: bool = False,
    arrived: str = "",
) -> HttpResponse:
    """Show the words of a receipt; they stand in this answer, and in no address, cookie or table.

    `arrived` says in the first line what has arrived, where it is no tip.
    """
    context = {
        "words": show_receipt(receipt).split("-"),
        "passed": pages.pass_on(receipt, now),
        "is_first": is_first,
        "has_files": has_files,
        "arrived": arrived,
        # The menu of languages sends the words on: anything else would lose them.
        "language_form": "tip-receipt",
        "language_action": reverse("public:tip_receipt"),
    }
    return render(request, "public/tip_receipt.html", context)


@pages.set_apart(_BODY_LIMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def tip_receipt(request: HttpRequest) -> HttpResponse:
    """Ask for one word of the receipt back, and say whether it is right."""
    if request.method != "POST":
        return redirect("public:tip")
    now = clock.now()
    passed = pages.passed_on(request.POST.get("passed", ""), now)
    if passed is None:
        return _too_old(request)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        with translation.override(language):
            response = receipt_page(request, passed.receipt, now=now)
        response.headers["Content-Language"] = language
        remember_language(response, language)
        return response
    if request.POST.get("go") == "words":
        return receipt_page(request, passed.receipt, now=now)
    if "word" not in request.POST:
        return _ask(request, passed)
    if not is_word_of(passed.receipt, request.POST["word"][:40]):
        said = _("This is no word of your receipt. Look at what you saved, or see the words again.")
        return _ask(request, passed, problem=said)
    return render(request, "public/tip_saved.html")


@pages.set_apart(_BODY_LIMIT)
@require_POST
def tip_card(request: HttpRequest) -> HttpResponse:
    """Give the receipt as a picture to keep or to print."""
    passed = pages.passed_on(request.POST.get("passed", ""), clock.now())
    if passed is None:
        return _too_old(request)
    context = {"words": show_receipt(passed.receipt).split("-"), "address": settings.COMMONBEAT.site_url.rstrip("/")}
    response = render(request, "public/tip_card.html", context, content_type="image/svg+xml")
    # The name tells nothing to who looks through a telephone.
    response.headers["Content-Disposition"] = 'attachment; filename="card.svg"'
    return response


def _ask(request: HttpRequest, passed: pages.Passed, *, problem: str = "") -> HttpResponse:
    context = {
        "passed": request.POST.get("passed", ""),
        "number": passed.word,
        "problem": problem,
        "summary_errors": [("word", problem)] if problem else [],
    }
    return render(request, "public/tip_word.html", context, status=422 if problem else 200)


def _too_old(request: HttpRequest) -> HttpResponse:
    said = _(
        "For your safety the receipt is no longer in this page. If you saved it, you can open the dialogue with it."
    )
    return error_page(request, status=410, title=_("This page is too old"), sentence=said)
