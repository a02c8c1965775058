"""Reach my officer by message: in three languages, on two ways, and never in public."""

from __future__ import annotations

import pytest
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import contact_texts, texts
from commonbeat.intake.contact_intents import Home
from commonbeat.intake.dialogue import step
from commonbeat.intake.officer_words import officer_in
from commonbeat.intake.state import Asks, Heard, State, Submit, seconds
from commonbeat.people.models import Unit, User
from commonbeat.places.models import Beat
from commonbeat.reactions.run import react_batch
from commonbeat.reports.actions.correct import correct_topic
from commonbeat.reports.actions.dialogue import ask_reporter
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Publication, Report
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import TO_OFFICER, offered_topics, public_topics
from tests import make
from tests.intake.fake_world import NORTH, SOUTH, FakeWorld
from tests.intake.look_outs import make_town
from tests.intake.phone import Phone
from tests.intake.test_transcripts import talk
from tests.make import NOW
from tests.reactions.handset import Handset

db = pytest.mark.django_db
WORDS = {"en": "OFFICER", "sq": "OFICERI", "ar": "الضابط"}
TELL = {
    "en": "young people drink behind the shop every night",
    "sq": "të rinjtë pinë prapa dyqanit çdo natë",
    "ar": "يشرب شبان خلف الدكان كل ليلة",
}
MARKET = {"en": "Market Street", "sq": "Rruga e Tregut", "ar": "شارع السوق"}


@pytest.fixture
def north(unit: Unit, officer: User) -> Beat:
    """Give a beat with an officer who shows themselves, and a desk of last resort that is another one."""
    User.objects.filter(pk=officer.pk).update(
        display_name="Hana Duro",
        public_intro="I walk here.",
        public_hours="Mon-Fri 8-16",
        public_phone="+383 44 100 200",
    )
    make_town()
    make.make_place(names={"en": "Far Village"}, latitude=43.9, longitude=21.9)
    return make.make_beat(
        name="North", unit=officer.unit, latitude=42.40, longitude=20.44, half=0.03, officers=[officer]
    )


def after(*said: str, world: FakeWorld | None = None, state: State | None = None):
    """Say some things one after the other; give the last turn."""
    state = state or State()
    for text in said:
        turn = step(state, Heard(text), world or FakeWorld(), NOW)
        state = turn.state
    return turn


# ------------------------------------------------------------------ the word


@pytest.mark.parametrize(
    ("text", "language", "rest"),
    [
        ("OFFICER", "en", ""),
        ("my officer", "en", ""),
        ("Officr", "en", ""),
        ("ofifcer please", "en", ""),
        ("Who is my officer?", "en", ""),
        ("oficeri", "sq", ""),
        ("OFICERI IM", "sq", ""),
        ("oficerit", "sq", ""),
        ("الضابط", "ar", ""),
        ("ضابط", "ar", ""),
        ("من هو الضابط؟", "ar", ""),
        ("OFFICER Rruga e Re", "en", "Rruga e Re"),
        ("officer for Old Bridge", "en", "Old Bridge"),
        ("OFFICER -12.5, 44.1", "en", "-12.5, 44.1"),
        ("الضابط شارع السوق", "ar", "شارع السوق"),
    ],
)
def test_the_word_is_understood_with_slips(text: str, language: str, rest: str) -> None:
    asked = officer_in(text)
    assert asked is not None and (asked.language, asked.rest) == (language, rest)


@pytest.mark.parametrize("text", ["office", "the officer was rude", "official letter", "offer", "officers everywhere"])
def test_what_only_looks_like_it_is_none(text: str) -> None:
    assert officer_in(text) is None


@pytest.mark.parametrize(
    "text",
    ["officer was rude to me at the Old Bridge", "Officer drunk", "OFFICER DRUNK AT THE OLD BRIDGE", "ضابط ضربني"],
)
def test_what_is_said_of_an_officer_is_a_report(text: str) -> None:
    (intent,) = (each for each in after(text).intents if isinstance(each, Submit))
    assert intent.topic != TO_OFFICER and intent.text == text


# ------------------------------------------------------------------ the step


