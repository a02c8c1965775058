"""Reach my officer: where somebody lives, whose beat that is, and what they want to tell them."""

from __future__ import annotations

from msgspec.structs import replace

from commonbeat.foundation.text import fold
from commonbeat.intake import contact_texts, texts
from commonbeat.intake.commands import Command, number_in
from commonbeat.intake.contact_intents import LocalBeat
from commonbeat.intake.officer_words import OfficerAsked, officer_in
from commonbeat.intake.placing import MOST_PLACES, PLACE_TRIES, PLACE_WORDS, Found, look_up, spots_in
from commonbeat.intake.scene import ADDITION_SECONDS, Scene, idle, option_chosen, says_nothing
from commonbeat.intake.state import REFERENCE_MARK, THIS_REPORT, Asks, Submit, Turn
from commonbeat.places.points import explain_unreadable
from commonbeat.topics.queries import TO_OFFICER

# What is longer is no name that we do not know, but what somebody wants to tell.
_NAME_WORDS, _NAME_LETTERS = 3, 30


def officer_asked(scene: Scene, command: Command | None) -> Turn | None:
    """Take the word for one's officer, alone or with a place; None when the message says something else."""
    asked = officer_in(scene.text) if command is None else None
    if asked is None or (scene.state.asks is Asks.ANSWER and not asked.is_command):
        # "Who told you so?" - "Officer."
        return None
    return _with_place(scene, asked) if asked.rest else _where(scene)


def officer_answered(scene: Scene, command: Command | None) -> Turn | None:
    """Take the answer to "where do you live?", or what somebody tells their officer; None when it is something else."""
    state = scene.state
    if command is not None:
        return None
    if state.asks is Asks.OFFICER_TEXT and not says_nothing(scene.text):
        return _tell(scene, state.beat_id)
    if state.asks is Asks.OFFICER_PLACE:
        return _at_home(scene) or _place_given(scene)
    return _picked(scene) or _place_given(scene) if state.asks is Asks.OFFICER_PICK else None


def _where(scene: Scene) -> Turn:
    home, emergency = scene.world.home(), scene.world.emergency_number
    asking = replace(idle(scene.state), asks=Asks.OFFICER_PLACE, asked_at=scene.at)
    if home is None:
        return Turn(asking, (contact_texts.officer_where(emergency=emergency),))
    reply = contact_texts.officer_where_or(emergency=emergency, place=home.label)
    return Turn(replace(asking, beat_id=home.beat_id), (reply,))


def _with_place(scene: Scene, asked: OfficerAsked) -> Turn | None:
    found = _look_up(scene, asked.rest)
    if found.is_bare:
        return _found(scene, found)
    if not (asked.is_command and _is_like_a_name(asked.rest)) or scene.world.keyword_topic(asked.rest, scene.language):
        # "Officer at the bridge was rude": somebody tells us something.
        return None
    asking = replace(idle(scene.state), asks=Asks.OFFICER_PLACE, asked_at=scene.at)
    return Turn(asking, (contact_texts.officer_unknown_place(),))


def _at_home(scene: Scene) -> Turn | None:
    beat = scene.world.beat(scene.state.beat_id) if scene.state.beat_id and number_in(scene.text) == (1, "") else None
    return _in_beat(scene, beat) if beat is not None else None


def _picked(scene: Scene) -> Turn | None:
    chosen = option_chosen(scene)
    spot = scene.world.place(chosen, scene.language) if chosen is not None else None
    return _found(scene, Found(spot)) if spot is not None else None


def _place_given(scene: Scene) -> Turn | None:
    state, world, text = scene.state, scene.world, scene.text
    found = _look_up(scene, text)
    if found.is_bare:
        return _found(scene, found)
    if says_nothing(text) or world.keyword_topic(text, scene.language) is not None:
        return None
    unreadable = explain_unreadable(text)
    # After STOP nothing can be asked back, so that whatever is said is kept.
    if not world.stopped and (unreadable or _is_like_a_name(text)):
        tries = state.tries + 1
        if tries < PLACE_TRIES:
            after = replace(state, asks=Asks.OFFICER_PLACE, options=(), tries=tries)
            return Turn(after, (unreadable or contact_texts.officer_unknown_place(),))
        return Turn(replace(idle(state), asks=Asks.OFFICER_TEXT), (contact_texts.officer_no_place(),))
    if not 0 <= scene.at - state.asked_at <= ADDITION_SECONDS:
        # Hours later a sentence is a report.
        return None
    # They do not wait for our question.
    spots = spots_in(scene, text)
    beat = world.beat_at(spots[0].latitude, spots[0].longitude) if len(spots) == 1 else None
    return _tell(scene, beat.beat_id if beat is not None else 0)


def _found(scene: Scene, found: Found) -> Turn:
    if found.spot is not None:
        return _in_beat(scene, scene.world.beat_at(found.spot.latitude, found.spot.longitude))
    spots = found.places[:MOST_PLACES]
    options = tuple(str(spot.place_id) for spot in spots)
    asking = replace(idle(scene.state), asks=Asks.OFFICER_PICK, options=options, asked_at=scene.at)
    return Turn(asking, (texts.which_place(places=[spot.label for spot in spots]),))


def _in_beat(scene: Scene, beat: LocalBeat | None) -> Turn:
    asking = replace(idle(scene.state), asks=Asks.OFFICER_TEXT)
    if beat is None:
        return Turn(asking, (contact_texts.officer_no_beat(),))
    return Turn(replace(asking, beat_id=beat.beat_id), (contact_texts.officer_here(beat=beat),))


def _tell(scene: Scene, beat_id: int) -> Turn:
    after = replace(idle(scene.state), last_report_id=THIS_REPORT, last_at=scene.at)
    reply = contact_texts.officer_told(reference=REFERENCE_MARK, emergency=scene.world.emergency_number)
    return Turn(after, (reply,), (Submit(TO_OFFICER, scene.text, scene.language, beat_id=beat_id),))


def _look_up(scene: Scene, text: str) -> Found:
    # A link to a map has many words.
    is_short = "//" in text or len(fold(text).split()) <= PLACE_WORDS
    return look_up(scene, text) if is_short else Found(None)


def _is_like_a_name(text: str) -> bool:
    return len(fold(text).split()) <= _NAME_WORDS and len(text) <= _NAME_LETTERS
