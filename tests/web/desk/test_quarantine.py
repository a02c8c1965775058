"""The quarantine desk and the page of a sender: who reads what, who decides, and what a decision does."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import block_contact, understand_batch
from commonbeat.messaging.models import Contact, Inbound, Outbound
from commonbeat.messaging.trust import Level, limit_of
from commonbeat.people.models import Unit, User
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.run import react_batch
from commonbeat.reactions.trust import DOOR
from commonbeat.reports.actions.work import verify_report
from commonbeat.reports.models import Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.web.desk.flooding import WORDS, flood, held

pytestmark = pytest.mark.django_db
QUARANTINE, BULK = "/desk/quarantine/", "/desk/quarantine/decide/"


def page_of(contact: Contact, verb: str = "") -> str:
    """Give the address of a sender's page, or of an act on it."""
    if verb:
        return reverse("desk:contact_decide", kwargs={"handle": contact.handle, "verb": verb})
    return reverse("desk:contact", kwargs={"handle": contact.handle})


@pytest.fixture
def contact(unit: Unit) -> Contact:
    install_ready_made(clock.now())
    return make.make_contact("+38344123456", now=clock.now())


@pytest.fixture
def report(contact: Contact, unit: Unit) -> Report:
    return make.make_report(contact=contact, unit=unit, channel="demo_sms", now=clock.now())


@pytest.fixture
def far_report(contact: Contact, far_unit: Unit) -> Report:
    return make.make_report(contact=contact, unit=far_unit, text="Of the far quarter", now=clock.now())


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_waits_is_shown_with_handle_and_level_and_no_number(
    contact: Contact, report: Report, officer_client: Client, officer: User
) -> None:
    flood(contact, 5)
    text = body(officer_client, QUARANTINE)
    assert contact.handle in text and "5 messages wait" in text and "2 more messages" in text
    assert text.count(WORDS) == 3 and "Unknown" in text
    assert "38344123456" not in text.replace(" ", "")
    officer_client.get(QUARANTINE)
    looked = Entry.objects.filter(kind="messaging.quarantine_looked", actor_id=officer.pk)
    assert [entry.subject_id for entry in looked] == [officer.unit_id]


@pytest.mark.parametrize("who", ["outsider", "moderator", "overseer", "administrator"])
def test_others_see_and_change_nothing(who: str, contact: Contact, report: Report, request) -> None:
    flood(contact)
    client = make.signed_in(request.getfixturevalue(who))
    answers = [client.get(QUARANTINE), client.get(page_of(contact))]
    answers += [client.post(BULK, {"to": to, "sender": contact.pk, "reason": "x"}) for to in ("let-in", "block")]
    answers += [client.post(page_of(contact, "level"), {"level": "trusted", "reason": "x"})]
    for answer in answers:
        assert answer.status_code == 403
        assert WORDS not in answer.content.decode() and contact.handle not in answer.content.decode()
    contact.refresh_from_db()
    assert (held(), contact.blocked_at, contact.trust_set) == (2, None, "")


def test_another_unit_neither_reads_nor_decides(
    contact: Contact, report: Report, far_officer: User, far_officer_client: Client
) -> None:
    flood(contact)
    assert WORDS not in body(far_officer_client, QUARANTINE)
    assert far_officer_client.get(page_of(contact)).status_code == 404
    for to in ("let-in", "discard", "block"):
        answer = far_officer_client.post(BULK, {"to": to, "sender": contact.pk, "reason": "x"})
        assert contact.handle not in answer.content.decode()
    assert far_officer_client.post(page_of(contact, "block"), {"why": "x"}).status_code == 404
    far_officer_client.post(BULK, {"step": "undo", "sender": f"{contact.pk}:block"})
    contact.refresh_from_db()
    assert (held(), contact.blocked_at) == (2, None)


def test_who_reports_to_two_desks_is_read_by_supervisors_alone(
    contact: Contact, report: Report, far_report: Report, officer_client: Client, supervisor_client: Client
) -> None:
    flood(contact)
    assert WORDS not in body(officer_client, QUARANTINE)
    text = body(officer_client, page_of(contact))
    assert "A supervisor can read them." in text and WORDS not in text
    assert report.text[:20] in text and "Of the far quarter" not in text
    for verb, data in (("let-in", {}), ("block", {"why": "x"}), ("level", {"level": "trusted", "reason": "x"})):
        answer = officer_client.post(page_of(contact, verb), data)
        assert answer.status_code == 403 and "a supervisor decides" in answer.content.decode()
    assert WORDS in body(supervisor_client, QUARANTINE)
    assert WORDS in body(supervisor_client, page_of(contact))


def test_who_has_reported_nothing_is_the_fallback_desks(
    contact: Contact, officer_client: Client, far_officer_client: Client
) -> None:
    flood(contact)
    Report.objects.all().delete()
    assert WORDS in body(officer_client, QUARANTINE)
    assert WORDS not in body(far_officer_client, QUARANTINE)


