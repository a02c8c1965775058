"""What screening reports: kinds and positions, never a copy of the words."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["phone", "email", "link", "plate", "accusation", "name", "place"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One stretch of a text that must not be public unseen; journal the kind, never the words."""

    kind: Kind
    start: int
    end: int

    def within(self, text: str) -> str:
        """Return the words themselves, for the moderator's screen only."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Screening:
    """All findings in one text, by position."""

    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Say whether a human must look before the text is public."""
        return bool(self.findings)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Return the kinds that were found."""
        return frozenset(finding.kind for finding in self.findings)
