"""Reports for others: whether the person agreed is asked first, and what was to be asked comes after it."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from commonbeat.intake import proxy_texts
from commonbeat.intake.behalf import consent_in
from commonbeat.intake.commands import Command, Word, number_in
from commonbeat.intake.later import go_on, put_off
from commonbeat.intake.proxy_intents import CONSENTS, EndProxy, GiveConsent, PutOnBehalf, SayWhy, Unanswered
from commonbeat.intake.scene import Scene, idle, says_nothing
from commonbeat.intake.state import REFERENCE_MARK, Answer, Asks, Intent, State, Submit, Turn

# How often a message that is no answer brings the question back.
CONSENT_TRIES = 2


def ask_consent(scene: Scene, turn: Turn) -> Turn:
    """Store a report as one for somebody else, and ask for consent before what the turn would ask."""
    asking = put_off(turn, asks=Asks.CONSENT, options=CONSENTS)
    intents = tuple(_on_behalf(intent) for intent in turn.intents)
    return Turn(asking, (_question(scene, REFERENCE_MARK, is_sensitive=asking.sensitive),), intents)


def behalf_alone(scene: Scene) -> Turn:
    """Take the word alone: for the report just made, for one whose question was left, or for the next one."""
    state, world = scene.state, scene.world
    waiting = world.unanswered()
    if state.asks is not Asks.CONSENT and scene.is_soon and world.can_be_on_behalf(state.last_report_id):
        report_id = state.last_report_id
        keeps = state if state.report_id == report_id else replace(idle(state), report_id=report_id)
        asking = replace(
            keeps, asks=Asks.CONSENT, options=CONSENTS, then=keeps.asks, later=keeps.options, tries=0, last_at=scene.at
        )
        reply = _question(scene, REFERENCE_MARK, is_sensitive=state.sensitive)
        return Turn(asking, (reply,), (PutOnBehalf(report_id),))
    if waiting and state.asks is not Asks.TEXT:
        return _ask_again(scene, waiting[0])
    return Turn(replace(idle(state), asks=Asks.TEXT, on_behalf=True), (proxy_texts.tell_us_behalf(),))


def late_answer(scene: Scene) -> Turn | None:
    """Ask again where a number alone may answer a question of two days ago; it is not taken, for "5" erases."""
    found = number_in(scene.text)
    if found is None or found[1] or not 1 <= found[0] <= len(CONSENTS):
        return None
    waiting = scene.world.unanswered()
    return _ask_again(scene, waiting[0]) if waiting else None


def consent_turn(scene: Scene, command: Command | None) -> Turn | None:
    """Take the answer to "did the person agree?" or "why could you not ask?"; None when it says something else."""
    return _why_turn(scene, command) if scene.state.asks is Asks.WHY else _consent_turn(scene, command)


def resign(scene: Scene) -> Turn | None:
    """Let a proxy end by a word; None for everybody else."""
    proxy = scene.world.proxy()
    return Turn(idle(scene.state), (proxy_texts.ended(),), (EndProxy(proxy.proxy_id),)) if proxy else None


def _consent_turn(scene: Scene, command: Command | None) -> Turn | None:
    state = scene.state
    waiting = next((each for each in scene.world.unanswered() if each.report_id == state.report_id), None)
    if waiting is None:
        # The desk has recorded it meanwhile, or it is long ago.
        return None
    found = consent_in(scene.text, tuple(scene.world.languages))
    if found is None and command is not None:
        return go_on(scene, proxy_texts.consent_left()) if command.word is Word.CANCEL else None
    if found is None:
        return _meanwhile(scene, waiting)
    kind, reason = found
    given = GiveConsent(state.report_id, kind)
    if kind == "refused":
        after = State(misses=state.misses, misses_at=state.misses_at, left_question=state.left_question)
        return Turn(after, (proxy_texts.refused(),), (given,))
    if kind == "danger" and not reason:
        return Turn(
            replace(state, asks=Asks.WHY, options=(), tries=0, last_at=scene.at), (proxy_texts.why(),), (given,)
        )
    intents = (given, SayWhy(state.report_id, reason)) if reason else (given,)
    return go_on(scene, proxy_texts.given(reference=waiting.reference), *intents)


def _why_turn(scene: Scene, command: Command | None) -> Turn | None:
    state = scene.state
    given = proxy_texts.given(reference=REFERENCE_MARK)
    if command is not None:
        # An intent that says nothing new, so that the reference comes along.
        return go_on(scene, given, GiveConsent(state.report_id, "danger")) if command.word is Word.CANCEL else None
    return go_on(scene, given, SayWhy(state.report_id, scene.text)) if scene.is_soon else None


def _meanwhile(scene: Scene, waiting: Unanswered) -> Turn | None:
    """Keep what is no answer with the report, and ask once more; None where it begins something new."""
    state, world = scene.state, scene.world
    if not scene.is_soon or state.tries >= CONSENT_TRIES or world.keyword_topic(scene.text, scene.language) is not None:
        return None
    asking = replace(state, tries=state.tries + 1, last_at=scene.at)
    reply = _question(scene, waiting.reference, is_sensitive=state.sensitive)
    kept = () if says_nothing(scene.text) else (Answer(state.report_id, scene.text),)
    return Turn(asking, (reply,), kept)


def _ask_again(scene: Scene, waiting: Unanswered) -> Turn:
    asking = replace(
        idle(scene.state),
        asks=Asks.CONSENT,
        options=CONSENTS,
        report_id=waiting.report_id,
        last_report_id=waiting.report_id,
        last_at=scene.at,
    )
    # Nobody remembers whether it is a sensitive one, and the number for danger harms nobody.
    return Turn(asking, (_question(scene, waiting.reference, is_sensitive=True),))


def _on_behalf(intent: Intent) -> Intent:
    return dataclasses.replace(intent, on_behalf=True) if isinstance(intent, Submit) else intent


def _question(scene: Scene, reference: str, *, is_sensitive: bool) -> str:
    if is_sensitive:
        return proxy_texts.consent_danger(reference=reference, emergency=scene.world.emergency_number)
    return proxy_texts.consent(reference=reference)