def test_a_number_that_somebody_typed_opens_no_page(
    contact: Contact, far_unit: Unit, far_officer_client: Client
) -> None:
    make.make_report(contact=contact, unit=far_unit, contact_confirmed=False, now=clock.now())
    assert far_officer_client.get(page_of(contact)).status_code == 404


def test_several_senders_at_once_with_undo(
    contact: Contact, report: Report, unit: Unit, officer_client: Client
) -> None:
    other = make.make_contact("+38344999888", now=clock.now())
    make.make_report(contact=other, unit=unit, now=clock.now())
    for each in (contact, other):
        flood(each)
    answer = officer_client.post(BULK, {"to": "discard", "sender": [contact.pk, other.pk]})
    text = answer.content.decode()
    assert "Discarded: 4 messages of 2 senders." in text and "Left as they were" not in text and held() == 0
    marks = re.findall(r'name="sender" value="([^"]+)"', text)
    assert len(marks) == 2
    text = officer_client.post(BULK, {"step": "undo", "sender": marks}).content.decode()
    assert "Taken back: 4 messages of 2 senders." in text and "2 messages wait again." in text
    assert held() == 4
    text = officer_client.post(BULK, {"to": "let-in", "sender": [contact.pk, other.pk]}).content.decode()
    while understand_batch(handle, clock.now(), limit=1_000, door=DOOR):
        pass
    assert held() == 0
    marks = re.findall(r'name="sender" value="([^"]+)"', text)
    undone = officer_client.post(BULK, {"step": "undo", "sender": marks})
    assert undone.status_code == 409 and "have been understood" in undone.content.decode()


def test_blocking_from_the_quarantine_needs_a_reason_and_can_be_taken_back(
    contact: Contact, report: Report, officer_client: Client
) -> None:
    flood(contact)
    refused = officer_client.post(BULK, {"to": "block", "sender": contact.pk})
    assert refused.status_code == 409 and "Say in a few words why" in refused.content.decode()
    text = officer_client.post(BULK, {"to": "block", "sender": contact.pk, "reason": "Threats."}).content.decode()
    contact.refresh_from_db()
    assert contact.blocked_reason == "Threats." and held() == 0
    mark = re.findall(r'name="sender" value="([^"]+)"', text)
    officer_client.post(BULK, {"step": "undo", "sender": mark})
    contact.refresh_from_db()
    assert contact.blocked_at is None and held() == 2


@pytest.mark.parametrize(
    "data",
    [
        {"to": "discard", "sender": "nonsense"},
        {"to": "discard", "sender": "99999999999999999999"},
        {"step": "undo", "sender": "1:99999999999999999999999"},
        {"step": "undo", "sender": "1:²"},
        {"step": "undo", "sender": ":"},
    ],
)
def test_nonsense_changes_nothing(
    data: dict[str, str], contact: Contact, report: Report, officer_client: Client
) -> None:
    flood(contact)
    answer = officer_client.post(BULK, {k: v.replace("1:", f"{contact.pk}:") for k, v in data.items()})
    assert answer.status_code in (200, 409)
    assert held() == 2
    assert officer_client.post(BULK, {"to": "publish"}).status_code == 404
    assert officer_client.post(BULK, {"to": "discard", "sender": list(range(1, 300))}).status_code == 400
    assert officer_client.post(page_of(contact, "publish")).status_code == 404
    assert (
        officer_client.post(page_of(contact, "let-in"), {"message": ["x", "99999999999999999999"]}).status_code == 302
    )
    assert held() == 2
    assert officer_client.get("/desk/contacts/%00/").status_code == 404


def test_one_message_is_let_in_and_one_discarded(contact: Contact, report: Report, officer_client: Client) -> None:
    flood(contact, 3)
    first, second, _third = Inbound.objects.filter(state="held").order_by("id").values_list("pk", flat=True)
    assert (
        "1 message is let in."
        in officer_client.post(page_of(contact, "let-in"), {"message": first}, follow=True).content.decode()
    )
    officer_client.post(page_of(contact, "discard"), {"message": second})
    found = dict(Inbound.objects.filter(pk__in=[first, second]).values_list("pk", "state"))
    assert found == {first: "new", second: "discarded"} and held() == 1


