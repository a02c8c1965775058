"""How reports stand: STATUS, references that do not exist, and YES."""

from __future__ import annotations

from msgspec.structs import replace

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import proxy_texts, texts
from commonbeat.intake.proxy_intents import AcceptProxy
from commonbeat.intake.scene import Scene, idle
from commonbeat.intake.state import Asks, Confirm, Standing, State, Turn

MISSES, MISSES_SECONDS = 5, 60 * 60


def tell_standing(scene: Scene, reference: str) -> Turn:
    """Tell how a report stands; without a reference, this person's latest."""
    state, world = scene.state, scene.world
    if not reference:
        latest = world.latest()
        if latest is None:
            return Turn(state, (texts.no_report_yet(),))
        return Turn(state, (_standing_text(latest),))
    if is_slowed(scene):
        return Turn(state, (texts.too_many_tries(),))
    found = world.standing(reference)
    if found is not None:
        return Turn(state, (_standing_text(found),))
    return Turn(missed(scene), (texts.bad_reference(),))


def missed(scene: Scene) -> State:
    """Count a reference that does not exist."""
    state = scene.state
    if scene.at - state.misses_at > MISSES_SECONDS:
        return replace(state, misses=1, misses_at=scene.at)
    return replace(state, misses=state.misses + 1)


def is_slowed(scene: Scene) -> bool:
    """Tell whether somebody has guessed too often, and has to wait."""
    return scene.state.misses >= MISSES and scene.at - scene.state.misses_at <= MISSES_SECONDS


def confirm(scene: Scene) -> Turn:
    """Take YES for the answer to what was asked last: "was it you who left this number?", or "will you be a proxy?"."""
    state = scene.state
    waiting = scene.world.unconfirmed()
    proxy = scene.world.proxy()
    asked = max(waiting.since if waiting else 0, proxy.invited_at if proxy else 0)
    # "Place: Old Bridge. If that is wrong …" - "Yes": about the place, unless the other question came after it.
    is_about_place = state.asks is Asks.CORRECT and scene.is_soon
    if not asked or (is_about_place and asked < state.last_at):
        return Turn(state)
    if proxy is not None and proxy.invited_at == asked:
        return Turn(idle(state), (proxy_texts.accepted(),), (AcceptProxy(proxy.proxy_id),))
    assert waiting is not None, "one of the two was asked"
    question = waiting.question
    after = replace(idle(state), last_report_id=waiting.standing.report_id, last_at=scene.at)
    if question is not None:
        after = replace(
            after, asks=Asks.ANSWER, report_id=question.report_id, last_report_id=question.report_id, left_question=0
        )
    return Turn(after, (_standing_text(waiting.standing),), (Confirm(question.message_id if question else 0),))


def _standing_text(standing: Standing) -> str:
    return texts.standing(reference=format_reference(standing.reference), state=standing.state, reason=standing.reason)
