"""What the dialogue may ask of the site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from commonbeat.intake.alert_intents import AlertPlaces, LookOut
from commonbeat.intake.contact_intents import Erasable, Home, LocalBeat
from commonbeat.intake.proxy_intents import ProxyStanding, Unanswered
from commonbeat.intake.state import Coded, Question, Spot, Standing, TopicChoice, Unconfirmed


class World(Protocol):
    """What the dialogue may ask of the site; tests put a small fake in its place."""

    @property
    def languages(self) -> Sequence[str]:
        """Give the languages of the site, the main one first."""

    @property
    def language(self) -> str:
        """Give the language that is known of this person; empty when none is."""

    @property
    def stopped(self) -> bool:
        """Tell whether this person has said STOP."""

    @property
    def emergency_number(self) -> str:
        """Give the number for people in danger."""

    def recognise(self, text: str) -> str | None:
        """Guess the language of a text; None when it is too short to tell."""

    def recognise_surely(self, text: str) -> str | None:
        """Tell the language of a text of at least four words or twenty letters; None where there is doubt."""

    def topics(self, language: str) -> Sequence[TopicChoice]:
        """List the topics that can be reported by message, in order."""

    def keyword_topic(self, text: str, language: str) -> TopicChoice | None:
        """Find the topic whose keyword or name begins a text."""

    def keyword_length(self, text: str, topic: TopicChoice, language: str) -> int:
        """Count the words at the beginning of a text that are a keyword or the name of a topic."""

    def code_language(self, text: str) -> str | None:
        """Tell the language of the code word that begins a text, where this person may use it; None without one."""

    def coded(self, text: str, language: str) -> Coded | None:
        """Read a structured message; None where it is none, or is not this person's to send."""

    def topic_in_text(self, text: str, language: str) -> TopicChoice | None:
        """Find the one topic that the words of a text speak of; None where they speak of two, or of none."""

    def is_keyword_alone(self, text: str, language: str) -> bool:
        """Tell whether a text is a keyword or name of a topic and nothing else."""

    def sensitive_topic(self, text: str) -> TopicChoice | None:
        """Find a sensitive topic of which a text holds a keyword anywhere."""

    def places_in_text(self, text: str, language: str) -> Sequence[Spot]:
        """Find the place that a text names, or those between which it does not decide."""

    def find_places(self, text: str, language: str) -> Sequence[Spot]:
        """Find the places that a typed name may mean, best first."""

    def place(self, place_id: int, language: str) -> Spot | None:
        """Look a place up by its id."""

    def standing(self, reference: str) -> Standing | None:
        """Look a report up by its reference."""

    def latest(self) -> Standing | None:
        """Give the newest report of this person."""

    def since_stop(self) -> Sequence[str]:
        """Give the references of what this person has reported since STOP, formatted, oldest first."""

    def open_question(self) -> Question | None:
        """Give the newest question of the desk that this person has not answered."""

    def unconfirmed(self) -> Unconfirmed | None:
        """Give what waits for this person to say YES."""

    def proxy(self) -> ProxyStanding | None:
        """Tell how this person stands as one who reports for others; None when they do not."""

    def unanswered(self) -> Sequence[Unanswered]:
        """List what this person reported for others, of which consent was not told yet, newest first."""

    def can_be_on_behalf(self, report_id: int) -> bool:
        """Tell whether a report of this person can still be taken for one that was made for somebody else."""

    def alerts(self) -> AlertPlaces:
        """List the places for which this person gets alerts."""

    def look_outs(self, language: str) -> Sequence[LookOut]:
        """List the alerts that ask for sightings: first those that this person has had lately, then the others."""

    def answered(self, language: str) -> LookOut | None:
        """Give the alert to whose message this one is an answer, as the person's program says; None without one."""

    def beat_at(self, latitude: float, longitude: float) -> LocalBeat | None:
        """Find the beat that holds a point, with those of its officers who show themselves."""

    def beat(self, beat_id: int) -> LocalBeat | None:
        """Look a beat up by its id."""

    def home(self) -> Home | None:
        """Give the first place for which this person gets alerts and which lies in a beat."""

    def erasable(self, *, reference: str = "", report_id: int = 0) -> Sequence[Erasable]:
        """List what this person has reported and may have erased, newest first: all, or one of it."""
