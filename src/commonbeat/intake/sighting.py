"""Who saw something: a report like any other, tied to the alert that asked for it; nothing of it is repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from msgspec.structs import replace

from commonbeat.foundation.text import ascii_digits
from commonbeat.intake import alert_texts
from commonbeat.intake.alert_intents import ANSWERING_SECONDS, LOOKING_SECONDS, AnswersAlert, LookOut
from commonbeat.intake.alert_words import Saw, Strength, saw_in
from commonbeat.intake.commands import Command, Word
from commonbeat.intake.later import go_on, put_off
from commonbeat.intake.placing import MOST_PLACES
from commonbeat.intake.scene import Scene, option_chosen, says_nothing
from commonbeat.intake.state import REFERENCE_MARK, THIS_REPORT, Asks, Intent, SetTopic, Submit, TopicChoice, Turn
from commonbeat.intake.submitting import submit
from commonbeat.topics.queries import SIGHTING

MOST_ALERTS = 4
_TOPIC = TopicChoice(SIGHTING, "", sensitive=True)
# Where one of these was asked, what comes next needs not be its answer.
_FREE = (Asks.NOTHING, Asks.CORRECT)


def sighting_turn(scene: Scene, command: Command | None) -> Turn | None:
    """Take what somebody saw, or the answer to "which alert?"; None when it is something else."""
    state = scene.state
    if command is not None:
        return _about(scene, command) if state.asks is Asks.ABOUT_ALERT else None
    if state.asks is Asks.WHICH_ALERT:
        chosen = _chosen(scene)
        if chosen is not None:
            return chosen
    saw = saw_in(scene.text)
    turn = _in_thread(scene, saw)
    if turn is not None:
        return turn
    if state.asks is Asks.SAW and not says_nothing(scene.text):
        return _submit(scene, saw.rest if saw is not None and _is_said(saw) else scene.text)
    if saw is None:
        return None
    wanted = scene.world.look_outs(scene.language)
    if not _is_meant(scene, saw, wanted):
        return None
    if says_nothing(saw.rest):
        reply = alert_texts.tell_what_you_saw(emergency=scene.world.emergency_number)
        return Turn(replace(state, asks=Asks.SAW, options=(), tries=0), (reply,))
    return _submit(scene, saw.rest if _is_said(saw) else scene.text, wanted)


def ask_about_alert(scene: Scene, turn: Turn) -> Turn:
    """Ask of a new report whether it answers an alert: its words do not say so, but its thread or its hour does.

    Until they say YES it is the report that it would be anyway.
    """
    submitted = next((intent for intent in turn.intents if isinstance(intent, Submit)), None)
    if submitted is None or turn.state.then is not Asks.NOTHING or scene.state.asks is Asks.TEXT:
        return turn
    about = scene.world.answered(scene.language)
    if about is None and not submitted.topic:
        about = _just_asked(scene)
    if about is None or not about.asked_at:
        return turn
    reply = alert_texts.saw_about(
        reference=REFERENCE_MARK, emergency=scene.world.emergency_number, alert=about.headline
    )
    asking = put_off(turn, asks=Asks.ABOUT_ALERT, options=(str(about.alert_id),))
    return Turn(asking, (reply,), turn.intents)


def _just_asked(scene: Scene) -> LookOut | None:
    """Give the alert that was the last thing this person had of us, a short while ago."""
    latest = next((each for each in scene.world.look_outs(scene.language) if each.asked_at), None)
    if latest is None or not latest.is_active or latest.asked_at < scene.state.last_at:
        return None
    return latest if 0 <= scene.at - latest.asked_at <= ANSWERING_SECONDS else None


def _about(scene: Scene, command: Command) -> Turn | None:
    """Take YES or NO for the answer to "is it about this alert?"; 0 leaves it."""
    state = scene.state
    option = next(iter(state.options), "")
    if command.word is Word.CANCEL and not ascii_digits(scene.text).strip().isdecimal():
        return go_on(scene, alert_texts.saw_noted())
    if command.word is not Word.YES or not option.isdecimal():
        return None
    # What it is about needs not be asked any more, and where it was still does.
    then, later = (Asks.CORRECT, ()) if state.then is Asks.TOPIC else (state.then, state.later)
    known = replace(state, topic=SIGHTING, unsorted=False, sensitive=True, guessed=False, then=then, later=later)
    ties = (SetTopic(state.report_id, SIGHTING), AnswersAlert(state.report_id, int(option)))
    return go_on(dataclasses.replace(scene, state=known), alert_texts.saw_noted(), *ties)


def _in_thread(scene: Scene, saw: Saw | None) -> Turn | None:
    """Take the answer to an alert's own message for what somebody saw, unless its words speak of something else."""
    if says_nothing(scene.text if saw is None else saw.rest):
        return None
    about = scene.world.answered(scene.language)
    if about is None:
        return None
    if saw is not None:
        return _submit(scene, saw.rest if _is_said(saw) else scene.text, [about])
    world, state = scene.world, scene.state
    if scene.is_soon and about.report_id and about.report_id == state.last_report_id:
        # More of what they told us just now, or the place that we asked for.
        return None
    speaks_of_topic = (
        world.sensitive_topic(scene.text) is not None
        or world.keyword_topic(scene.text, scene.language) is not None
        or world.topic_in_text(scene.text, scene.language) is not None
    )
    return None if speaks_of_topic else _submit(scene, scene.text, [about])


