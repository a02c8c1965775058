"""The volunteers' queue: one masked text at a time, and nothing of the report that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission
from commonbeat.reports.actions.volunteering import (
    AlreadyPassedOn,
    MarksMissing,
    TooManyPassed,
    call_unfit,
    hand_in,
    know_somebody,
    skip,
    take_next,
)
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.masking import closed_to_strangers
from commonbeat.reports.queries.translations import held_by, numbers_for, turn_of
from commonbeat.reports.translation_models import Translation
from commonbeat.screening.masking import labels_of, pieces
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.language import direction_of, name_of_language


@require_safe
@needs(Permission.TRANSLATE)
def home(request: HttpRequest) -> HttpResponseBase:
    """Show the text that this volunteer holds, or how many wait."""
    return _page(request, held_by(signed_in(request), now=clock.now()))


@require_POST
@needs(Permission.TRANSLATE)
def take(request: HttpRequest) -> HttpResponseBase:
    """Give the volunteer the text that has waited longest."""
    try:
        found = take_next(actor=signed_in(request), now=clock.now())
    except TooManyPassed as error:
        messages.warning(request, error.sentence)
        return redirect("translating:home")
    if found is None:
        messages.info(request, _("Nothing waits in your languages right now. Thank you for looking."))
    return redirect("translating:home")


@require_POST
@needs(Permission.TRANSLATE)
def act(request: HttpRequest, translation_id: int, verb: str) -> HttpResponseBase:
    """Hand a text in, or pass it on."""
    volunteer = signed_in(request)
    if verb == "hand-in":
        return _hand_in(request, translation_id, volunteer)
    if verb not in PASSING:
        raise Http404
    action, said = PASSING[verb]
    try:
        action(translation_id=translation_id, actor=volunteer, now=clock.now())
    except NotAllowed:
        raise Http404 from None
    messages.success(request, said())
    return redirect("translating:home")


def _hand_in(request: HttpRequest, translation_id: int, volunteer: User) -> HttpResponseBase:
    typed = request.POST.get("text", "")
    try:
        _row, late = hand_in(
            translation_id=translation_id,
            text=typed,
            actor=volunteer,
            now=clock.now(),
            without_marks=request.POST.get("without_marks") == "1",
        )
    except NotAllowed:
        raise Http404 from None
    except AlreadyPassedOn as error:
        messages.warning(request, error.sentence)
        return redirect("translating:home")
    except ReportError as error:
        had = turn_of(volunteer, translation_id)
        return _page(request, had, typed=typed, error=error.sentence, marks_missing=isinstance(error, MarksMissing))
    if late:
        messages.info(
            request,
            _("Somebody else had finished this text before you. Yours is kept: the desk sees both. Thank you."),
        )
    else:
        messages.success(request, _("Thank you. The desk has your translation."))
    return redirect("translating:home")


PASSING: dict[str, tuple[Callable[..., None], Callable[[], str]]] = {
    "skip": (skip, lambda: _("Left to others. You will not get this text again.")),
    "knows": (
        know_somebody,
        lambda: _("Thank you for saying so. Keep it to yourself; you will get nothing more of this matter."),
    ),
    "unfit": (call_unfit, lambda: _("Thank you. Nobody outside reads this text any more; the desk translates it.")),
}


def _page(
    request: HttpRequest,
    held: Translation | None,
    *,
    typed: str = "",
    error: str = "",
    marks_missing: bool = False,
) -> HttpResponseBase:
    volunteer = signed_in(request)
    now = clock.now()
    # A topic may have become one that strangers do not read, since the text was taken.
    if held is not None and closed_to_strangers(held) is not None and not error:
        held = None
    shows_source = held is not None and closed_to_strangers(held) is None
    context: dict[str, Any] = {
        "held": held,
        "lines": _lines(held.source) if held is not None and shows_source else [],
        "labels": labels_of(held.source) if held is not None and shows_source else [],
        "topic": held.report.topic.name_in(translation.get_language()) if held is not None and shows_source else "",
        "from_name": name_of_language(held.from_language) if held is not None else "",
        "into_name": name_of_language(held.language) if held is not None else "",
        "from_direction": direction_of(held.from_language) if held is not None else "ltr",
        "until": held.claimed_until if held is not None and held.claimed_by_id == volunteer.pk else None,
        "typed": typed,
        "error": error,
        "marks_missing": marks_missing,
        "numbers": numbers_for(volunteer, now=now),
        "reads": [name_of_language(code) for code in volunteer.languages_read],
    }
    return render(request, "translating/home.html", context, status=400 if error else 200)


def _lines(source: str) -> list[list[Any]]:
    return [list(pieces(line, {})) for line in source.split("\n") if line.strip()]
