"""Whole USSD sessions: “> ” is what is entered (a bare one dials), “< ” what the screen shows, page by page.

What it shows is named by its sentence in commonbeat.intake.texts or screens, in the language of the session; “end”
before it says that the session is over.
"""

from __future__ import annotations

import pytest
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import screens, texts
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.people.models import Role
from commonbeat.reactions.dialling import Screen
from commonbeat.reactions.run import react_batch
from commonbeat.reports.actions.dialogue import ask_reporter
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.topics.queries import offered_topics
from tests import make
from tests.intake.phone import Phone
from tests.reactions.handset import CHANNEL, NUMBER, Handset, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    make_town()


def talk(transcript: str, *, language: str = "en", handset: Handset | None = None) -> Handset:
    """Play a transcript, and compare each screen."""
    handset = handset or Handset()
    shown: tuple[str, bool] | None = None
    for line in filter(None, map(str.strip, transcript.splitlines())):
        with translation.override(language):
            if line.startswith(">"):
                assert shown is None, f"unexpected before {line}"
                said = line[1:].strip()
                shown = handset.whole(handset.enter(said) if said else handset.dial())
            else:
                assert shown is not None, f"nothing came for {line}"
                ends, calls = line[1:].strip().startswith("end "), line[1:].strip().removeprefix("end ")
                expected = " ".join(sentence(call.strip(), language) for call in calls.split(" + "))
                assert " ".join(shown[0].split()) == " ".join(expected.split())
                assert shown[1] is not ends
                shown = None
    return handset


def sentence(call: str, language: str) -> str:
    """Make the text that a line of a transcript names: name(key=value; …)."""
    name, _bracket, rest = call.rstrip(")").partition("(")
    given: dict[str, object] = {}
    given.update(pair.split("=", 1) for pair in rest.split("; ") if pair)
    newest = Report.objects.order_by("-id").first()
    if newest is not None:
        reference = format_reference(newest.reference)
        given.update({key: reference for key, value in given.items() if value == "{ref}"})
    if given.get("topics") == "all":
        given["topics"] = [topic.name_in(language) for topic in offered_topics()]
    if "places" in given:
        given["places"] = str(given["places"]).split("|")
    if name == "start":
        given = {"site": "Commonbeat", "emergency": "112"}
    return texts.for_phone(getattr(screens if hasattr(screens, name) else texts, name)(**given))


# ------------------------------------------------------------------ three languages


def test_a_report_in_english() -> None:
    talk("""
        >
        < start()
        > somebody has painted over the sign again
        < thanks_where(reference={ref})
        > market street
        < placed_topic(place=Market Street; topics=all) + back()
        > 2
        < sorted_as(topic=Street light) + end()
        > 0
        < end left()
    """)
    report = Report.objects.get()
    assert (report.topic.code, report.latitude, report.channel) == ("street-light", 42.39, CHANNEL)
    assert report.text == "somebody has painted over the sign again"
    assert report.contact is not None
    assert report.contact_confirmed
    # What is told later goes to where texts go, not to a session that is over.
    assert report.contact.channel == ""


def test_a_report_in_albanian() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("3")
    handset.enter("2")
    talk(
        """
        >
        < start()
        > 1
        < menu(topics=all) + back()
        > 2
        < tell_us()
        > drita eshte prishur te Ura e Vjeter
        < thanks_placed(reference={ref}; place=Ura e Vjetër) + end()
    """,
        language="sq",
        handset=handset,
    )
    report = Report.objects.get()
    assert (report.topic.code, report.latitude, report.language) == ("street-light", 42.381, "sq")


def test_a_report_in_arabic() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("٣")
    handset.enter("٣")
    talk(
        """
        >
        < start()
        > نفايات قرب الجسر القديم
        < thanks_placed(reference={ref}; place=الجسر القديم) + end()
        > ٠
        < end left()
        >
        < start()
        > ٢
        < standing(reference={ref}; state=new) + end()
    """,
        language="ar",
        handset=handset,
    )
    assert (Report.objects.get().topic.code, Report.objects.get().latitude) == ("illegal-dump", 42.381)


def test_the_language_is_chosen_by_number_and_the_start_then_speaks_it() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("3")
    screen = handset.enter("2")
    with translation.override("sq"):
        choices = screens.choices()
        said = texts.for_phone(texts.language_set())
    assert screen == Screen(f"{said}\n{choices}", goes_on=True)
    assert Contact.objects.get().language == "sq"


# ------------------------------------------------------------------ leaving, coming back, going on elsewhere


def test_zero_leaves_a_question_for_the_start_and_the_start_for_good() -> None:
    talk("""
        >
        < start()
        > somebody has painted over the sign again
        < thanks_where(reference={ref})
        > 0
        < left() + choices()
        > 0
        < end left()
    """)
    assert Report.objects.count() == 1


def test_a_dropped_session_is_resumed_where_it_stood() -> None:
    talk("""
        >
        < start()
        > somebody has painted over the sign again
        < thanks_where(reference={ref})
        >
        < where_still(reference={ref})
        > school
        < which_place(places=School North|School South) + back()
        >
        < which_place(places=School North|School South) + back()
        > 2
        < placed_topic(place=School South; topics=all) + back()
        >
        < menu(topics=all) + back()
        > 1
        < sorted_as(topic=Illegal dump) + end()
    """)
    report = Report.objects.get()
    assert (report.latitude, report.topic.code) == (42.36, "illegal-dump")


def test_what_was_begun_by_ussd_goes_on_by_text_message_and_back() -> None:
    handset, phone = Handset(), Phone(NUMBER)
    handset.dial()
    handset.enter("somebody has painted over the sign again")
    phone.read |= set(Outbound.objects.values_list("pk", flat=True))
    assert len(phone.say("Market Street")) == 1
    assert Report.objects.get().latitude == 42.39
    with translation.override("en"):
        assert "Illegal dump" in handset.dial().text
    handset.enter("1")
    assert Report.objects.get().topic.code == "illegal-dump"
    assert Contact.objects.count() == 1


def test_the_desks_question_is_shown_and_answered() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("light broken at the Old Bridge")
    report = Report.objects.get()
    officer = make.make_user(role=Role.OFFICER, unit=report.unit)
    ask_reporter(report_id=report.pk, text="How many lamps are out?", actor=officer, now=handset.now)
    react_batch(handset.now)
    assert "How many lamps are out?" in handset.dial().text
    # To a question of the desk, a nought is an answer.
    assert handset.enter("0").text == texts.answered()
    assert Message.objects.get(kind=MessageKind.ANSWER).text == "0"
