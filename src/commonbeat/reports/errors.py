"""What can go wrong with a report, each with a sentence for the person."""

from __future__ import annotations

from django.utils.translation import gettext as _


class ReportError(Exception):
    """Carry one sentence in the person's language."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotAllowed(ReportError):
    """The person may not do this."""

    def __init__(self) -> None:
        super().__init__(_("Your account may not do this."))


class MoveNotPossible(ReportError):
    """The table of transitions does not allow the move."""

    def __init__(self) -> None:
        super().__init__(_("The report has moved on in the meantime. Load the page again to see where it stands."))


class ClaimedByOther(ReportError):
    """Somebody else works on the report."""

    def __init__(self, name: str) -> None:
        super().__init__(_("%(name)s is working on this report right now.") % {"name": name})
