"""A small town for the dialogue, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from commonbeat.foundation.ids import parse_reference
from commonbeat.foundation.text import fold
from commonbeat.intake.alert_intents import AlertPlace, AlertPlaces, LookOut
from commonbeat.intake.contact_intents import Erasable, Home, LocalBeat, LocalOfficer
from commonbeat.intake.proxy_intents import ProxyStanding, Unanswered
from commonbeat.intake.state import Coded, Question, Spot, Standing, TopicChoice, Unconfirmed
from commonbeat.topics.queries import keyword_key

TOPICS = (
    TopicChoice("illegal-dump", "Illegal dump"),
    TopicChoice("street-light", "Street light"),
    TopicChoice("violence", "Violence", sensitive=True),
    TopicChoice("other", "Something else"),
)
KEYWORDS = {
    "dump": "illegal-dump",
    "mbeturina": "illegal-dump",
    "نفايات": "illegal-dump",
    "light": "street-light",
    "street light": "street-light",
    "violence": "violence",
}
PLACES = (
    Spot(1, "Old Bridge", 42.38, 20.43),
    Spot(2, "Market Street", 42.39, 20.44),
    Spot(3, "School, north", 42.40, 20.45),
    Spot(4, "School, south", 42.36, 20.45),
)
NORTH = LocalBeat(
    7, "North beat", "Riverside desk", (LocalOfficer("Sgt. Hana Duro", "Mon-Fri 8-16", "+383 44 100 200"),)
)
SOUTH = LocalBeat(8, "South beat", "Southern desk")


@dataclass
class FakeWorld:
    """Answer as a site would, from lists."""

    languages: Sequence[str] = ("en", "sq", "ar")
    language: str = "en"
    stopped: bool = False
    emergency_number: str = "112"
    question: Question | None = None
    reports: dict[str, Standing] = field(default_factory=dict)
    own: Standing | None = None
    waiting: Unconfirmed | None = None
    meanwhile: Sequence[str] = ()
    as_proxy: ProxyStanding | None = None
    without_consent: Sequence[Unanswered] = ()
    movable: Sequence[int] = ()
    alert_places: Sequence[AlertPlace] = ()
    wanted: Sequence[LookOut] = ()
    in_thread: LookOut | None = None
    at_home: Home | None = None
    mine: Sequence[Erasable] = ()
    looked_up: list[str] = field(default_factory=list)

    def recognise(self, text: str) -> str | None:
        """Take the vowel ë as a sign of Albanian, and nothing else for anything."""
        return "sq" if "ë" in text else None

    def recognise_surely(self, text: str) -> str | None:
        """Take the same sign where there are four words, and its absence for English."""
        return None if len(text.split()) < 4 else "sq" if "ë" in text else "en"

    def topics(self, language: str) -> Sequence[TopicChoice]:
        """List the topics."""
        return TOPICS

    def keyword_topic(self, text: str, language: str) -> TopicChoice | None:
        """Match the first words."""
        words = keyword_key(text[:200]).split()
        for length in (2, 1):
            code = KEYWORDS.get(" ".join(words[:length]))
            if code:
                return next(topic for topic in TOPICS if topic.code == code)
        return None

    def keyword_length(self, text: str, topic: TopicChoice, language: str) -> int:
        """Count the first words."""
        words = keyword_key(text[:200]).split()
        return next((length for length in (2, 1) if KEYWORDS.get(" ".join(words[:length])) == topic.code), 0)

    def code_language(self, text: str) -> str | None:
        """Know no code word."""
        return None

    def coded(self, text: str, language: str) -> Coded | None:
        """Know no code word."""
        return None

    def topic_in_text(self, text: str, language: str) -> TopicChoice | None:
        """Find the one topic of the keywords in the text."""
        codes = {KEYWORDS[word] for word in keyword_key(text[:2000]).split() if word in KEYWORDS}
        return next(topic for topic in TOPICS if topic.code in codes) if len(codes) == 1 else None

    def is_keyword_alone(self, text: str, language: str) -> bool:
        """Match the whole text."""
        return keyword_key(text[:200]) in {keyword_key(word) for word in KEYWORDS}

    def sensitive_topic(self, text: str) -> TopicChoice | None:
        """Find the word violence."""
        return TOPICS[2] if "violence" in keyword_key(text[:2000]).split() else None

    def places_in_text(self, text: str, language: str) -> Sequence[Spot]:
        """Find the labels in the text; one behind the word at decides."""
        folded = fold(text[:3000])
        at = [spot for spot in PLACES if f"at {fold(spot.label)}" in folded.replace("the ", "")]
        return at or [spot for spot in PLACES if fold(spot.label) in folded]

    def find_places(self, text: str, language: str) -> Sequence[Spot]:
        """Find the labels that begin with the text."""
        query = fold(text[:200])
        found = [spot for spot in PLACES if query and fold(spot.label).startswith(query)]
        return [replace(spot, exact=fold(spot.label) == query) for spot in found]

    def place(self, place_id: int, language: str) -> Spot | None:
        """Look one up."""
        return next((spot for spot in PLACES if spot.place_id == place_id), None)

    def standing(self, reference: str) -> Standing | None:
        """Look one up."""
        self.looked_up.append(reference)
        return self.reports.get(reference)

    def latest(self) -> Standing | None:
        """Give one's own."""
        return self.own

    def since_stop(self) -> Sequence[str]:
        """Give the references."""
        return self.meanwhile

    def open_question(self) -> Question | None:
        """Give the question."""
        return self.question

    def unconfirmed(self) -> Unconfirmed | None:
        """Give what waits for YES."""
        return self.waiting

    def proxy(self) -> ProxyStanding | None:
        """Give the standing."""
        return self.as_proxy

    def unanswered(self) -> Sequence[Unanswered]:
        """Give what waits for an answer about consent."""
        return self.without_consent

    def can_be_on_behalf(self, report_id: int) -> bool:
        """Look it up."""
        return report_id in self.movable

    def alerts(self) -> AlertPlaces:
        """Give the places; three are all that can be had."""
        return AlertPlaces(tuple(self.alert_places), is_full=len(self.alert_places) >= 3)

    def look_outs(self, language: str) -> Sequence[LookOut]:
        """Give the alerts."""
        return self.wanted

    def answered(self, language: str) -> LookOut | None:
        """Give the alert that the message answers."""
        return self.in_thread

    def beat_at(self, latitude: float, longitude: float) -> LocalBeat | None:
        """Draw one border."""
        return None if latitude > 50 else NORTH if latitude > 42.37 else SOUTH

    def beat(self, beat_id: int) -> LocalBeat | None:
        """Look one up."""
        return next((beat for beat in (NORTH, SOUTH) if beat.beat_id == beat_id), None)

    def home(self) -> Home | None:
        """Give the place."""
        return self.at_home

    def erasable(self, *, reference: str = "", report_id: int = 0) -> Sequence[Erasable]:
        """Look them up."""
        return [
            each for each in self.mine
            if (not reference or parse_reference(each.reference) == reference)
            and (not report_id or each.report_id == report_id)
        ]  # fmt: skip
