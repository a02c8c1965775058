"""Structured messages, from the telephone to the report: three languages, enrolled and stranger, sent again."""

from __future__ import annotations

from datetime import time

import pytest

from commonbeat.foundation.ids import format_reference
from commonbeat.journal.models import Entry
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact
from commonbeat.reactions.inbound import handle
from commonbeat.reports import events
from commonbeat.reports.actions.expected import Enrolment, enrol
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Correction, Message, PlaceSource, Report
from commonbeat.topics.queries import topic_by_code
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db

NURSE = "+38344000201"


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    install_ready_made(make.NOW)


def phone_of(topic: str, site: str, *, language: str = "en", number: str = NURSE, **more: float) -> Phone:
    """Enrol a telephone."""
    found = topic_by_code(topic)
    assert found is not None
    row = Enrolment(phone=number, site=site, language=language, due_at=time(12), **more)  # type: ignore[arg-type]
    assert enrol(topic_id=found.pk, rows=[row], actor=None, now=make.NOW) == (1, {})
    return Phone(number)


def said(phone: Phone, text: str) -> str:
    """Send a text, and give the one answer."""
    (answer,) = phone.say(text)
    return answer


def reference() -> str:
    return format_reference(Report.objects.order_by("-id")[0].reference)


# ------------------------------------------------------------------ understood, in three languages


def test_a_stock_of_medicine_in_english() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12", latitude=42.4, longitude=20.5)
    answer = said(phone, "STOCK amoxicillin 0 clinic 12")
    report = Report.objects.get()
    assert answer == f"Stock: Amoxicillin = 0 at Clinic 12. Wrong? Send it again. Reference: {reference()}"
    assert report.topic.code == "medicine-stock-out"
    assert report.answers == {"medicine": "amoxicillin", "left": 0, "facility": "Clinic 12"}
    assert (report.latitude, report.place_source, report.place_name) == (42.4, PlaceSource.NAMED, "Clinic 12")
    assert report.is_structured and report.contact == phone.contact and report.contact_confirmed


@pytest.mark.parametrize(
    ("language", "site", "text", "begins"),
    [
        ("sq", "Ambulanca 12", "STOK amoksicilin 0 ambulanca 12", "Gjendja: Amoksiciline = 0 te Ambulanca 12."),
        ("ar", "عيادة 12", "مخزون أموكسيسيلين ٠ عيادة ١٢", "المخزون: أموكسيسيلين = 0 في عيادة 12."),
        ("en", "Clinic 12", "stock amoxycilin none", "Stock: Amoxicillin = 0 at Clinic 12."),
        ("en", "Clinic 12", "Stock: n=0 m=amox", "Stock: Amoxicillin = 0 at Clinic 12."),
        # The code word is everybody's; the answer is in the language of the reporter.
        ("en", "Clinic 12", "STOK amox 0", "Stock: Amoxicillin = 0 at Clinic 12."),
    ],
)
def test_the_same_in_every_language_and_spelling(language: str, site: str, text: str, begins: str) -> None:
    phone = phone_of("medicine-stock-out", site, language=language)
    assert said(phone, text).startswith(begins)
    assert Report.objects.get().answers == {"medicine": "amoxicillin", "left": 0, "facility": site}
    assert Contact.objects.get().language == language


@pytest.mark.parametrize(
    ("language", "site", "text", "note"),
    [
        ("en", "Polling station 4", "ELECT 4 12:30 ballot box missing", "ballot box missing"),
        ("sq", "Vendvotimi 4", "ZGJEDH 4 12.30 mungon kutia", "mungon kutia"),
        ("ar", "مركز 4", "رصد ٤ ١٢:٣٠ الصندوق مفقود", "الصندوق مفقود"),
    ],
)
def test_an_incident_at_a_polling_station(language: str, site: str, text: str, note: str) -> None:
    answer = said(phone_of("election-incident", site, language=language), text)
    report = Report.objects.get()
    assert report.answers == {"station": site, "time": "12:30"}
    assert site in answer and "12:30" in answer and note in answer
    assert note in report.text


# ------------------------------------------------------------------ not understood


def test_what_cannot_be_read_is_named_and_the_rest_is_stored() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    answer = said(phone, "STOCK amox many clinic 12")
    report = Report.objects.get()
    assert "How many are left? “many”" in answer.replace('"many"', "“many”")
    assert "STOCK amoxicillin 0 clinic 12" in answer
    assert report.answers == {"medicine": "amoxicillin", "facility": "Clinic 12"}
    assert report.text == "STOCK amox many clinic 12"
    # Sent again, rightly, it is the same report.
    assert said(phone, "STOCK amox 4 clinic 12").startswith("Corrected. Stock: Amoxicillin = 4 at Clinic 12.")
    assert Report.objects.get().answers["left"] == 4


def test_what_is_missing_is_asked_for() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    assert "Missing: How many are left." in said(phone, "STOCK amoxicillin")
    assert Report.objects.get().answers == {"medicine": "amoxicillin", "facility": "Clinic 12"}


@pytest.mark.parametrize("text", ["STOCK", "stock ?", "STOCK!"])
def test_the_word_alone_is_answered_with_the_form(text: str) -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    assert said(phone, text).startswith("Text it like this: STOCK [Which medicine] [How many are left]")
    assert not Report.objects.exists()


# ------------------------------------------------------------------ enrolled and stranger


def test_a_strangers_code_word_is_a_plain_report_of_that_topic() -> None:
    phone = Phone("+38344000299")
    phone.say("STOCK amoxicillin 0 clinic 12")
    report = Report.objects.get()
    assert (report.topic.code, report.answers, report.is_structured) == ("medicine-stock-out", {}, False)


