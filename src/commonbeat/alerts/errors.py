"""What can go wrong with an alert at the desk, each with a sentence for the person; pages of staff speak English."""

from __future__ import annotations


class AlertError(Exception):
    """Carry one sentence, and the field of the form that it is about, if any."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NotAllowed(AlertError):
    """The person may not do this."""

    def __init__(self) -> None:
        super().__init__("Your account may not do this.")


class MovedOn(AlertError):
    """It has left the state in which this can be done: released, discarded, ended or changed by somebody else."""


class Edited(MovedOn):
    """Somebody has changed the draft since the person loaded the page."""

    def __init__(self) -> None:
        super().__init__("Somebody has changed this draft while you had it open. Read it as it is now.")


class NeedsSecond(AlertError):
    """It is immediate and severe: somebody else has to release it."""

    def __init__(self) -> None:
        super().__init__(
            "This alert is immediate and severe, so that a second person has to release it. "
            "Ask for one; if nobody answers within a minute, you can release it alone and say why."
        )
