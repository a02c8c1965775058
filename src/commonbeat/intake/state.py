"""What the dialogue is made of: the state it keeps, what it hears, what it wants done. No text of a person is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from commonbeat.intake.alert_intents import AlertIntent, AlertPlaces, LookOut
from commonbeat.intake.proxy_intents import ProxyIntent, ProxyStanding, Unanswered

# Stands for the report that this very turn submits; finish() puts its number and reference in.
THIS_REPORT = -1
REFERENCE_MARK = "~~THIS-REF~~"


class Asks(StrEnum):
    """Name what the next message may answer; one thing at a time."""

    NOTHING = ""
    # Where did it happen? Asked of a report that names no place.
    PLACE = "place"
    # Which of these places? Their ids are the options.
    PICK = "pick"
    # The reply named the place; the next message may name another.
    CORRECT = "correct"
    # What is it about? The options are topic codes.
    TOPIC = "topic"
    # The same list, sent before there is a report.
    MENU = "menu"
    # A topic was chosen; the next message says what happened.
    TEXT = "text"
    # The desk asked something.
    ANSWER = "answer"
    LANGUAGE = "language"
    # Did the person agree for whom a proxy reports? The options are CONSENTS.
    CONSENT = "consent"
    # Why could the person not be asked?
    WHY = "why"
    # For which place do you want alerts? And which of these? Their ids are the options.
    ALERT_PLACE = "alert_place"
    ALERT_PICK = "alert_pick"
    # What did you see? And which alert does it answer? Their ids are the options.
    SAW = "saw"
    WHICH_ALERT = "which_alert"


class LanguageBy(StrEnum):
    """Tell how we came to the language that is remembered of a person."""

    # From elsewhere, such as the web form.
    NOBODY = ""
    GUESSED = "guessed"
    # The person has named it; nothing but the person changes it.
    CHOSEN = "chosen"


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a conversation stands: ids and step names, never what was said."""

    asks: Asks = Asks.NOTHING
    report_id: int = 0
    topic: str = ""
    options: tuple[str, ...] = ()
    # Nobody has said yet what the report is about.
    unsorted: bool = False
    sensitive: bool = False
    tries: int = 0
    # The last report, and when it was last spoken of (seconds since 1970): what soon follows belongs to it.
    last_report_id: int = 0
    last_at: int = 0
    # References that did not exist, and since when they are counted.
    misses: int = 0
    misses_at: int = 0
    # A question of the desk (its message's id) that the person has left.
    left_question: int = 0
    # The topic was taken from the words of the report, and said so; MENU corrects it.
    guessed: bool = False
    # The report just made has no place yet.
    unplaced: bool = False
    language_by: LanguageBy = LanguageBy.NOBODY
    # The other language in which the last message surely was.
    leaning: str = ""
    # The next report is made for somebody else.
    on_behalf: bool = False
    # What is asked, and of what to choose, once the question of consent is answered.
    then: Asks = Asks.NOTHING
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came in."""

    text: str


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """A topic as the dialogue needs it; nothing of a sensitive one is repeated in a reply."""

    code: str
    name: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: by its gazetteer id and label, or (id 0) by coordinates alone."""

    place_id: int
    label: str
    latitude: float
    longitude: float
    exact: bool = True
    score: float = 100.0
    # The word of the text with which the name begins; -1 where no text was searched.
    position: int = -1


@dataclass(frozen=True, slots=True)
class Standing:
    """How a report stands; reason only where the asker made the report."""

    report_id: int
    reference: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the desk that waits for its answer."""

    report_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The newest report that somebody made with this person's number; question is the newest open one of all such."""

    standing: Standing
    since: int
    question: Question | None = None


# ------------------------------------------------------------------ intents


@dataclass(frozen=True, slots=True)
class Submit:
    """Store a report; an empty topic is for the desk to sort."""

    topic: str
    text: str
    language: str
    spot: Spot | None = None
    # Made by a proxy for somebody else, whose consent is asked for.
    on_behalf: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """A structured message as it was understood, in words and in answers."""

    topic: TopicChoice
    said: str
    answers: Mapping[str, Any]
    categories: tuple[str, ...] = ()
    # What is stored as the text of the report.
    text: str = ""
    # What each question is called whose answer is missing, and what is wrong with those that could not be read.
    missing: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    form: str = ""
    example: str = ""
    spot: Spot | None = None
    # The report that this one corrects.
    corrects: int = 0
    # That report says the same already.
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class SubmitCoded:
    """Store a structured report, or correct an earlier one."""

    coded: Coded
    language: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Add the person's words to the thread of a report."""

    report_id: int
    text: str


@dataclass(frozen=True, slots=True)
class SetPlace:
    """Place a report: on a spot, or by a name alone that nobody could find."""

    report_id: int
    spot: Spot | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class SetTopic:
    """Sort a report."""

    report_id: int
    topic: str


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """Remember the language of this person."""

    language: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Send this person nothing more."""


@dataclass(frozen=True, slots=True)
class Start:
    """Write to this person again."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Take the reports that were left with this person's number for theirs; then send a question that waits."""

    question_id: int = 0


Intent = (
    Submit
    | SubmitCoded
    | Answer
    | SetPlace
    | SetTopic
    | SetLanguage
    | Stop
    | Start
    | Confirm
    | ProxyIntent
    | AlertIntent
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message leads to."""

    state: State
    replies: tuple[str, ...] = ()
    intents: tuple[Intent, ...] = ()


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


def load_state(stored: Any) -> State:
    """Read a stored state; what an older version wrote and nobody understands any more is a fresh start."""
    try:
        return msgspec.convert(stored, State)
    except msgspec.ValidationError:
        return State()


def dump_state(state: State) -> Any:
    """Give a state for storing as JSON."""
    return msgspec.to_builtins(state)


def finish(turn: Turn, *, report_id: int, reference: str) -> Turn:
    """Put the number and the formatted reference of the report just stored into a turn."""
    own = turn.state
    changes = {name: report_id for name in ("report_id", "last_report_id") if getattr(own, name) == THIS_REPORT}
    return Turn(
        state=msgspec.structs.replace(own, **changes),
        replies=tuple(reply.replace(REFERENCE_MARK, reference) for reply in turn.replies),
        intents=turn.intents,
    )


def seconds(moment: datetime) -> int:
    """Give a moment as whole seconds since 1970, as the state keeps it."""
    return int(moment.timestamp())
