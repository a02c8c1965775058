"""What the dialogue knows of somebody who reports for others, and what it wants done."""

from __future__ import annotations

from dataclasses import dataclass

# What a proxy may answer when asked whether the person agreed, in the order of the numbers.
CONSENTS = ("word", "writing", "guardian", "danger", "refused")


@dataclass(frozen=True, slots=True)
class ProxyStanding:
    """How this person stands as a proxy; who has ended is none."""

    proxy_id: int
    # May report for others today.
    is_active: bool
    # Waits for a YES since then (seconds since 1970); 0 when it does not.
    invited_at: int = 0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A report for somebody else of which nobody has said yet whether that person agreed."""

    report_id: int
    # Formatted.
    reference: str


@dataclass(frozen=True, slots=True)
class PutOnBehalf:
    """Take a report just made for one that was made for somebody else."""

    report_id: int


@dataclass(frozen=True, slots=True)
class GiveConsent:
    """Record what the person agreed to; "refused" withdraws the report."""

    report_id: int
    consent: str


@dataclass(frozen=True, slots=True)
class SayWhy:
    """Keep for the desk alone why the person could not be asked."""

    report_id: int
    text: str


@dataclass(frozen=True, slots=True)
class AcceptProxy:
    """Let this person report for others from now on."""

    proxy_id: int


@dataclass(frozen=True, slots=True)
class EndProxy:
    """Let this person report for others no longer."""

    proxy_id: int


ProxyIntent = PutOnBehalf | GiveConsent | SayWhy | AcceptProxy | EndProxy
