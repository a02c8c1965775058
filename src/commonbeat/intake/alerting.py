"""Alerts for a place: asked for, listed and ended by message."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from commonbeat.alerts.geometry import FARTHEST_LATITUDE
from commonbeat.alerts.kinds import kind_of
from commonbeat.foundation.text import fold
from commonbeat.intake import alert_texts, texts
from commonbeat.intake.alert_intents import AlertPlace, EndAlertKind, EndAlerts, GetAlerts
from commonbeat.intake.alert_words import AlertsAsked, alerts_in, is_everywhere, kind_named
from commonbeat.intake.commands import Command, number_in
from commonbeat.intake.placing import MOST_PLACES, PLACE_WORDS, Found, look_up
from commonbeat.intake.scene import Scene, idle, option_chosen
from commonbeat.intake.state import Asks, Spot, Turn

# "ALERTS gas leak" asks for a place that we do not know; what is longer is a report that begins so.
_UNKNOWN_WORDS = 3


def alerts_turn(scene: Scene, command: Command | None) -> Turn | None:
    """Take what somebody says of their own alerts, or the answer to "which place?"; None when it is something else."""
    if command is not None:
        return None
    asked = alerts_in(scene.text)
    if asked is not None:
        return _end(scene, asked) if asked.ends else _get(scene, asked)
    if scene.state.asks is Asks.ALERT_PICK:
        return _picked(scene) or _for_place(scene, scene.text)
    return _for_place(scene, scene.text) if scene.state.asks is Asks.ALERT_PLACE else None


def _get(scene: Scene, asked: AlertsAsked) -> Turn | None:
    places = scene.world.alerts()
    if not asked.rest:
        asking = replace(idle(scene.state), asks=Asks.ALERT_PLACE)
        if not places.places:
            return Turn(asking, (alert_texts.alerts_none(),))
        return Turn(asking, (alert_texts.alerts_listed(places=_labels(places.places)),))
    turn = _for_place(scene, asked.rest)
    if turn is not None:
        return turn
    is_short = len(fold(asked.rest).split()) <= _UNKNOWN_WORDS
    if not (asked.is_sure and is_short) or scene.world.keyword_topic(asked.rest, scene.language) is not None:
        return None
    return Turn(replace(idle(scene.state), asks=Asks.ALERT_PLACE), (alert_texts.alerts_unknown_place(),))


def _for_place(scene: Scene, text: str) -> Turn | None:
    """Subscribe for a place that a text names and of which it says nothing else; ask where there are several."""
    if is_everywhere(text):
        return _subscribed(scene, None)
    # A link to a map has many words.
    is_short = bool(text) and ("//" in text or len(fold(text).split()) <= PLACE_WORDS)
    found = look_up(scene, text) if is_short else Found(None)
    if not found.is_bare:
        return None
    if found.spot is not None:
        # Nobody lives nearer to a pole, and no area of an alert reaches there.
        return _subscribed(scene, found.spot) if abs(found.spot.latitude) <= FARTHEST_LATITUDE else None
    spots = found.places[:MOST_PLACES]
    asking = replace(idle(scene.state), asks=Asks.ALERT_PICK, options=tuple(str(spot.place_id) for spot in spots))
    return Turn(asking, (texts.which_place(places=[spot.label for spot in spots]),))


def _picked(scene: Scene) -> Turn | None:
    chosen = option_chosen(scene)
    spot = scene.world.place(chosen, scene.language) if chosen is not None else None
    return _subscribed(scene, spot) if spot is not None else None


def _subscribed(scene: Scene, spot: Spot | None) -> Turn:
    places = scene.world.alerts()
    # What was asked before stays open, unless it was this.
    after = idle(scene.state) if scene.state.asks in (Asks.ALERT_PLACE, Asks.ALERT_PICK) else scene.state
    if places.is_full:
        return Turn(after, (alert_texts.alerts_full(places=_labels(places.places)),))
    if spot is None:
        return Turn(after, (alert_texts.alerts_everywhere(),), (GetAlerts(scene.language),))
    intent = GetAlerts(scene.language, spot.label, spot.latitude, spot.longitude)
    return Turn(after, (alert_texts.alerts_here(place=spot.label),), (intent,))


def _end(scene: Scene, asked: AlertsAsked) -> Turn | None:
    places = scene.world.alerts().places
    state = idle(scene.state) if scene.state.asks in (Asks.ALERT_PLACE, Asks.ALERT_PICK) else scene.state
    rest = asked.rest
    if not rest or is_everywhere(rest):
        return Turn(state, (alert_texts.alerts_ended(),), (EndAlerts(),))
    number = number_in(rest)
    if number is not None and not number[1]:
        if not 1 <= number[0] <= len(places):
            return Turn(state, (alert_texts.alerts_no_such(),))
        return _ended(scene, places, places[number[0] - 1])
    named = next((place for place in places if place.label and fold(place.label) == fold(rest)), None)
    if named is not None:
        return _ended(scene, places, named)
    kind = kind_named(rest)
    if not kind:
        # "No alerts came when the river rose": somebody tells us something.
        return None
    return Turn(
        state, (alert_texts.alerts_ended_kind(kind=kind_of(kind).name_in(scene.language)),), (EndAlertKind(kind),)
    )


def _ended(scene: Scene, places: Sequence[AlertPlace], ended: AlertPlace) -> Turn:
    left = [place for place in places if place is not ended]
    reply = alert_texts.alerts_ended_one(place=_labels([ended])[0], places=_labels(left))
    state = idle(scene.state) if scene.state.asks in (Asks.ALERT_PLACE, Asks.ALERT_PICK) else scene.state
    return Turn(state, (reply,), (EndAlerts(ended.subscription_id),))


def _labels(places: Sequence[AlertPlace]) -> list[str]:
    return [_label(place) for place in places]


def _label(place: AlertPlace) -> str:
    if place.is_everywhere:
        return alert_texts.everywhere()
    return place.label or (alert_texts.drawn() if place.is_drawn else "")
