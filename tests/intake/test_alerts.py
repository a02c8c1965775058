"""Alerts by message: whole conversations in three languages, and what must not go wrong."""

from __future__ import annotations

import pytest
from django.utils import translation

from commonbeat.alerts.actions.follow import end_alert
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Sighting, Subscription
from commonbeat.intake import alert_texts
from commonbeat.people.models import User
from commonbeat.reports.actions.dialogue import ask_reporter
from commonbeat.reports.models import Message, Report
from commonbeat.topics.queries import SIGHTING
from tests import make
from tests.alerts.going_out import fan_out
from tests.intake.look_outs import BRIDGE, look_out, make_town
from tests.intake.phone import Phone
from tests.intake.test_transcripts import talk

pytestmark = pytest.mark.django_db
WORDS_OF = {
    "en": {"alerts": "ALERTS Old Bridge", "saw": "SAW white van near the Old Bridge", "end": "STOP ALERTS"},
    "sq": {
        "alerts": "NJOFTIME Ura e Vjetër",
        "saw": "PASH furgon te bardhe afer Ura e Vjetër",
        "end": "NDAL NJOFTIMET",
    },
    "ar": {"alerts": "تنبيهات الجسر القديم", "saw": "رأيت سيارة بيضاء قرب الجسر القديم", "end": "أوقف التنبيهات"},
}


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    make_town()


# ------------------------------------------------------------------ whole conversations


@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_all_that_a_telephone_can_do(language: str, officer: User) -> None:
    say = WORDS_OF[language]
    first = {
        "en": "lamp near the Old Bridge is broken since monday",
        "sq": "llamba nuk punon afër Ura e Vjetër që të hënën",
        "ar": "المصباح لا يعمل قرب الجسر القديم منذ يومين",
    }
    status = {"en": "STATUS", "sq": "GJENDJA", "ar": "الحالة"}
    stop, start = {"en": "STOP", "sq": "NDAL", "ar": "توقف"}, {"en": "START", "sq": "FILLO", "ar": "ابدأ"}
    # A report, a question of the desk and its answer, how it stands.
    phone = talk(
        f"""
        > {first[language]}
        < thanks_placed(reference={{ref}}; place={BRIDGE[language]})
        """,
        language=language,
    )
    report = Report.objects.get()
    question = ask_reporter(report_id=report.pk, text="Which lamp?", actor=officer, now=phone.now)
    _pass_on(question)
    assert len(phone.new()) == 1
    talk(
        f"""
        > {"2"}
        < answered()
        > {status[language]}
        < standing(reference={{ref}}; state=new)
        > {say["alerts"]}
        < alerts_here(place={BRIDGE[language]})
        """,
        language=language,
        phone=phone,
    )
    # An alert comes, and says how it is answered.
    phone.wait(hours=1)
    alert = look_out(officer, phone)
    (said,) = phone.new()
    assert say["saw"].split()[0] in said and say["end"] in said
    phone.wait(minutes=5)
    talk(
        f"""
        > {say["saw"]}
        < saw(reference={{ref}}; emergency=112; place={BRIDGE[language]})
        > {status[language]}
        < standing(reference={{ref}}; state=new)
        """,
        language=language,
        phone=phone,
    )
    seen = Report.objects.get(topic__code=SIGHTING)
    assert (Sighting.objects.get().alert_id, Sighting.objects.get().report_id) == (alert.pk, seen.pk)
    assert (seen.latitude, seen.language, seen.contact) == (42.381, language, phone.contact)
    # It ends, and so do the alerts; last of all everything.
    phone.wait(minutes=5)
    fan_out(end_alert(alert_id=alert.pk, outcome="found", actor=officer, now=phone.now), now=phone.now)
    assert len(phone.new()) == 1
    talk(
        f"""
        > {say["end"]}
        < alerts_ended()
        > {stop[language]}
        < stopped()
        > {start[language]}
        < started()
        """,
        language=language,
        phone=phone,
    )
    assert not Subscription.objects.exists()


def _pass_on(message: Message) -> None:
    from commonbeat.reactions import run

    while run.react_batch(make.NOW):
        pass


@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_the_first_text_of_a_telephone_is_answered_in_the_language_of_its_word(language: str) -> None:
    talk(f"> {WORDS_OF[language]['alerts']}\n< alerts_here(place={BRIDGE[language]})", language=language)
    row = Subscription.objects.get()
    assert (row.latitude, row.longitude, row.radius, row.language) == (42.381, 20.43, 3_000, language)
    # The text from the telephone itself is the proof.
    assert row.confirmed_at == make.NOW
    assert not Report.objects.exists()


