"""Structured messages in the dialogue: stored first, then repeated as they were understood."""

from __future__ import annotations

from msgspec.structs import replace

from commonbeat.intake import texts
from commonbeat.intake.scene import Scene, idle
from commonbeat.intake.state import REFERENCE_MARK, THIS_REPORT, Coded, SubmitCoded, Turn


def coded_turn(scene: Scene) -> Turn:
    """Take a message that begins with a code word of this person."""
    coded = scene.world.coded(scene.text, scene.language)
    assert coded is not None, "the caller has asked for the code word"
    if not coded.text:
        # The word alone, or with a question mark: somebody has forgotten how it goes.
        return Turn(scene.state, (texts.coded_form(form=coded.form, example=coded.example),))
    report_id = coded.corrects or THIS_REPORT
    # What was asked before stays open: a question of the desk is not answered by a stock of medicines.
    before = scene.state if scene.state.report_id > 0 else idle(scene.state)
    state = replace(before, last_report_id=report_id, last_at=scene.at)
    return Turn(state, (_reply(coded, scene),), (SubmitCoded(coded, scene.language),))


def _reply(coded: Coded, scene: Scene) -> str:
    if coded.topic.sensitive:
        # Nothing of a sensitive report is repeated: somebody may read along.
        return texts.noted_danger(emergency=scene.world.emergency_number)
    if coded.problems or coded.missing:
        return texts.coded_unclear(
            said=coded.said, missing=coded.missing, problems=coded.problems, example=coded.example
        )
    if coded.is_repeat:
        return texts.coded_known(said=coded.said)
    if coded.corrects:
        return texts.coded_again(said=coded.said)
    return texts.coded(said=coded.said, reference=REFERENCE_MARK)
