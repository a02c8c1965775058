"""Who claims to report for others and may not, and who would learn of it and must not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.foundation.ids import format_reference
from commonbeat.intake.state import Asks
from commonbeat.journal.models import Entry
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit, User
from commonbeat.reactions.inbound import handle
from commonbeat.reports.actions.proxies import Enrolment, end_proxy, enrol_proxy
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.models import Report
from commonbeat.reports.proxy_models import Consent, OnBehalf, Proxy
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone
from tests.intake.test_proxies import NUMBER, behalf, enrolled, liaison, react
from tests.intake.test_transcripts import sentence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: Unit) -> None:
    install_ready_made(make.NOW)
    make.make_place(names={"en": "Old Bridge"}, latitude=42.381, longitude=20.43)


def test_a_stranger_cannot_claim_to_be_a_proxy(unit: Unit) -> None:
    stranger = Phone("+38344999888")
    assert stranger.say("BEHALF dump at the Old Bridge") != []
    assert stranger.say("RESIGN") != []
    assert not OnBehalf.objects.exists()
    assert Report.objects.get().text == "BEHALF dump at the Old Bridge"
    assert stranger.contact.session.state.get("asks") != Asks.CONSENT


def test_who_was_enrolled_counts_only_after_yes(unit: Unit) -> None:
    phone = enrolled(unit)
    phone.say("BEHALF dump at the Old Bridge")
    assert not OnBehalf.objects.exists()
    assert Proxy.objects.get().accepted_at is None


@pytest.mark.parametrize("end", ["staff", "run out", "word"])
def test_an_ended_proxy_is_a_resident_again(end: str, unit: Unit, supervisor: User) -> None:
    phone = liaison(unit)
    match end:
        case "staff":
            end_proxy(proxy_id=Proxy.objects.get().pk, actor=supervisor, now=make.NOW)
            react()
            assert phone.new() == [sentence("ended()", "en")]
        case "run out":
            Proxy.objects.update(until=(make.NOW - timedelta(days=1)).date())
        case "word":
            phone.say("resign")
    phone.say("BEHALF dump at the Old Bridge")
    assert not OnBehalf.objects.exists()


def test_a_forged_letter_is_no_proxy(unit: Unit) -> None:
    phone = liaison(unit)
    contact = Contact.objects.get()
    handle(contact, Inbound("letter", NUMBER, "BEHALF dump at the Old Bridge", is_proven=False), phone.now)
    assert not OnBehalf.objects.exists()


def test_consent_is_given_for_ones_own_reports_alone(unit: Unit) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    other = Phone("+38344999888")
    row = Enrolment(other.number, "elder", "Lower valley", unit.pk)
    enrol_proxy(row=row, actor=None, now=make.NOW)
    other.say("yes")
    for text in ("5", f"{format_reference(Report.objects.get().reference)} the same", "BEHALF", "5"):
        other.say(text)
    assert behalf().consent == Consent.ASKED
    assert Report.objects.order_by("id")[0].text == "dump at the Old Bridge"


def test_an_invitation_is_sent_three_times_a_day_at_most(unit: Unit, supervisor: User) -> None:
    phone = enrolled(unit)
    for _ in range(5):
        end_proxy(proxy_id=Proxy.objects.get().pk, actor=supervisor, now=make.NOW)
        enrol_proxy(row=Enrolment(NUMBER, "liaison", "Upper valley", unit.pk), actor=supervisor, now=make.NOW)
    react()
    assert len(phone.new()) == 3
    enrol_proxy(row=Enrolment(NUMBER, "liaison", "Upper valley", unit.pk), actor=supervisor, now=make.NOW)
    react()
    assert phone.new() == []


def test_nothing_public_tells_of_proxies(unit: Unit, officer: User, client: Client) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    phone.say("4 her husband is at home")
    report = Report.objects.get()
    now = clock.now()
    copy = publish_report(report_id=report.pk, title="Waste", text="Waste", actor=officer, now=now)
    pages = [
        client.get(reverse("public:home")),
        client.get("/reports/"),
        client.get(f"/reports/{copy.code}/"),
        client.get(reverse("open:reports_rss")),
        client.get(reverse("open:reports_geojson")),
        client.post(reverse("public:lookup"), {"reference": report.reference}, follow=True),
    ]
    assert sum(page.status_code == 200 for page in pages) == len(pages)
    for page in pages:
        text = (b"".join(page.streaming_content) if page.streaming else page.content).decode().lower()
        for word in ("liaison", "upper valley", "husband", "behalf", "consent"):
            assert word not in text, (page.request["PATH_INFO"], word)


def test_a_thief_of_the_database_finds_no_number(unit: Unit) -> None:
    liaison(unit)
    rows = [str(row) for row in (*Proxy.objects.values(), *OnBehalf.objects.values(), *Entry.objects.values())]
    assert NUMBER[4:] not in "".join(rows)


@pytest.mark.parametrize("who", ["outsider", "officer", "moderator", "overseer", "administrator"])
def test_only_supervisors_enrol_and_end(who: str, unit: Unit, request: pytest.FixtureRequest) -> None:
    liaison(unit)
    proxy = Proxy.objects.get()
    browser = make.signed_in(request.getfixturevalue(who))
    told = {"who": "+38344000111", "role": "elder", "community": "Lower valley", "unit": unit.pk}
    answers = [
        browser.get("/desk/proxies/"),
        browser.post("/desk/proxies/", told),
        browser.post(f"/desk/proxies/{proxy.pk}/end/"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert all("Upper valley" not in answer.content.decode() for answer in answers)
    proxy.refresh_from_db()
    assert proxy.ended_at is None and Proxy.objects.count() == 1


def test_another_unit_neither_sees_nor_records_consent(unit: Unit, far_officer_client: Client) -> None:
    phone = liaison(unit)
    phone.say("BEHALF dump at the Old Bridge")
    report = Report.objects.get()
    for answer in (
        far_officer_client.get(f"/desk/reports/{report.pk}/"),
        far_officer_client.post(f"/desk/reports/{report.pk}/consent/", {"consent": "refused"}),
    ):
        assert answer.status_code == 404
        assert "Upper valley" not in answer.content.decode()
    assert (
        f"/desk/reports/{report.pk}/" not in far_officer_client.get("/desk/reports/?tab=all&others=1").content.decode()
    )
    assert behalf().consent == Consent.ASKED
