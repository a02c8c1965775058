"""When somebody wrote a name that was not understood, and then says which place was meant: remember what they wrote."""

from __future__ import annotations

from datetime import datetime

from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.text import fold
from commonbeat.intake.placing import FILLERS
from commonbeat.intake.state import Asks, SetPlace, State, Turn
from commonbeat.intake.world import SiteWorld
from commonbeat.messaging.queries import last_understood_text
from commonbeat.places.actions import hear_spelling
from commonbeat.reports.gate import screen_public


def learn_spelling(state: State, turn: Turn, *, world: SiteWorld, now: datetime) -> None:
    """Count what a contact wrote before, where this message has told which place it means; `state` is that before it.

    Nothing is learned of a sensitive report, nor of words that screening would hold or that speak of a topic.
    """
    asked_again = state.asks is Asks.PICK or (state.asks is Asks.PLACE and state.tries > 0)
    spot = next((intent.spot for intent in turn.intents if isinstance(intent, SetPlace) and intent.spot), None)
    if not asked_again or state.sensitive or spot is None or not spot.place_id:
        return
    text = last_understood_text(world.contact)
    words = _without_fillers(text)
    language = world.language or world.languages[0]
    if not words or parse_coordinates(text) or screen_public(text).findings:
        return
    if world.keyword_topic(text, language) or world.topic_in_text(text, language) or world.sensitive_topic(text):
        return
    hear_spelling(place_id=spot.place_id, text=words, person=str(world.contact.pk), now=now)


def _without_fillers(text: str) -> str:
    words = fold(text[:400]).split()
    while words and words[0] in FILLERS:
        words.pop(0)
    while words and words[-1] in FILLERS:
        words.pop()
    return " ".join(words)
