"""Find the place that somebody typed: coordinates as they stand, names through the gazetteer."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from commonbeat.places.gazetteer import find_places, places_in_text
from commonbeat.places.models import Place
from commonbeat.places.points import explain_unreadable, point_in
from commonbeat.reports.models import PlaceSource
from commonbeat.web.public.draft import Draft, point_of

AS_TYPED = "as-typed"
MOST_MATCHES = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A place to choose from."""

    value: str
    name: str
    latitude: float
    longitude: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of looking: nothing more to ask, a problem, or places to choose from."""

    problem: str = ""
    choices: tuple[Choice, ...] = ()
    is_unknown: bool = False

    @property
    def is_settled(self) -> bool:
        """Tell whether the form may go on."""
        return not (self.problem or self.choices or self.is_unknown)


def settle(draft: Draft, *, match: str, typed_for: str, language: str) -> Answer:
    """Fill in the point of a draft, or say what is still to be asked.

    `match` is the chosen value of a Choice, `typed_for` the text for which the draft's point was found.
    """
    if match == AS_TYPED and draft.place_text:
        _set(draft, PlaceSource.NAMED, None)
        return Answer()
    if match.isdecimal() and len(match) < 18:
        place = Place.objects.filter(pk=int(match)).first()
        if place is not None:
            _set(draft, PlaceSource.NAMED, (place.latitude, place.longitude))
            draft.place_text = place.name_in(language)
            return Answer()
    chosen = draft.point() is not None
    if chosen and (draft.place_source in {PlaceSource.MAP, PlaceSource.DEVICE} or draft.place_text == typed_for):
        return Answer()
    if not draft.place_text:
        if draft.latitude and draft.longitude and point_of(draft.latitude, draft.longitude) is None:
            return Answer(problem=_("This point is not on the globe. Choose it again."))
        return Answer(problem=_("Say where it happened, or choose “I’d rather not say”."))
    point = point_in(draft.place_text, language)
    if point is not None:
        _set(draft, PlaceSource.COORDINATES, point)
        return Answer()
    unreadable = explain_unreadable(draft.place_text)
    if unreadable:
        return Answer(problem=unreadable)
    choices = choices_for(draft.place_text, language)
    exact = [choice for choice in choices if choice.exact]
    if len(exact) == 1:
        _set(draft, PlaceSource.NAMED, (exact[0].latitude, exact[0].longitude))
        return Answer()
    _set(draft, "", None)
    return Answer(choices=tuple(choices), is_unknown=not choices)


def choices_for(text: str, language: str) -> list[Choice]:
    """List the places that a text may mean, best first; "near the old bridge" means the bridge."""
    found = find_places(text, language=language, limit=MOST_MATCHES)
    return [
        Choice(str(match.place_id), match.label, match.latitude, match.longitude, match.exact)
        for match in found or places_in_text(text, language, limit=MOST_MATCHES)
    ]


def _set(draft: Draft, source: str, point: tuple[float, float] | None) -> None:
    draft.place_source = source
    draft.latitude, draft.longitude = (str(point[0]), str(point[1])) if point else ("", "")
