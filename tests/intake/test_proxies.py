"""Reporting for others: whole conversations in three languages, and what a stranger cannot do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import proxy_texts, texts
from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reactions import run, sentences
from commonbeat.reports import events
from commonbeat.reports.actions.dialogue import ask_reporter
from commonbeat.reports.actions.proxies import Enrolment, enrol_proxy, record_consent_at_desk
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.reports.proxy_models import NO_CONSENT, Consent, OnBehalf, Proxy, SaidBy
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone
from tests.intake.test_transcripts import sentence, talk

pytestmark = pytest.mark.django_db
NUMBER = "+38344123456"


@pytest.fixture(autouse=True)
def _town(unit: Unit) -> None:
    install_ready_made(make.NOW)
    make.make_place(
        names={"en": "Old Bridge", "sq": "Ura e Vjetër", "ar": "الجسر القديم"}, latitude=42.381, longitude=20.43
    )
    make.make_place(
        names={"en": "Market Street", "sq": "Rruga e Tregut", "ar": "شارع السوق"}, latitude=42.39, longitude=20.44
    )


def enrolled(unit: Unit, *, language: str = "en", until: date | None = None) -> Phone:
    """Enrol a liaison who has not said YES, and give the telephone."""
    row = Enrolment(NUMBER, "liaison", "Upper valley", unit.pk, language=language, until=until)
    enrol_proxy(row=row, actor=None, now=make.NOW)
    react()
    return Phone(NUMBER)


def liaison(unit: Unit, *, language: str = "en") -> Phone:
    """Give the telephone of a liaison who has said YES."""
    phone = enrolled(unit, language=language)
    Proxy.objects.update(accepted_at=make.NOW)
    phone.new()
    return phone


def react() -> None:
    while run.react_batch(make.NOW):
        pass


def noted(language: str = "en", *, place: str = "", topic: str = "") -> str:
    """Give what is said after the answer about consent: the reference to hand on, and what is still asked."""
    with translation.override(language):
        reference = format_reference(Report.objects.latest("id").reference)
        parts = [proxy_texts.given(reference=reference)]
        parts += [texts.guessed(topic=topic)] if topic else []
        parts.append(proxy_texts.understood(place=place) if place else proxy_texts.where())
        return texts.for_phone(" ".join(parts))


def behalf() -> OnBehalf:
    return OnBehalf.objects.get()


# ------------------------------------------------------------------ three languages


def test_from_the_invitation_to_the_consent_in_english(unit: Unit) -> None:
    phone = enrolled(unit)
    assert phone.new() == [sentence("invitation(site=Commonbeat; community=Upper valley)", "en")]
    talk("""
        > yes
        < accepted()
        > BEHALF dump behind her house since May
        < consent(reference={ref})
        > 1
        < given(reference={ref}) + where()
        > old bridge
        < placed(place=Old Bridge)
        > BEHALF light dark at Market Street, an old man fell
        < consent(reference={ref})
        > in writing
        < given(reference={ref}) + understood(place=Market Street)
        > STATUS
        < standing(reference={ref}; state=new)
        > light in my own street is dark, Old Bridge
        < thanks_placed(reference={ref}; place=Old Bridge)
        > RESIGN
        < ended()
        > yes
    """, phone=phone)  # fmt: skip
    first, second, third = Report.objects.order_by("id")
    assert (first.text, first.latitude) == ("dump behind her house since May", 42.381)
    assert (first.on_behalf.consent, second.on_behalf.consent) == (Consent.WORD, Consent.WRITING)
    assert first.on_behalf.said_by == SaidBy.PROXY
    assert not OnBehalf.objects.filter(report=third).exists()
    assert Proxy.objects.get().ended_at is not None


def test_in_albanian(unit: Unit) -> None:
    phone = enrolled(unit, language="sq")
    assert phone.new() == [sentence("invitation(site=Commonbeat; community=Upper valley)", "sq")]
    talk("""
        > PO
        < accepted()
        > NE EMER
        < tell_us_behalf()
        > mbeturina shumë afër ura e vjetër që dje
        < consent(reference={ref})
        > prindi
        < given(reference={ref}) + understood(place=Ura e Vjetër)
        > Në emër të një gruaje: mbeturina te rruga e tregut
        < consent(reference={ref})
        > jo
        < refused()
        > DOREHIQEM
        < ended()
    """, phone=phone, language="sq")  # fmt: skip
    first, second = Report.objects.order_by("id")
    assert first.on_behalf.consent == Consent.GUARDIAN
    assert (second.on_behalf.consent, second.text, second.state) == (Consent.REFUSED, "", "rejected")


def test_in_arabic_with_arabic_digits(unit: Unit) -> None:
    phone = enrolled(unit, language="ar")
    phone.new()
    talk("""
        > نعم
        < accepted()
        > نيابة عن جارتي: نفايات كثيرة في شارع السوق
        < consent(reference={ref})
        > ٤
        < why()
        > زوجها في البيت طوال اليوم
        < given(reference={ref}) + guessed(topic=مكب نفايات غير قانوني) + understood(place=شارع السوق)
        > حالة البلاغ
        < standing(reference={ref}; state=new)
        > أستقيل
        < ended()
    """, phone=phone, language="ar")  # fmt: skip
    assert behalf().consent == Consent.DANGER
    reason = behalf().reason
    assert reason is not None
    assert (reason.text, reason.kind) == ("زوجها في البيت طوال اليوم", MessageKind.NOTE)


# ------------------------------------------------------------------ the question of consent


def test_a_no_erases_what_was_written_and_the_proxy_is_told(unit: Unit, officer: User) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump behind her house, Market Street")
    phone.say("it is the yellow one")
    report = Report.objects.get()
    ask_reporter(report_id=report.pk, text="Since when?", actor=officer, now=make.NOW)
    assert phone.say("5") == [sentence("refused()", "en")]
    report.refresh_from_db()
    assert (report.state, report.text, report.title, report.place_name, report.latitude) == (
        "rejected",
        "",
        "",
        "",
        None,
    )
    assert not Message.objects.exclude(kind=MessageKind.QUESTION).exists()
    assert behalf().consent == Consent.REFUSED
    react()
    # The dialogue has said it; the question of the desk went out before the answer was known.
    assert [said for said in phone.new() if "not taken up" in said.lower()] == []
    assert "yellow" not in str(list(Entry.objects.values_list("data", flat=True)))
    # The same in one's own name is a report like any other.
    phone.wait(hours=1)
    phone.say("NEW dump behind a house in Market Street")
    assert Report.objects.filter(on_behalf=None).get().text == "dump behind a house in Market Street"


def test_danger_and_its_reason_in_one_text(unit: Unit) -> None:
    phone = liaison(unit)
    phone.say("BEHALF violence, she is beaten near the Old Bridge")
    question = sentence("consent_danger(reference={ref}; emergency=112)", "en")
    phone.say("5 children are with her")
    assert behalf().consent == Consent.ASKED
    assert phone.say("4 her telephone is watched") == [noted(place="Old Bridge")]
    reason = behalf().reason
    assert reason is not None and reason.text == "her telephone is watched"
    assert "112" in question
    # Whoever is handed the reference does not read it.
    assert Report.objects.get().messages.filter(kind=MessageKind.ANSWER).get().text == "5 children are with her"


def test_a_reason_may_be_left_out(unit: Unit) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    phone.say("4")
    assert phone.say("0") == [noted(place="Old Bridge")]
    assert (behalf().consent, behalf().reason) == (Consent.DANGER, None)


def test_what_is_no_answer_is_kept_and_the_question_comes_back(unit: Unit) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    again = sentence("consent(reference={ref})", "en")
    assert phone.say("it smells terribly") == [again]
    assert phone.say("hm") == [again]
    assert phone.say("and it burns") == [sentence("added(reference={ref})", "en")]
    assert [m.text for m in Message.objects.order_by("id")] == ["it smells terribly", "and it burns"]
    assert behalf().consent == Consent.ASKED


def test_a_question_that_was_left_or_forgotten_can_be_answered_later(unit: Unit) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    left = phone.say("0")
    assert left[0].startswith(texts.for_phone(proxy_texts.consent_left()))
    phone.wait(days=3)
    asked = texts.for_phone(
        proxy_texts.consent_danger(reference=format_reference(Report.objects.get().reference), emergency="112")
    )
    # A number alone, days later, is not taken for the answer: a 5 would erase.
    assert phone.say("5") == [asked]
    assert phone.say("behalf") == [asked]
    phone.say("1")
    assert behalf().consent == Consent.WORD
    phone.wait(days=3)
    assert phone.say("5") == [sentence("help_text(emergency=112)", "en")]


def test_a_report_just_made_is_put_on_behalf_by_the_word_alone(unit: Unit) -> None:
    phone = liaison(unit)
    phone.say("dump near the river since May")
    assert phone.say("BEHALF") == [sentence("consent(reference={ref})", "en")]
    assert phone.say("yes") == [noted()]
    phone.say("Old Bridge")
    assert (behalf().consent, Report.objects.get().latitude) == (Consent.WORD, 42.381)


def test_nothing_is_published_before_the_answer(unit: Unit, officer: User) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    told: dict[str, Any] = {
        "report_id": Report.objects.get().pk,
        "title": "Waste",
        "text": "Waste",
        "actor": officer,
        "now": make.NOW,
    }
    with pytest.raises(ReportError, match="somebody else"):
        publish_report(**told)
    phone.say("2")
    assert publish_report(**told).state == "public"


def test_the_desk_may_record_what_it_has_learned(unit: Unit, officer: User, far_officer: User) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    report = Report.objects.get()
    with pytest.raises(ReportError):
        record_consent_at_desk(report_id=report.pk, consent="word", actor=far_officer, now=make.NOW)
    record_consent_at_desk(report_id=report.pk, consent="word", actor=officer, now=make.NOW)
    assert (behalf().consent, behalf().said_by, behalf().recorded_by) == (Consent.WORD, SaidBy.DESK, officer)
    publish_report(report_id=report.pk, title="Waste", text="Waste", actor=officer, now=make.NOW)
    # What the proxy says after that changes nothing; what the desk says does.
    phone.say("5")
    assert behalf().consent == Consent.WORD
    record_consent_at_desk(report_id=report.pk, consent="refused", actor=officer, now=make.NOW)
    report.refresh_from_db()
    assert (report.state, report.text, report.publication.state, report.publication.text) == (
        "rejected",
        "",
        "withdrawn",
        "",
    )


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "The person for whom it was made did not agree."),
        ("sq", "Personi për të cilin u bë nuk u pajtua."),
        ("ar", "لم يوافق الشخص الذي قدم البلاغ عنه."),
    ],
)
def test_why_it_was_not_taken_up_is_told_in_the_language_of_whoever_asks(
    unit: Unit, client: Client, language: str, told: str
) -> None:
    phone = liaison(unit, language=language)
    phone.say("BEHALF dump at the Old Bridge")
    phone.say("5")
    report = Report.objects.get()
    # The desk reads it in English, whoever said it.
    assert report.state_reason == NO_CONSENT
    assert phone.say("STATUS")[0].endswith(texts.for_phone(told))
    with translation.override(language):
        assert sentences.moved(report, "rejected").endswith(texts.for_phone(told))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    # Whoever has only the reference does not hear what the person for whom it was made has said.
    page = client.post("/lookup/", {"reference": report.reference})
    assert page.status_code == 200 and told not in page.content.decode()


def test_each_step_is_journalled_with_ids_and_codes_alone(unit: Unit) -> None:
    phone = enrolled(unit)
    phone.say("yes")
    phone.say("BEHALF dump at the Old Bridge")
    phone.say("1")
    phone.say("resign")
    kinds = (events.PROXY_ENROLLED, events.PROXY_ACCEPTED, events.CONSENT, events.PROXY_ENDED)
    entries = list(Entry.objects.filter(kind__in=kinds).order_by("id"))
    assert [entry.kind for entry in entries] == [kinds[0], kinds[1], kinds[2], kinds[2], kinds[3]]
    assert entries[3].data == {"consent": "word", "by": "proxy", "proxy": Proxy.objects.get().pk}
    assert "valley" not in str([entry.data for entry in entries])
