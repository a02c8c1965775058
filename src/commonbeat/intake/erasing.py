"""Erase a report, or everything, for whoever asks from the telephone from which it came: never without a YES."""

from __future__ import annotations

from msgspec.structs import replace

from commonbeat.intake import contact_texts, texts
from commonbeat.intake.commands import ALL, Command, Word
from commonbeat.intake.contact_intents import Erasable, EraseAll, EraseReport
from commonbeat.intake.scene import ADDITION_SECONDS, Scene, idle, option_chosen
from commonbeat.intake.standing import is_slowed, missed
from commonbeat.intake.state import Asks, State, Turn

MOST_REPORTS = 5
# A YES to one of these deletes: whatever else is said leaves it.
SURE = (Asks.ERASE, Asks.ERASE_ALL)


def erase_turn(scene: Scene, command: Command | None) -> Turn | None:
    """Take ERASE, and the answer to "which?" and to "sure?"; None when the message says something else."""
    state = scene.state
    if command is not None and command.word is Word.ERASE:
        is_bare = not command.argument and not command.misread
        if state.asks is Asks.ANSWER and is_bare and scene.text != scene.text.upper():
            # "What shall we do with the photo?" - "Delete it."
            return None
        return _asked(scene, command)
    if state.asks is Asks.ERASE_WHICH and command is None:
        return _picked(scene)
    if command is None or state.asks not in (*SURE, Asks.ERASE_WHICH):
        return None
    if command.word is Word.CANCEL:
        return Turn(idle(state), (contact_texts.erase_left(),))
    if command.word is not Word.YES or state.asks not in SURE:
        return None
    if 0 <= scene.at - state.asked_at <= ADDITION_SECONDS:
        return _erase(scene)
    # Hours later it may be meant for another question, and if for this one, it is asked again.
    return None if scene.world.unconfirmed() is not None else _again(scene)


def _asked(scene: Scene, command: Command) -> Turn:
    state, world = scene.state, scene.world
    if command.misread:
        return Turn(state, (texts.bad_reference(),))
    if command.argument == ALL:
        return _sure_of_all(scene)
    if command.argument:
        if is_slowed(scene):
            return Turn(state, (texts.too_many_tries(),))
        found = world.erasable(reference=command.argument)
        # The same answer and the same count, whether it is another's or nobody's.
        return _sure(scene, found[0]) if found else Turn(missed(scene), (texts.bad_reference(),))
    mine = sorted(world.erasable(), key=lambda each: not each.is_open)
    if not mine:
        return Turn(idle(state), (contact_texts.erase_none(),))
    if len(mine) == 1 or (mine[0].is_open and not mine[1].is_open):
        return _sure(scene, mine[0])
    some = mine[:MOST_REPORTS]
    asking = replace(idle(state), asks=Asks.ERASE_WHICH, options=tuple(str(each.report_id) for each in some))
    return Turn(asking, (contact_texts.erase_which(references=[each.reference for each in some]),))


def _picked(scene: Scene) -> Turn | None:
    chosen = option_chosen(scene)
    found = scene.world.erasable(report_id=chosen) if chosen is not None else ()
    return _sure(scene, found[0]) if found else None


def _sure(scene: Scene, report: Erasable) -> Turn:
    asking = replace(idle(scene.state), asks=Asks.ERASE, report_id=report.report_id, asked_at=scene.at)
    ask = contact_texts.erase_sure_kept if report.is_kept else contact_texts.erase_sure
    said = ask(reference=report.reference)
    return Turn(asking, (said,))


def _sure_of_all(scene: Scene) -> Turn:
    is_kept = any(each.is_kept for each in scene.world.erasable())
    said = contact_texts.erase_all_sure_kept() if is_kept else contact_texts.erase_all_sure()
    return Turn(replace(idle(scene.state), asks=Asks.ERASE_ALL, asked_at=scene.at), (said,))


def _again(scene: Scene) -> Turn | None:
    if scene.state.asks is Asks.ERASE_ALL:
        return _sure_of_all(scene)
    found = scene.world.erasable(report_id=scene.state.report_id)
    return _sure(scene, found[0]) if found else None


def _erase(scene: Scene) -> Turn:
    state, world = scene.state, scene.world
    # Nothing of what was said before stays: it may be about what goes.
    after = State(misses=state.misses, misses_at=state.misses_at, left_question=state.left_question)
    if state.asks is Asks.ERASE_ALL:
        is_kept = any(each.is_kept for each in world.erasable())
        said = contact_texts.erased_all_kept() if is_kept else contact_texts.erased_all()
        return Turn(after, (said,), (EraseAll(),))
    found = next(iter(world.erasable(report_id=state.report_id)), None)
    if found is None:
        # Its time was over a moment ago.
        return Turn(after, (texts.bad_reference(),))
    confirm = contact_texts.erased_kept if found.is_kept else contact_texts.erased
    return Turn(after, (confirm(reference=found.reference),), (EraseReport(found.report_id),))