# ------------------------------------------------------------------ places


def test_alerts_alone_asks_for_the_place_and_of_two_it_asks_which() -> None:
    talk("""
        > ALERTS
        < alerts_none()
        > behind kiosk
        < thanks_where(reference={ref})
        > 0
        < left()
        > ALERTS
        < alerts_none()
        > school
        < which_place(places=School North|School South)
        > 2
        < alerts_here(place=School South)
        > ALERTS
        < alerts_listed(places=School South)
        > Market Street
        < alerts_here(place=Market Street)
        > alerts
        < alerts_listed(places=School South|Market Street)
        > STOP 1
        < alerts_ended_one(place=School South; places=Market Street)
        > STOP 2
        < alerts_no_such()
        > stop alerts market street
        < alerts_ended_one(place=Market Street; places=)
        > ALERTS
        < alerts_none()
    """)
    assert not Subscription.objects.exists()


def test_a_place_that_nobody_knows_a_point_and_the_whole_town() -> None:
    talk("""
        > ALERTS Zanzibar
        < alerts_unknown_place()
        > -33.9, 18.4
        < alerts_here(place=-33.90000, 18.40000)
        > ALERTS -33.8, 18.4
        < alerts_here(place=-33.80000, 18.40000)
        > ALERTS ALL
        < alerts_everywhere()
        > ALERTS
        < alerts_listed(places=-33.90000, 18.40000|-33.80000, 18.40000|everywhere)
    """)
    assert list(Subscription.objects.order_by("pk").values_list("latitude", flat=True)) == [-33.9, -33.8, None]


@pytest.mark.parametrize(
    "text",
    [
        "Alert! Fire at the school, many people",
        "Alerts did not come when the river rose last night",
        "No alerts came when the river rose",
        "ALERTS the lamp in Market Street is broken and the one behind it",
        "stop alerts are what we need when the river rises",
        "saw somebody dumping old tyres at the Old Bridge",
        "I saw that the lamp at the Old Bridge is broken",
        "PASH NJE LLAMBE TE PRISHUR TE URA E VJETER",
        "رأيت مصباحا مكسورا في شارع السوق",
    ],
)
def test_what_only_begins_with_such_a_word_is_a_report(text: str) -> None:
    Phone().say(text)
    assert Report.objects.get().topic.code != SIGHTING
    assert not Subscription.objects.exists()


def test_one_kind_is_left_off_and_too_many_places_are_refused() -> None:
    phone = Phone()
    for number in range(10):
        phone.say(f"ALERTS 42.{number}1, 20.4")
    assert Subscription.objects.count() == 10
    (said,) = phone.say("ALERTS Old Bridge")
    with translation.override("en"):
        assert said.startswith(alert_texts.alerts_full(places=[])[:30])
    assert Subscription.objects.count() == 10
    talk("> STOP ALERTS water\n< alerts_ended_kind(kind=Water)", phone=phone)
    assert all(set(row.kinds) == set(KINDS) - {"water"} for row in Subscription.objects.all())


def test_stop_silences_and_start_brings_the_same_alerts_back(officer: User) -> None:
    phone = talk("""
        > ALERTS Old Bridge
        < alerts_here(place=Old Bridge)
        > STOP
        < stopped_all()
    """)
    look_out(officer, phone)
    assert phone.new() == []
    assert Subscription.objects.count() == 1
    talk("> START\n< started() + alerts_again()", phone=phone)
    phone.wait(minutes=1)
    look_out(officer, phone)
    assert len(phone.new()) == 1


def test_alerts_leave_a_question_of_the_desk_open(officer: User) -> None:
    phone = Phone()
    phone.say("DUMP at the Old Bridge")
    _pass_on(ask_reporter(report_id=Report.objects.get().pk, text="How big?", actor=officer, now=phone.now))
    phone.new()
    talk("> ALERTS Old Bridge\n< alerts_here(place=Old Bridge)\n> I saw three cars full\n< answered()", phone=phone)
    assert "I saw three cars full" in set(Message.objects.values_list("text", flat=True))
    assert not Sighting.objects.exists()


def test_sightings_stand_in_no_list_of_topics() -> None:
    (menu,) = Phone().say("MENU")
    assert "Seen" not in menu


def test_a_place_for_alerts_is_kept_in_no_session_and_no_journal() -> None:
    from commonbeat.journal.models import Entry

    phone = Phone()
    phone.say("ALERTS")
    phone.say("school")
    phone.say("2")
    assert "School" not in str([entry.data for entry in Entry.objects.all()])
    assert not hasattr(phone.contact, "session") or "School" not in str(phone.contact.session.state)