def test_one_question_at_a_time_and_then_the_message() -> None:
    turn = after("OFFICER")
    assert turn.replies == (contact_texts.officer_where(emergency="112"),)
    turn = after("OFFICER", "Old Bridge")
    assert turn.replies == (contact_texts.officer_here(beat=NORTH),)
    for part in ("North beat", "Hana Duro", "Mon-Fri 8-16", "+383 44 100 200"):
        assert part in turn.replies[0]
    turn = after("OFFICER", "Old Bridge", "dump: they burn tyres at School, south")
    assert turn.intents == (Submit(TO_OFFICER, "dump: they burn tyres at School, south", "en", beat_id=NORTH.beat_id),)
    assert turn.state.asks is Asks.NOTHING and "112" in turn.replies[0] and "tyres" not in turn.replies[0]


def test_a_place_given_with_the_word_is_taken_at_once_and_two_are_asked_about() -> None:
    assert after("OFFICER Old Bridge").replies == (contact_texts.officer_here(beat=NORTH),)
    turn = after("OFFICER School")
    assert turn.replies == (texts.which_place(places=["School, north", "School, south"]),)
    assert after("OFFICER School", "٢").replies == (contact_texts.officer_here(beat=SOUTH),)
    assert "Southern desk" in after("OFFICER School", "2").replies[0]
    assert after("OFFICER School", "9").state.asks is Asks.OFFICER_PICK


def test_a_place_that_this_person_has_named_before_is_offered() -> None:
    world = FakeWorld(at_home=Home("Home", 8))
    turn = after("OFFICER", world=world)
    assert turn.replies == (contact_texts.officer_where_or(emergency="112", place="Home"),)
    assert after("OFFICER", "1", world=world).state.beat_id == 8
    assert after("OFFICER", "Old Bridge", world=world).state.beat_id == 7
    # Where nothing was offered, "1" is no place.
    assert after("OFFICER", "1").state.asks is Asks.OFFICER_PLACE


def test_no_beat_there_and_a_place_that_nobody_knows() -> None:
    assert after("OFFICER 60.17, 24.93").replies == (contact_texts.officer_no_beat(),)
    assert after("OFFICER 60.17, 24.93", "they burn tyres here").intents[0].beat_id == 0
    assert after("OFFICER Blagaj").replies == (contact_texts.officer_unknown_place(),)
    assert after("OFFICER", "Blagaj", "Blagaj e Re").replies == (contact_texts.officer_no_place(),)
    (intent,) = after("OFFICER", "Blagaj", "Blagaj e Re", "they burn tyres here").intents
    assert (intent.topic, intent.beat_id) == (TO_OFFICER, 0)


def test_who_does_not_wait_for_our_question_has_told_it() -> None:
    (intent,) = after("OFFICER", "somebody drives a motorcycle at the School, south each night").intents
    assert (intent.topic, intent.beat_id) == (TO_OFFICER, 8)
    # With a topic word it is a report as ever, and so is a sentence that comes hours later.
    (intent,) = after("OFFICER", "DUMP old car").intents
    assert intent.topic == "illegal-dump"
    asked = State(asks=Asks.OFFICER_PLACE, asked_at=seconds(NOW) - 3_600)
    (intent,) = after("somebody has painted over the sign again", state=asked).intents
    assert intent.topic == ""


@pytest.mark.parametrize("said", [("OFFICER",), ("OFFICER", "Old Bridge"), ("OFFICER School",)])
def test_it_can_be_left_at_any_step_and_the_question_of_the_desk_still_waits(said: tuple[str, ...]) -> None:
    turn = after(*said, "0")
    assert turn.state == State() and turn.intents == ()
    assert after(*said, "NEW they burn tyres here").intents[0].topic == ""


def test_while_the_desk_waits_for_an_answer_only_the_word_in_capitals_is_ours() -> None:
    waiting = State(asks=Asks.ANSWER, report_id=5, last_report_id=5, last_at=seconds(NOW))
    assert after("officer", state=waiting).state.asks is Asks.NOTHING
    assert after("OFFICER", state=waiting).state.asks is Asks.OFFICER_PLACE