def test_the_level_is_set_with_a_reason_and_shown_with_what_earned_it(
    contact: Contact, report: Report, officer: User, officer_client: Client
) -> None:
    verify_report(report_id=report.pk, evidence="Seen.", independent_sources=1, actor=officer, now=clock.now())
    react_batch(clock.now())
    text = body(officer_client, page_of(contact))
    assert "earned by reports" in text and f"Report {report.pk}" in text and "+1" in text
    refused = officer_client.post(page_of(contact, "level"), {"level": "trusted", "reason": ""})
    assert refused.status_code == 400 and "Say in a few words why" in refused.content.decode()
    text = officer_client.post(
        page_of(contact, "level"), {"level": "trusted", "reason": "Met <b>her</b>."}, follow=True
    ).content.decode()
    assert "the reports have earned: Known" in text and "Met &lt;b&gt;her&lt;/b&gt;." in text
    assert "from “as its reports earn” to “Trusted”" in text
    entry = Entry.objects.get(kind="messaging.trust_set")
    assert entry.data == {"level": "trusted", "level_before": "earned"} and entry.actor_id == officer.pk
    listed = body(officer_client, "/desk/reports/?tab=all")
    assert "Trusted sender" in listed


def test_marks_from_reports_of_other_desks_are_not_listed(
    contact: Contact, report: Report, far_report: Report, supervisor: User, officer_client: Client,
    supervisor_client: Client,
) -> None:  # fmt: skip
    verify_report(report_id=far_report.pk, evidence="Seen.", independent_sources=1, actor=supervisor, now=clock.now())
    react_batch(clock.now())
    assert f"Report {far_report.pk}" not in body(officer_client, page_of(contact))
    assert f"Report {far_report.pk}" in body(supervisor_client, page_of(contact))


def test_the_desk_says_plainly_that_a_sender_is_blocked(
    contact: Contact, report: Report, officer: User, officer_client: Client
) -> None:
    assert "badge-expired" in body(officer_client, f"/desk/reports/{report.pk}/")
    officer_client.post(page_of(contact, "block"), {"why": "Threats."})
    text = body(officer_client, f"/desk/reports/{report.pk}/")
    assert "The sender is blocked: no question and no message is sent." in text
    asked = officer_client.post(f"/desk/reports/{report.pk}/ask/", {"ask": "Which lamp?"}, follow=True)
    assert "The sender is blocked, so nothing was sent." in asked.content.decode()
    react_batch(clock.now())
    assert not Outbound.objects.filter(about_id=report.pk).exists()
    assert "Blocked sender" in body(officer_client, "/desk/reports/?tab=all")
    text = body(officer_client, page_of(contact))
    assert "This sender is blocked" in text and "Threats." in text
    officer_client.post(page_of(contact, "unblock"))
    contact.refresh_from_db()
    assert contact.blocked_at is None


def test_an_unconfirmed_number_shows_no_level(contact: Contact, unit: Unit, officer_client: Client) -> None:
    report = make.make_report(contact=contact, unit=unit, contact_confirmed=False, now=clock.now())
    Contact.objects.update(trust_set="doubtful")
    assert "About this sender" not in body(officer_client, f"/desk/reports/{report.pk}/")
    assert "Doubtful sender" not in body(officer_client, "/desk/reports/?tab=all")


@pytest.mark.parametrize(("how", "points"), [("page", -2), ("list", -2), ("plain", 0)])
def test_spam_is_said_on_the_page_or_in_the_list_and_undone_there(
    how: str, points: int, contact: Contact, report: Report, officer_client: Client
) -> None:
    def now_at() -> int:
        react_batch(clock.now())
        contact.refresh_from_db()
        return contact.trust_points

    if how == "list":
        officer_client.post("/desk/reports/bulk/", {"to": "spam", "report": report.pk})
    else:
        data = {"to": "rejected", "reason": "No."} | ({"spam": "on"} if how == "page" else {})
        officer_client.post(f"/desk/reports/{report.pk}/move/", data)
    assert now_at() == points
    report.refresh_from_db()
    assert report.state == "rejected"
    officer_client.post("/desk/reports/bulk/", {"step": "undo", "report": f"{report.pk}:new"})
    assert now_at() == 0


def test_the_number_of_queries_does_not_grow(
    unit: Unit, contact: Contact, report: Report, officer_client: Client
) -> None:
    def queries(address: str) -> int:
        officer_client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert officer_client.get(address).status_code == 200
        return len(seen)

    flood(contact)
    before = (queries(QUARANTINE), queries(page_of(contact)), queries("/desk/reports/?tab=all"))
    for n in range(6):
        other = make.make_contact(f"+3834455500{n}", now=clock.now())
        make.make_report(contact=other, unit=unit, now=clock.now())
        make.make_report(contact=contact, unit=unit, now=clock.now())
        flood(other, 4)
    flood(contact, 10)
    after = (queries(QUARANTINE), queries(page_of(contact)), queries("/desk/reports/?tab=all"))
    assert after == before


def test_the_blocked_are_counted_on_their_page(
    contact: Contact, report: Report, officer: User, officer_client: Client
) -> None:
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=clock.now())
    flood(contact, 1)
    count = limit_of(Level.UNKNOWN).short + 1
    assert f"{count} messages are put aside unread." in body(officer_client, page_of(contact))
    assert WORDS not in body(officer_client, page_of(contact))
