"""Whole conversations at random: whatever is said, asked and left, over days, nothing is lost and nobody is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from commonbeat.foundation.ids import format_reference, new_reference
from commonbeat.foundation.text import clean_text, segments
from commonbeat.intake.actions import LIFETIME
from commonbeat.intake.alert_intents import AlertPlace, AnswersAlert, EndAlerts, GetAlerts, LookOut
from commonbeat.intake.contact_intents import Erasable, EraseAll, EraseReport, Home
from commonbeat.intake.dialogue import TEXT_LIMIT, step
from commonbeat.intake.standing import MISSES, MISSES_SECONDS
from commonbeat.intake.state import (
    REFERENCE_MARK,
    THIS_REPORT,
    Answer,
    Asks,
    Heard,
    LanguageBy,
    Question,
    SetLanguage,
    SetPlace,
    SetTopic,
    Standing,
    Start,
    State,
    Stop,
    Submit,
    Turn,
    dump_state,
    finish,
    load_state,
    seconds,
)
from commonbeat.topics.queries import SIGHTING, TO_OFFICER
from tests.intake.fake_world import PLACES, TOPICS, FakeWorld
from tests.make import NOW

LANGUAGES = ("en", "sq", "ar")
COMMANDS = (
    "HELP", "NDIHMË", "مساعدة", "MENU", "MENUJA", "القائمة", "STATUS", "GJENDJA", "الحالة", "LANGUAGE", "SHQIP", "عربي",
    "ENGLISH", "YES", "PO", "نعم", "NO", "JO", "لا", "CANCEL", "ANULO", "إلغاء", "NEW", "I RI", "جديد", "HELLO",
    "ALERTS", "NJOFTIME", "تنبيهات", "STOP ALERTS", "NDAL NJOFTIMET", "أوقف التنبيهات", "STOP 1", "SAW", "PASH", "رأيت",
    "OFFICER", "OFICERI", "الضابط", "OFFICER Old Bridge", "OFFICER School", "ERASE", "FSHIJ", "امسح", "ERASE ALL",
)  # fmt: skip
ERASES, YES = ("ERASE", "FSHIJ", "امسح"), ("YES", "PO", "نعم")
STOPS, STARTS = ("STOP", "NDAL", "توقف"), ("START", "FILLO", "ابدأ")
PIECES = (
    "light", "DUMP", "نفايات", "violence", "Old Bridge", "School", "at the school, south", "42.38, 20.43", "#", "\x00",
    "\u202e", "😀", "👩‍👩‍👧",
    "ALERTS", "alert", "STOP ALERTS", "STOP", "SAW", "I saw", "pashë", "رأيت", "ALL",
    "OFFICER", "officer", "ضابط", "ERASE", "YES",
    "?", "\n", "mattress near the river", "mbeturina pranë urës", "شجار في الشارع", "12", "٣", "hm",
)  # fmt: skip
said = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(" ".join),
    st.tuples(st.sampled_from(PIECES), st.integers(1, 5_000)).map(lambda pair: (pair[0] * pair[1])[:5_000]),
)
# What stands in a state: names of steps, short names of topics, numbers of places, languages.
VOCABULARY = {
    *(each.value for each in Asks), *(each.value for each in LanguageBy), *(topic.code for topic in TOPICS),
    *(str(spot.place_id) for spot in PLACES), *LANGUAGES, SIGHTING, TO_OFFICER, *map(str, range(1, 40)),
}  # fmt: skip


class Conversation(RuleBasedStateMachine):
    """One person, one desk, and time."""

    @initialize(language=st.sampled_from(("", *LANGUAGES)), home=st.sampled_from((None, Home("Home", 7))))
    def begin(self, language: str, home: Home | None) -> None:
        """Begin with a person who has never written."""
        self.world = FakeWorld(language=language, at_home=home)
        self.state = State()
        self.now = self.written_at = NOW
        self.reports: list[Standing] = []
        self.messages = self.alerts_made = self.reports_made = 0
        # What has been said in sentences, and what of it was stored.
        self.told: list[str] = []
        self.stored: list[str] = []

    # ------------------------------------------------------------------ the person

    @rule(text=said)
    def says(self, text: str) -> None:
        """Say anything."""
        self.hear(text)

    @rule(text=said, before=st.booleans())
    def tells(self, text: str, before: bool) -> None:
        """Say something that must not be lost, with anything before or behind it."""
        sentence = f"seven zebras quarrel on balcony {len(self.told) + 100}"
        self.told.append(sentence)
        self.hear(f"{text[:3_000]} {sentence}" if before else f"{sentence} {text[:3_000]}")

    @rule(word=st.sampled_from(COMMANDS), text=st.one_of(st.just(""), said))
    def commands(self, word: str, text: str) -> None:
        """Say a command word, perhaps with something behind it."""
        self.hear(f"{word} {text}")

    @rule(number=st.integers(0, 12), digits=st.sampled_from(("0123456789", "٠١٢٣٤٥٦٧٨٩")))
    def chooses(self, number: int, digits: str) -> None:
        """Answer with a number."""
        self.hear("".join(digits[int(digit)] for digit in str(number)))

    @rule(at=st.integers(0, 5), text=st.sampled_from(("", " it is worse now", "?")), mistyped=st.booleans())
    def refers(self, at: int, text: str, mistyped: bool) -> None:
        """Write a reference of one's own, or one that is none."""
        known = self.reports[at % len(self.reports)].reference if self.reports else new_reference()
        self.hear((known[:-1] + ("7" if known[-1] != "7" else "4") if mistyped else known) + text)

    @rule(word=st.sampled_from(STOPS))
    def stops(self, word: str) -> None:
        """Say STOP, in any state: it is done, confirmed once, and nothing is asked any more."""
        was_stopped = self.world.stopped
        turn = self.hear(word)
        assert self.world.stopped
        assert self.state.asks is Asks.NOTHING
        assert len(turn.replies) == (0 if was_stopped else 1)

    @rule(word=st.sampled_from(STARTS))
    def starts(self, word: str) -> None:
        """Say START: it is answered."""
        turn = self.hear(word)
        assert not self.world.stopped
        assert turn.replies

    @rule()
    def leaves(self) -> None:
        """Say 0: whatever was asked is asked no longer; the desk takes it as an answer."""
        turn = self.hear("0")
        assert self.state.asks is Asks.NOTHING or any(isinstance(intent, SetTopic) for intent in turn.intents)

    @precondition(lambda self: self.reports)
    @rule(
        at=st.integers(0, 5),
        word=st.sampled_from(ERASES),
        then=st.sampled_from(("YES", "PO", "نعم", "0", "HELP", "hm")),
    )
    def erases(self, at: int, word: str, then: str) -> None:
        """Have a report erased by its reference; only YES does it, and what comes after something else never."""
        report = self.reports[at % len(self.reports)]
        self.hear(f"{word} {format_reference(report.reference)}")
        assert report in self.reports
        is_asked = self.state.asks is Asks.ERASE
        assert is_asked is (self.state.misses < MISSES or seconds(self.now) - self.state.misses_at > MISSES_SECONDS)
        self.hear(then)
        assert (report in self.reports) is not (is_asked and then in YES)
        assert self.state.asks is not Asks.ERASE
        self.hear("YES")
        assert (report in self.reports) is not (is_asked and then in YES)

    @rule(
        word=st.sampled_from(("OFFICER", "OFICERI", "الضابط")),
        where=st.sampled_from(("Old Bridge", "60.1, 20.4", "School, south")),
    )
    def writes_to_the_officer(self, word: str, where: str) -> None:
        """Say where one lives, and what the officer is to know."""
        before = self.state.asks
        self.hear(f"{word} {where}")
        assert self.state.asks is Asks.OFFICER_TEXT or before is Asks.ANSWER
        if self.state.asks is Asks.OFFICER_TEXT:
            sentence = f"seven zebras quarrel on balcony {len(self.told) + 100}"
            self.told.append(sentence)
            turn = self.hear(sentence)
            (intent,) = (each for each in turn.intents if isinstance(each, Submit))
            assert intent.topic == TO_OFFICER
            assert intent.beat_id == {"Old Bridge": 7, "60.1, 20.4": 0, "School, south": 8}[where]

    # ------------------------------------------------------------------ the desk, and time

    @precondition(lambda self: self.reports)
    @rule(at=st.integers(0, 5), reaches=st.booleans())
    def desk_asks(self, at: int, reaches: bool) -> None:
        """Ask a question; as expect_answer does, where the person has not stopped."""
        report = self.reports[at % len(self.reports)]
        self.messages += 1
        self.world.question = Question(report.report_id, self.messages)
        if reaches and not self.world.stopped:
            kept = self.state
            self.state = State(
                asks=Asks.ANSWER, report_id=report.report_id, last_report_id=report.report_id,
                last_at=seconds(self.now), misses=kept.misses, misses_at=kept.misses_at,
                language_by=kept.language_by, leaning=kept.leaning,
            )  # fmt: skip
            self.written_at = self.now

    @rule(reaches=st.booleans())
    def alert_goes_out(self, reaches: bool) -> None:
        """Ask the town to look out; the person has it, or is asked by nobody."""
        asked_at = seconds(self.now) if reaches and not self.world.stopped else 0
        self.alerts_made += 1
        self.world.wanted = [LookOut(self.alerts_made, "A white van", asked_at), *self.world.wanted]

    @precondition(lambda self: self.world.wanted)
    @rule(at=st.integers(0, 5))
    def alert_ends(self, at: int) -> None:
        """End one: who had it still knows it, who had not does not see it any more."""
        wanted = list(self.world.wanted)
        ended = replace(wanted.pop(at % len(wanted)), is_active=False)
        self.world.wanted = [*wanted, ended] if ended.asked_at else wanted

    @rule(minutes=st.sampled_from((1, 29, 31, 600, 1_500, 3_000, 30_000, -1_440)))
    def time_passes(self, minutes: int) -> None:
        """Let minutes or weeks pass, or the clock jump back a day."""
        self.now += timedelta(minutes=minutes)

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def the_state_holds_nothing_that_was_said(self) -> None:
        """Names of steps, short names, numbers; it survives being stored."""
        if not hasattr(self, "state"):
            return
        stored = dump_state(self.state)
        assert load_state(stored) == self.state
        assert set(_texts(stored)) <= VOCABULARY, stored

    @invariant()
    def every_sentence_was_stored(self) -> None:
        """Whether the person had said STOP or not."""
        if hasattr(self, "told"):
            everything = "\n".join(self.stored)
            assert all(sentence in everything for sentence in self.told)

    def hear(self, text: str) -> Turn:
        """Take one message as reactions/inbound.py does, and check what it is answered."""
        if self.written_at <= self.now - LIFETIME:
            self.state = State(language_by=self.state.language_by)
        was_stopped = self.world.stopped
        turn = step(self.state, Heard(text), self.world, self.now)
        cleaned = clean_text(text, TEXT_LIMIT)
        about = submitted = None
        for intent in turn.intents:
            match intent:
                case Submit():
                    # What was said, but for the word that chose the topic and coordinates, which are the place.
                    assert intent.text.strip() or intent.spot is not None
                    assert all(word in cleaned for word in intent.text.split())
                    self.stored.append(intent.text)
                    self.reports_made += 1
                    about = submitted = Standing(self.reports_made, new_reference(), "new")
                    self.reports.append(submitted)
                    self.world.reports[submitted.reference] = self.world.own = submitted
                    mine = Erasable(submitted.report_id, format_reference(submitted.reference))
                    self.world.mine = [mine, *self.world.mine]
                    # What somebody tells their officer is of no place, and of no other topic.
                    assert intent.topic == TO_OFFICER or not intent.beat_id
                    assert intent.topic != TO_OFFICER or intent.spot is None
                case EraseReport(report_id):
                    self.forget([self.must_exist(report_id, None)])
                case EraseAll():
                    self.forget(self.reports)
                case Answer():
                    assert intent.text.strip() in cleaned
                    self.stored.append(intent.text)
                    if self.world.question and self.world.question.report_id == intent.report_id:
                        self.world.question = None
                    about = self.must_exist(intent.report_id, submitted)
                case SetPlace() | SetTopic():
                    self.must_exist(intent.report_id, submitted)
                case GetAlerts():
                    assert len(self.world.alert_places) < 3
                    number = 1 + max((each.subscription_id for each in self.world.alert_places), default=0)
                    place = AlertPlace(number, intent.label, is_everywhere=intent.latitude is None)
                    self.world.alert_places = [*self.world.alert_places, place]
                case EndAlerts(0):
                    self.world.alert_places = []
                case EndAlerts(subscription_id):
                    left = [each for each in self.world.alert_places if each.subscription_id != subscription_id]
                    assert len(left) == len(self.world.alert_places) - 1
                    self.world.alert_places = left
                case AnswersAlert(report_id, alert_id):
                    self.must_exist(report_id, submitted)
                    assert 1 <= alert_id <= self.alerts_made
                case SetLanguage(language):
                    assert language in LANGUAGES
                    self.world.language = language
                case Stop():
                    self.world.stopped = True
                case Start():
                    self.world.stopped = False
        if about is not None:
            turn = finish(turn, report_id=about.report_id, reference=about.reference)
        assert len(turn.replies) <= 2
        assert all(0 < segments(reply).parts <= 3 for reply in turn.replies)
        assert all(REFERENCE_MARK not in reply for reply in turn.replies)
        assert sum(reply.count("?") for reply in turn.replies) <= 1
        if was_stopped and not any(isinstance(intent, Start) for intent in turn.intents):
            assert turn.replies == ()
        self.state, self.written_at = turn.state, self.now
        return turn

    def forget(self, gone: list[Standing]) -> None:
        """Erase some reports: from then on nothing may speak of them."""
        ids = {each.report_id for each in gone}
        self.reports = [each for each in self.reports if each.report_id not in ids]
        self.world.reports = {each.reference: each for each in self.reports}
        self.world.own = self.reports[-1] if self.reports else None
        self.world.mine = [each for each in self.world.mine if each.report_id not in ids]
        if self.world.question is not None and self.world.question.report_id in ids:
            self.world.question = None

    def must_exist(self, report_id: int, submitted: Standing | None) -> Standing:
        """Give the report that is spoken of; of one that there is not, nothing may be said."""
        found = submitted if report_id == THIS_REPORT else next(r for r in self.reports if r.report_id == report_id)
        assert found is not None
        return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


Conversation.TestCase.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestConversation = Conversation.TestCase
