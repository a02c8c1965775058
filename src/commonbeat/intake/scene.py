"""Everything that one step of the dialogue looks at."""

from __future__ import annotations

from dataclasses import dataclass

from commonbeat.foundation.text import fold
from commonbeat.intake.asked import World
from commonbeat.intake.commands import number_in
from commonbeat.intake.state import State

# What follows a report this soon, and is no command and no keyword, belongs to it.
ADDITION_SECONDS = 30 * 60
# Fewer folded letters than this say nothing ("hm", "a", ":)"), unless something was asked.
LEAST_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything one step looks at."""

    state: State
    text: str
    world: World
    language: str
    at: int

    @property
    def is_soon(self) -> bool:
        """Tell whether the last report was spoken of a moment ago."""
        return bool(self.state.last_report_id) and 0 <= self.at - self.state.last_at <= ADDITION_SECONDS


def idle(state: State) -> State:
    """Keep what outlives a question: the last report, the counted misses, a question that was left."""
    return State(
        last_report_id=state.last_report_id,
        last_at=state.last_at,
        misses=state.misses,
        misses_at=state.misses_at,
        left_question=state.left_question,
    )


def option_chosen(scene: Scene) -> int | None:
    """Give the id behind the number that somebody chose; None when the message is more, or something else."""
    number, options = number_in(scene.text), scene.state.options
    if number is None or number[1] or not 1 <= number[0] <= len(options):
        return None
    option = options[number[0] - 1]
    return int(option) if option.isdecimal() else None


def says_nothing(text: str) -> bool:
    """Tell whether a text is too short to be a report."""
    return sum(character.isalnum() for character in text) < 2 or len(fold(text).replace(" ", "")) < LEAST_LETTERS