def test_a_topic_may_be_open_to_whoever_knows_the_word() -> None:
    phone = Phone("+38344000299")
    answer = said(phone, "ELECT 4 12:30 ballot box missing")
    assert answer.startswith("Election incident: 4, 12:30. ballot box missing")
    assert Report.objects.get().answers == {"station": "4", "time": "12:30"}


def test_a_code_word_does_not_answer_the_question_of_the_desk() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amox 0")
    said(phone, "STOCK para 3")
    assert not Message.objects.exists()
    assert Report.objects.count() == 2


# ------------------------------------------------------------------ sent again


def test_sent_again_it_corrects_the_first_and_the_history_shows_both() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0 clinic 12")
    phone.wait(minutes=20)
    assert said(phone, "STOCK amoxicillin 10 clinic 12").startswith("Corrected. Stock: Amoxicillin = 10")
    report = Report.objects.get()
    assert report.answers["left"] == 10
    assert report.title == "Stock: Amoxicillin = 10 at Clinic 12."
    assert Correction.objects.get().answers["left"] == 0
    entry = Entry.objects.get(kind=events.RESENT)
    assert (entry.subject_id, set(entry.data)) == (report.pk, {"correction"})


def test_another_medicine_is_another_report_and_an_exclamation_mark_corrects_even_that() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0")
    said(phone, "STOCK insulin 3")
    assert Report.objects.count() == 2
    assert said(phone, "STOCK! metformin 3").startswith("Corrected. Stock: Metformin = 3")
    assert {r.answers["medicine"] for r in Report.objects.all()} == {"amoxicillin", "metformin"}


def test_the_same_again_changes_nothing() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0")
    assert said(phone, "STOCK amoxicillin 0").startswith("We have this already. Stock: Amoxicillin = 0")
    assert not Correction.objects.exists()


def test_what_the_desk_closes_at_that_very_moment_becomes_a_report_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0")
    first = Report.objects.get()
    # As if it had been chosen for a correction a moment before.
    monkeypatch.setattr("commonbeat.intake.coding.corrected_by", lambda *_, **__: first)
    Report.objects.update(state="rejected")
    said(phone, "STOCK amoxicillin 10")
    assert [r.answers["left"] for r in Report.objects.order_by("id")] == [0, 10]
    assert not Correction.objects.exists()


@pytest.mark.parametrize("hours", [7, 24])
def test_later_it_is_a_new_report(hours: int) -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0")
    phone.wait(hours=hours)
    said(phone, "STOCK amoxicillin 10")
    assert [r.answers["left"] for r in Report.objects.order_by("id")] == [0, 10]


def test_what_the_desk_works_on_is_marked_when_it_changes(officer: object) -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0")
    report = Report.objects.get()
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=make.NOW)  # type: ignore[arg-type]
    said(phone, "STOCK amoxicillin 1")
    report.refresh_from_db()
    assert report.answer_waiting and report.state == "triaged"


def test_what_is_closed_is_not_reopened_by_a_correction(officer: object) -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    said(phone, "STOCK amoxicillin 0")
    first = Report.objects.get()
    move_report(
        report_id=first.pk,
        to_state="rejected",
        actor=officer,  # type: ignore[arg-type]
        now=make.NOW,
        reason="Known.",
    )
    said(phone, "STOCK amoxicillin 1")
    assert Report.objects.count() == 2


def test_a_colleague_corrects_nothing_of_mine() -> None:
    said(phone_of("medicine-stock-out", "Clinic 12"), "STOCK amoxicillin 0")
    said(phone_of("medicine-stock-out", "Clinic 12", number="+38344000202"), "STOCK amoxicillin 7")
    assert sorted(r.answers["left"] for r in Report.objects.all()) == [0, 7]


def test_fifty_deliveries_are_one_report_and_one_correction() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    assert len(phone.say("STOCK amoxicillin 0", provider_id="one", times=50)) == 1
    assert len(phone.say("STOCK amoxicillin 2", provider_id="two", times=50)) == 1
    phone.say("STOCK amoxicillin 0", provider_id="one", times=50)
    assert Report.objects.get().answers["left"] == 2
    assert Correction.objects.count() == 1


def test_after_stop_it_is_stored_and_nothing_is_said() -> None:
    phone = phone_of("medicine-stock-out", "Clinic 12")
    phone.say("STOP")
    assert phone.say("STOCK amoxicillin 0") == []
    assert Report.objects.get().answers["left"] == 0


def test_whoever_only_claims_to_be_enrolled_is_a_stranger_and_corrects_nothing() -> None:
    topic = topic_by_code("medicine-stock-out")
    assert topic is not None
    contact = make.make_contact("+38344000277")
    enrol(topic_id=topic.pk, rows=[Enrolment("+38344000277", "Clinic 12")], actor=None, now=make.NOW)
    Phone("+38344000277").say("STOCK amoxicillin 0")
    claimed = Inbound(provider_id="mail-1", sender="nurse@example.org", text="STOCK amoxicillin 9", is_proven=False)
    handle(contact, claimed, make.NOW)
    open_to_all = Inbound(provider_id="mail-2", sender="nurse@example.org", text="ELECT 4 9:00 shut", is_proven=False)
    handle(contact, open_to_all, make.NOW)
    first, second, third = Report.objects.order_by("id")
    assert first.answers["left"] == 0 and not Correction.objects.exists()
    assert (second.is_structured, second.contact_confirmed) == (False, False)
    assert (third.answers["station"], third.contact_confirmed) == ("4", False)