def test_after_stop_nothing_is_asked_and_nothing_lost() -> None:
    world = FakeWorld(stopped=True)
    turn = after("OFFICER", "Blagaj", world=world)
    assert turn.replies == () and turn.intents == (Submit(TO_OFFICER, "Blagaj", "en"),)


# ------------------------------------------------------------------ the house


@db
@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_a_message_reaches_the_desk_of_the_beat_and_the_officer_asks_back(
    language: str, north: Beat, officer: User
) -> None:
    phone = talk(
        f"""
        > {WORDS[language]}
        < officer_where(emergency=112)
        > {MARKET[language]}
        < officer_here(beat=North)
        > {TELL[language]}
        < officer_told(reference={{ref}}; emergency=112)
        """,
        language=language,
        phone=_speaking(language),
    )
    report = Report.objects.get()
    assert (report.topic.code, report.unit, report.beat, report.text) == (TO_OFFICER, north.unit, north, TELL[language])
    # Where somebody lives is not kept.
    assert (report.latitude, report.place_name, report.contact) == (None, "", phone.contact)
    ask_reporter(report_id=report.pk, text="How many?", actor=officer, now=phone.now)
    while react_batch(phone.now):
        pass
    (asked,) = phone.new()
    assert "How many?" in asked
    talk("> 5\n< answered()", language=language, phone=phone)
    assert report.messages.latest("pk").text == "5"


@db
def test_nowhere_in_a_beat_it_is_for_the_desk_of_last_resort(north: Beat) -> None:
    talk("""
        > OFFICER Far Village
        < officer_no_beat()
        > nobody ever comes to us
        < officer_told(reference={ref}; emergency=112)
        > and the road is bad
        < added(reference={ref})
        > STATUS
        < standing(reference={ref}; state=new)
    """)
    report = Report.objects.get()
    assert report.unit.is_fallback and report.beat is None


@db
def test_it_is_never_published_nor_moved_to_where_it_could_be(north: Beat, officer: User) -> None:
    phone = Phone()
    for text in ("OFFICER Market Street", "they burn tyres behind the shop"):
        phone.say(text)
    report = Report.objects.get()
    with pytest.raises(ReportError):
        publish_report(report_id=report.pk, title="Tyres", text="They burn", actor=officer, now=NOW)
    other = Topic.objects.get(code="other")
    with pytest.raises(ReportError):
        correct_topic(report_id=report.pk, topic_id=other.pk, actor=officer, now=NOW)
    report.refresh_from_db()
    assert (report.topic.code, report.state) == (TO_OFFICER, "new") and not Publication.objects.exists()
    assert TO_OFFICER not in {topic.code for topic in (*public_topics(), *offered_topics())}


@db
def test_an_officer_who_does_not_show_themselves_is_not_named(north: Beat, officer: User) -> None:
    User.objects.filter(pk=officer.pk).update(public_intro="")
    (said,) = Phone().say("OFFICER Market Street")
    assert "Hana" not in said and "+383" not in said and officer.unit is not None and officer.unit.name in said


@db
def test_by_ussd_the_same(north: Beat) -> None:
    handset = Handset()
    handset.dial()
    assert handset.whole(handset.enter("5")) == (contact_texts.officer_where(emergency="112"), True)
    text, goes_on = handset.whole(handset.enter("School"))
    assert goes_on and "1 School North" in text and "0 Back" in text
    text, goes_on = handset.whole(handset.enter("1"))
    assert goes_on and "Hana Duro" in text
    # The session breaks, and the next one begins where it was.
    assert handset.whole(handset.dial())[0] == text
    text, goes_on = handset.whole(handset.enter("they burn tyres behind the shop"))
    report = Report.objects.get()
    assert not goes_on and format_reference(report.reference) in text
    assert (report.topic.code, report.beat) == (TO_OFFICER, north)


def _speaking(language: str) -> Phone:
    phone = Phone()
    if language != "en":
        with translation.override(language):
            (said,) = phone.say({"sq": "SHQIP", "ar": "عربي"}[language])
            assert said == texts.for_phone(texts.language_set())
    return phone
