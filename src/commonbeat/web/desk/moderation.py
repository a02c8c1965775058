"""Public texts that screening held: a second person releases, edits or returns them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from commonbeat.foundation import clock
from commonbeat.media import store
from commonbeat.media.actions import picture_key
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission
from commonbeat.places.gazetteer import known_names
from commonbeat.reports.actions.publish import release_publication, return_publication
from commonbeat.reports.errors import ReportError
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import Publication
from commonbeat.reports.queries import desk
from commonbeat.screening.explain import explain
from commonbeat.screening.screen import redact
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.acts import status_of
from commonbeat.web.desk.marks import Piece, marked
from commonbeat.web.desk.pages import draw
from commonbeat.web.desk.reports import picture


@dataclass(frozen=True, slots=True)
class Held:
    """A held text with what screening finds in it, and a suggestion without that."""

    publication: Publication
    topic_name: str
    reasons: list[str]
    title_pieces: list[Piece]
    text_pieces: list[Piece]
    place_pieces: list[Piece]
    title: str
    text: str
    place_name: str
    suggested_title: str
    suggested_text: str
    suggested_place: str
    is_own: bool
    problem: str


def _held(
    publication: Publication,
    viewer: User,
    *,
    typed: dict[str, str] | None = None,
    problem: str = "",
    known_places: Container[str] | None = None,
) -> Held:
    title, text, place = publication.title, publication.text, publication.place_name
    known = known_names() if known_places is None else known_places
    found = screen_public(title, text, place, known_places=known)
    shown = typed or {"title": title, "text": text, "place_name": place}
    return Held(
        publication,
        publication.topic.name_in(translation.get_language()),
        explain(found),
        marked(title, known),
        marked(text, known),
        marked(place, known),
        shown["title"],
        shown["text"],
        shown["place_name"],
        _without(title, known),
        _without(text, known),
        _without(place, known),
        publication.proposed_by_id == viewer.pk,
        problem,
    )


def _without(text: str, known_places: Container[str]) -> str:
    return redact(text, screen_public(text, known_places=known_places).findings)


@require_GET
@needs(Permission.SEE_MODERATION)
def moderation(request: HttpRequest) -> HttpResponseBase:
    """List the texts that wait; never the report behind them, nor its exact place."""
    viewer = signed_in(request)
    # Once for all of them: the gazetteer asks the database whether it changed.
    known = known_names()
    held = [_held(publication, viewer, known_places=known) for publication in desk.held_publications()]
    return draw(request, "desk/moderation/list.html", {"held": held, "wrong": None})


@require_POST
@needs(Permission.RELEASE)
def decide(request: HttpRequest, publication_id: int, verb: str) -> HttpResponseBase:
    """Release a held text, as it stands or edited, or return it to the desk."""
    if verb not in ("release", "return"):
        raise Http404
    viewer = signed_in(request)
    publication = desk.held_publication(publication_id)
    if publication is None:
        messages.info(request, _("Somebody else has decided about this text already."))
        return redirect("desk:moderation")
    typed = {name: request.POST.get(name, "") for name in ("title", "text", "place_name")}
    if request.POST.get("step") == "suggestion":
        suggestion = _held(publication, viewer)
        typed = {
            "title": suggestion.suggested_title,
            "text": suggestion.suggested_text,
            "place_name": suggestion.suggested_place,
        }
    try:
        if verb == "release":
            release_publication(publication_id=publication_id, actor=viewer, now=clock.now(), **typed)
            messages.success(request, _("The text is released."))
        else:
            reason = request.POST.get("reason", "")
            return_publication(publication_id=publication_id, reason=reason, actor=viewer, now=clock.now())
            messages.success(request, _("The text went back to the desk with your note."))
    except ReportError as error:
        shown = typed if verb == "release" else None
        wrong = _held(publication, viewer, typed=shown, problem=error.sentence)
        others = [_held(one, viewer) for one in desk.held_publications() if one.pk != publication_id]
        context = {"held": [wrong, *others], "wrong": wrong}
        return draw(request, "desk/moderation/list.html", context, status=status_of(error))
    return redirect("desk:moderation")


@require_GET
@needs(Permission.SEE_MODERATION)
def photo(request: HttpRequest, publication_id: int, photo_id: int) -> HttpResponseBase:
    """Show the clean copy of a picture that a held text would publish."""
    publication = desk.held_publication(publication_id)
    held = publication.photos.filter(pk=photo_id).first() if publication else None
    if held is None:
        raise Http404
    try:
        return picture(
            store.read_public(
                held.public_token, variant="full", data_dir=settings.COMMONBEAT.data_dir, key=picture_key()
            )
        )
    except store.NoSuchPicture:
        raise Http404 from None