def _is_meant(scene: Scene, saw: Saw, wanted: Sequence[LookOut]) -> bool:
    """Tell whether "saw" answers an alert; many reports begin so that have nothing to do with any."""
    state, world = scene.state, scene.world
    had_at = max((each.asked_at for each in wanted), default=0)
    is_lately = bool(had_at) and scene.at - had_at <= LOOKING_SECONDS
    if saw.strength is Strength.COMMAND:
        return True
    if is_lately and had_at >= state.last_at:
        # The alert was the last thing that we wrote to them.
        return True
    if state.asks is Asks.ANSWER or (state.asks not in _FREE and scene.is_soon) or world.open_question() is not None:
        return False
    if is_lately:
        return True
    is_asked = any(each.is_active for each in wanted) and saw.strength >= Strength.WORD
    # "Saw somebody dumping tyres" while a child is looked for, from somebody who was not asked.
    return (
        is_asked and world.sensitive_topic(saw.rest) is None and world.topic_in_text(saw.rest, scene.language) is None
    )


def _submit(scene: Scene, text: str, wanted: Sequence[LookOut] | None = None) -> Turn:
    wanted = scene.world.look_outs(scene.language) if wanted is None else wanted
    turn = submit(dataclasses.replace(scene, state=replace(scene.state, on_behalf=False)), _TOPIC, text)
    active = [each for each in wanted if each.is_active]
    active = [each for each in active if each.asked_at] or active
    over = [] if active else [each for each in wanted if each.asked_at]
    if len(active) > 1:
        return _ask_which(scene, turn, active[:MOST_ALERTS])
    # Of several that are over nobody knows which is meant.
    about = active or (over if len(over) == 1 else [])
    ties = tuple(AnswersAlert(THIS_REPORT, each.alert_id) for each in about)
    return Turn(turn.state, (_reply(scene, turn, is_over=not active),), (*turn.intents, *ties))


def _ask_which(scene: Scene, turn: Turn, alerts: Sequence[LookOut]) -> Turn:
    asking = put_off(turn, asks=Asks.WHICH_ALERT, options=tuple(str(each.alert_id) for each in alerts))
    reply = alert_texts.saw_which_alert(
        reference=REFERENCE_MARK,
        emergency=scene.world.emergency_number,
        alerts=[each.headline for each in alerts],
    )
    return Turn(asking, (reply,), turn.intents)


def _chosen(scene: Scene) -> Turn | None:
    chosen = option_chosen(scene)
    if chosen is None:
        return None
    return go_on(scene, alert_texts.saw_noted(), AnswersAlert(scene.state.report_id, chosen))


def _reply(scene: Scene, turn: Turn, *, is_over: bool) -> str:
    """Say what is said of a sighting, in the place of what the turn says of a sensitive report."""
    emergency = scene.world.emergency_number
    place = _place(turn.intents)
    if turn.state.asks is Asks.PICK:
        options = turn.state.options[:MOST_PLACES]
        spots = [scene.world.place(int(option), scene.language) for option in options if option.isdecimal()]
        return alert_texts.saw_which_place(
            reference=REFERENCE_MARK,
            emergency=emergency,
            places=[each.label for each in spots if each is not None],
            is_over=is_over,
        )
    if place is None:
        return alert_texts.saw_where(reference=REFERENCE_MARK, emergency=emergency, is_over=is_over)
    return alert_texts.saw(reference=REFERENCE_MARK, emergency=emergency, place=place, is_over=is_over)


def _place(intents: Sequence[Intent]) -> str | None:
    return next((i.spot.label for i in intents if isinstance(i, Submit) and i.spot is not None), None)


def _is_said(saw: Saw) -> bool:
    # The word alone was a command; a sentence stays as it was said.
    return saw.strength is Strength.COMMAND and not says_nothing(saw.rest)
