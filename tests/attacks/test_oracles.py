"""What a page would tell of a number to whoever only knows, or only types, that number; and what is lost half-way."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.messaging.models import Contact, Erasure, Inbound, TrustMark
from commonbeat.people.models import Role, Unit, User
from commonbeat.reactions.due import do_due
from commonbeat.reactions.erasing import erase_report
from commonbeat.reactions.run import react_batch
from commonbeat.reports.actions.dialogue import answer_desk
from commonbeat.reports.actions.expected import Enrolment as Enrolled
from commonbeat.reports.actions.expected import enrol
from commonbeat.reports.actions.proxies import (
    Enrolment,
    enrol_proxy,
    put_on_behalf,
    record_consent,
    record_said_consent,
)
from commonbeat.reports.actions.translations import ask_volunteers, withdraw_translation
from commonbeat.reports.actions.volunteering import hand_in, take_next
from commonbeat.reports.actions.work import move_report, verify_report
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Report, Translation
from commonbeat.reports.proxy_models import Consent, Proxy
from commonbeat.topics.queries import topic_by_code
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db
NUMBER = "+38344777123"


def react() -> None:
    while react_batch(clock.now()):
        pass


def translators_page(client: Client, translation: Translation, text: str = "") -> str:
    return client.post(f"/translate/{translation.pk}/hand-in/", {"text": text}).content.decode()


# ------------------------------------------------------------------ “Delete my report” as an oracle


def told_by_deleting(client: Client, report: Report) -> list[str]:
    pages = [
        client.post("/lookup/", {"reference": report.reference, "erase": "ask"}),
        client.post("/lookup/", {"reference": report.reference, "erase": "confirm", "sure": "on"}),
    ]
    assert [page.status_code for page in pages] == [200, 200]
    ours = [report.reference, f"{report.reference[:4]}-{report.reference[4:8]}-{report.reference[8:]}"]
    found = []
    for page in pages:
        main = page.content.decode().partition("<main")[2].partition("</main>")[0]
        for one in ours:
            main = main.replace(one, "")
        found.append(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", main))
    return found


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_deleting_does_not_tell_whether_a_number_is_known(is_confirmed: bool, unit: Unit, client: Client) -> None:
    now = clock.now()
    known = make.make_contact(NUMBER, now=now - timedelta(days=9))
    make.make_report(contact=known, unit=unit, now=now - timedelta(days=9))
    fresh = make.make_contact("+38344999888", now=now)
    typed = [
        make.make_report(contact=contact, unit=unit, contact_confirmed=is_confirmed, now=now)
        for contact in (known, fresh)
    ]
    of_known, of_fresh = (told_by_deleting(client, report) for report in typed)
    assert of_known == of_fresh
    # What is done is another matter than what is told.
    assert list(Contact.objects.all()) == [known]


@pytest.mark.parametrize("came", ["held", "words", "heard"])
def test_a_reference_takes_nothing_that_came_in_beside_its_report(came: str, unit: Unit) -> None:
    """Somebody else may hold the reference; what waits in the quarantine may be about danger."""
    now = clock.now()
    contact = make.make_contact(NUMBER, now=now)
    report = make.make_report(contact=contact, unit=unit, contact_confirmed=came != "heard", now=now)
    if came == "words":
        answer_desk(
            report_id=make.make_report(unit=unit).pk, text="Mine", client_key="k", now=now, sender_id=contact.pk
        )
    else:
        state = "held" if came == "held" else "understood"
        Inbound.objects.create(
            channel="demo_sms", provider_id="1", body_sealed=b"x", received_at=now, state=state, contact=contact
        )
    assert not erase_report(report_id=report.pk, now=now).contact_erased
    assert not Report.objects.filter(pk=report.pk).exists()
    assert Contact.objects.get() == contact and not Erasure.objects.exists()
    assert not Inbound.objects.exclude(contact=contact, body_sealed=b"x").exists()


@pytest.mark.parametrize("is_confirmed", [False, True])
@pytest.mark.parametrize("breaks_at", ["_carry_out_now", "erase_messages", "erase_address"])
def test_a_deletion_that_was_broken_off_forgets_the_number_too(
    breaks_at: str, is_confirmed: bool, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    report = make.make_report(
        contact=make.make_contact(NUMBER, now=now), unit=unit, contact_confirmed=is_confirmed, now=now
    )

    def stop(*_: object, **__: object) -> int:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(f"commonbeat.reactions.erasing.{breaks_at}", stop)
        with pytest.raises(OSError):
            erase_report(report_id=report.pk, now=now)
    # The reference is gone, so nobody could ask again.
    assert not Report.objects.exists() and Contact.objects.exists()
    do_due(now)
    assert not Contact.objects.exists()


# ------------------------------------------------------------------ from a number to a handle, and back


def test_enrolling_a_number_does_not_tell_its_handle_before_the_yes(unit: Unit, supervisor_client: Client) -> None:
    contact = make.make_contact(NUMBER)
    told = {"who": NUMBER, "role": "elder", "community": "Ridge", "unit": unit.pk}
    page = supervisor_client.post("/desk/proxies/", told, follow=True).content.decode()
    assert "Ridge" in page and contact.handle not in page
    Proxy.objects.update(accepted_at=clock.now())
    assert contact.handle in supervisor_client.get("/desk/proxies/").content.decode()


@pytest.mark.parametrize("address", ["/desk/contacts/{}/", "/desk/reports/?tab=all&q={}"])
def test_what_was_sent_for_a_place_stands_under_no_handle(address: str, unit: Unit, supervisor_client: Client) -> None:
    install_ready_made(clock.now())
    topic = topic_by_code("medicine-stock-out")
    assert topic is not None
    enrol(topic_id=topic.pk, rows=[Enrolled(phone=NUMBER, site="Hidden clinic")], actor=None, now=clock.now())
    phone = Phone(NUMBER, clock.now())
    phone.say("STOCK insulin 7")
    phone.say("NEW The doctor sells our medicines at the market")
    coded, plain = Report.objects.order_by("is_structured").reverse()
    assert coded.is_structured and not plain.is_structured
    page = supervisor_client.get(address.format(phone.contact.handle)).content.decode()
    assert f"/desk/reports/{plain.pk}/" in page and f"/desk/reports/{coded.pk}/" not in page


def test_a_number_that_somebody_typed_puts_nothing_on_the_owners_page(unit: Unit, officer_client: Client) -> None:
    contact = make.make_contact(NUMBER)
    own = make.make_report(contact=contact, unit=unit)
    typed = make.make_report(contact=contact, unit=unit, contact_confirmed=False, text="A lie about a neighbour")
    page = officer_client.get(f"/desk/contacts/{contact.handle}/").content.decode()
    assert f"/desk/reports/{own.pk}/" in page and f"/desk/reports/{typed.pk}/" not in page


# ------------------------------------------------------------------ reports for others


@pytest.fixture
def proxy(unit: Unit) -> Proxy:
    row = Enrolment(NUMBER, "elder", "Ridge", unit.pk)
    found = enrol_proxy(row=row, actor=None, now=clock.now())
    Proxy.objects.update(accepted_at=clock.now())
    return found


def for_somebody(proxy: Proxy, unit: Unit) -> Report:
    report = make.make_report(contact=proxy.contact, unit=unit, text="He beats her.", language="sq", now=clock.now())
    put_on_behalf(report_id=report.pk, contact_id=proxy.contact_id, now=clock.now())
    return report


def ask(report: Report, actor: User) -> Translation:
    return ask_volunteers(
        report_id=report.pk, message_id=None, from_language="sq", language="en", actor=actor, now=clock.now()
    )


def test_volunteers_are_not_asked_before_the_person_agreed(proxy: Proxy, unit: Unit, officer: User) -> None:
    report = for_somebody(proxy, unit)
    with pytest.raises(ReportError, match="nobody has said yet"):
        ask(report, officer)
    record_consent(report_id=report.pk, consent=Consent.WORD, contact_id=proxy.contact_id, now=clock.now())
    assert ask(report, officer).source


def test_what_turns_out_to_be_for_somebody_else_waits_for_the_person(proxy: Proxy, unit: Unit, officer: User) -> None:
    report = make.make_report(contact=proxy.contact, unit=unit, text="He beats her.", language="sq", now=clock.now())
    asked = ask(report, officer)
    put_on_behalf(report_id=report.pk, contact_id=proxy.contact_id, now=clock.now())
    volunteer = make.make_user(role=Role.TRANSLATOR, languages_read=["en", "sq"])
    assert take_next(actor=volunteer, now=clock.now()) is None
    record_consent(report_id=report.pk, consent=Consent.WORD, contact_id=proxy.contact_id, now=clock.now())
    assert take_next(actor=volunteer, now=clock.now()) == asked


@pytest.mark.parametrize("act", ["verified", "spam", "verified before"])
def test_what_a_proxy_passes_on_is_neither_merit_nor_fault(act: str, proxy: Proxy, unit: Unit, officer: User) -> None:
    now = clock.now()
    report = make.make_report(contact=proxy.contact, unit=unit, now=now)
    if act != "verified before":
        put_on_behalf(report_id=report.pk, contact_id=proxy.contact_id, now=now)
    if act == "spam":
        move_report(report_id=report.pk, to_state="rejected", reason="No.", actor=officer, now=now, is_spam=True)
    else:
        verify_report(report_id=report.pk, evidence="Seen.", independent_sources=1, actor=officer, now=now)
    react()
    if act == "verified before":
        assert TrustMark.objects.filter(withdrawn_at=None).exists()
        put_on_behalf(report_id=report.pk, contact_id=proxy.contact_id, now=now)
        react()
    assert not TrustMark.objects.filter(withdrawn_at=None).exists()
    proxy.contact.refresh_from_db()
    assert proxy.contact.trust_points == 0


def test_saying_on_the_form_that_it_is_for_others_hides_no_spam(unit: Unit, officer: User) -> None:
    contact, now = make.make_contact(NUMBER), clock.now()
    report = make.make_report(contact=contact, unit=unit, now=now)
    record_said_consent(report_id=report.pk, consent=Consent.WORD, now=now)
    move_report(report_id=report.pk, to_state="rejected", reason="No.", actor=officer, now=now, is_spam=True)
    react()
    contact.refresh_from_db()
    assert contact.trust_points == -2


# ------------------------------------------------------------------ volunteers


@pytest.mark.parametrize("then", ["handed in", "unfit"])
def test_an_empty_answer_does_not_bring_a_text_back(
    then: str, unit: Unit, officer: User, translator: User, translator_client: Client
) -> None:
    asked = ask(make.make_report(unit=unit, text="Ka zhurmë natën.", language="sq"), officer)
    assert take_next(actor=translator, now=clock.now()) == asked
    assert "zhurmë" in translators_page(translator_client, asked)
    if then == "handed in":
        hand_in(translation_id=asked.pk, text="It is loud at night.", actor=translator, now=clock.now())
    else:
        withdraw_translation(translation_id=asked.pk, actor=officer, now=clock.now())
        Translation.objects.update(withdrawn_for="unfit")
    assert "zhurmë" not in translators_page(translator_client, asked)
