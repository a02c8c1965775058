"""What the dialogue is made of: the state it keeps, what it hears, what it wants done. No text of a person is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from commonbeat.intake.alert_intents import AlertIntent
from commonbeat.intake.contact_intents import EraseIntent
from commonbeat.intake.proxy_intents import ProxyIntent

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
    # Where do you live? Which of these places? Their ids are the options. What do you want to tell your officer?
    OFFICER_PLACE = "officer_place"
    OFFICER_PICK = "officer_pick"
    OFFICER_TEXT = "officer_text"
    # Erase this report, or everything? And which report? Their ids are the options.
    ERASE = "erase"
    ERASE_ALL = "erase_all"
    ERASE_WHICH = "erase_which"
    # Is this an answer to the alert? Its id is the option.
    ABOUT_ALERT = "about_alert"


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
    # The beat to whose officer the person writes; 0 when they live in none, or it is not known.
    beat_id: int = 0
    # When something was asked that is answered at once or not at all (seconds since 1970).
    asked_at: int = 0


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
    # Of a message to the officer: their beat. Where the person lives is not kept.
    beat_id: int = 0


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
    | EraseIntent
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message leads to."""

    state: State
    replies: tuple[str, ...] = ()
    intents: tuple[Intent, ...] = ()


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
