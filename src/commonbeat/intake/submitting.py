"""The first answer to a report: what is stored, what was understood, and what is asked next."""

from __future__ import annotations

from msgspec.structs import replace

from commonbeat.foundation.coordinates import without_coordinates
from commonbeat.intake import texts
from commonbeat.intake.consent import ask_consent
from commonbeat.intake.placing import MOST_PLACES, spots_in
from commonbeat.intake.scene import Scene
from commonbeat.intake.state import REFERENCE_MARK, THIS_REPORT, Asks, State, Submit, TopicChoice, Turn


def submit_unsorted(scene: Scene, text: str) -> Turn:
    """Submit what begins with no topic word: under the topic that its words speak of, if it is one."""
    sensitive = scene.world.sensitive_topic(text)
    if sensitive is not None:
        return submit(scene, sensitive, text)
    return submit(scene, scene.world.topic_in_text(text, scene.language), text, guessed=True)


def submit(scene: Scene, topic: TopicChoice | None, text: str, *, guessed: bool = False) -> Turn:
    """Submit a report under a topic, or none yet, and ask for what is still unknown."""
    spots = spots_in(scene, text)
    spot = spots[0] if len(spots) == 1 else None
    if spot is not None and not spot.place_id:
        # They are the place; in the text they might become public with it.
        text = without_coordinates(text, (spot.latitude, spot.longitude))
    is_sensitive = topic is not None and topic.sensitive
    state = State(
        report_id=THIS_REPORT,
        topic=topic.code if topic else "",
        unsorted=topic is None,
        sensitive=is_sensitive,
        last_report_id=THIS_REPORT,
        last_at=scene.at,
        misses=scene.state.misses,
        misses_at=scene.state.misses_at,
        left_question=scene.state.left_question,
        guessed=guessed and topic is not None and not is_sensitive,
        unplaced=spot is None,
    )
    intent = Submit(topic=topic.code if topic else "", text=text, language=scene.language, spot=spot)
    emergency = scene.world.emergency_number
    if len(spots) > 1:
        spots = spots[:MOST_PLACES]
        places = [each.label for each in spots]
        state = replace(state, options=tuple(str(each.place_id) for each in spots))
        reply, asks = texts.thanks_which(reference=REFERENCE_MARK, places=places), Asks.PICK
        if is_sensitive:
            reply = texts.sensitive_which(reference=REFERENCE_MARK, emergency=emergency, places=places)
    elif is_sensitive and spot is None:
        reply, asks = texts.sensitive_where(reference=REFERENCE_MARK, emergency=emergency), Asks.PLACE
    elif is_sensitive and spot is not None:
        reply = texts.sensitive(reference=REFERENCE_MARK, emergency=emergency, place=spot.label)
        asks = Asks.CORRECT
    elif spot is None and state.guessed and topic is not None:
        reply, asks = texts.thanks_guessed_where(reference=REFERENCE_MARK, topic=topic.name), Asks.PLACE
    elif spot is None:
        reply, asks = texts.thanks_where(reference=REFERENCE_MARK), Asks.PLACE
    elif topic is None:
        choices = scene.world.topics(scene.language)
        state = replace(state, options=tuple(choice.code for choice in choices))
        reply = texts.thanks_topic(
            reference=REFERENCE_MARK, place=spot.label, topics=[choice.name for choice in choices]
        )
        asks = Asks.TOPIC
    elif state.guessed:
        reply = texts.thanks_guessed(reference=REFERENCE_MARK, topic=topic.name, place=spot.label)
        asks = Asks.CORRECT
    else:
        reply, asks = texts.thanks_placed(reference=REFERENCE_MARK, place=spot.label), Asks.CORRECT
    turn = Turn(replace(state, asks=asks), (reply,), (intent,))
    return ask_consent(scene, turn) if scene.state.on_behalf else turn
