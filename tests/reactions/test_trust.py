"""What reports earn their senders, what a flood leaves behind, and that trust publishes nothing."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.intake.state import Asks
from commonbeat.messaging.actions import block_contact, let_in, receive, set_level, understand_batch
from commonbeat.messaging.actions.door import WORDS_LIMIT
from commonbeat.messaging.channel import Inbound as Message
from commonbeat.messaging.models import Contact, Inbound, Outbound, TrustMark
from commonbeat.messaging.queries import find_contact, text_of
from commonbeat.messaging.trust import Level, limit_of
from commonbeat.people.models import Unit, User
from commonbeat.reactions.dialling import dial
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.run import react_batch
from commonbeat.reactions.trust import DOOR, weigh_as_it_stands
from commonbeat.reports.actions.contacts import confirm_contact
from commonbeat.reports.actions.dialogue import ask_reporter
from commonbeat.reports.actions.expected import Enrolment, enrol
from commonbeat.reports.actions.work import move_report, verify_report, withdraw_verification
from commonbeat.reports.models import Publication, Report
from commonbeat.topics.queries import topic_by_code
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.make import NOW
from tests.reactions.handset import CHANNEL, Handset

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "+38344123456", "+38344999888"
FLOOD = 500
_ids = itertools.count(1)


@pytest.fixture
def contact(unit: Unit) -> Contact:
    return make.make_contact(NUMBER)


@pytest.fixture
def report(contact: Contact, unit: Unit) -> Report:
    return make.make_report(contact=contact, unit=unit, channel="demo_sms")


def say(*texts: str, sender: str = NUMBER, now=NOW) -> None:
    for text in texts:
        message = Message(provider_id=f"t-{next(_ids)}", sender=sender, text=text)
        receive(channel="demo_sms", message=message, now=now)


def understand(now=NOW) -> None:
    while understand_batch(handle, now, limit=1_000, door=DOOR):
        pass


def react() -> None:
    while react_batch(NOW):
        pass


def points(contact: Contact) -> int:
    react()
    contact.refresh_from_db()
    return contact.trust_points


def verify(report: Report, actor: User) -> None:
    verify_report(report_id=report.pk, evidence="Seen.", independent_sources=1, actor=actor, now=NOW)


def test_verified_earns_and_its_undoing_takes_back(contact: Contact, report: Report, officer: User) -> None:
    verify(report, officer)
    verify(report, officer)
    assert points(contact) == 1
    withdraw_verification(report_id=report.pk, actor=officer, now=NOW)
    assert points(contact) == 0
    verify(report, officer)
    assert points(contact) == 1 and contact.level is Level.KNOWN
    assert TrustMark.objects.count() == 1


def test_what_was_verified_before_levels_were_known_counts_once_it_is_verified_again(
    contact: Contact, report: Report, officer: User
) -> None:
    Report.objects.filter(pk=report.pk).update(verified_at=NOW)
    react()
    contact.refresh_from_db()
    assert contact.trust_points == 0
    withdraw_verification(report_id=report.pk, actor=officer, now=NOW)
    verify(report, officer)
    assert points(contact) == 1 and TrustMark.objects.count() == 1


def test_only_what_is_called_spam_costs(contact: Contact, report: Report, officer: User) -> None:
    def reject(is_spam: bool) -> int:
        move_report(report_id=report.pk, to_state="rejected", reason="No.", actor=officer, now=NOW, is_spam=is_spam)
        return points(contact)

    assert reject(is_spam=False) == 0
    move_report(report_id=report.pk, to_state="new", actor=officer, now=NOW)
    assert reject(is_spam=True) == -2 and contact.level is Level.DOUBTFUL
    move_report(report_id=report.pk, to_state="new", actor=officer, now=NOW)
    assert points(contact) == 0
    # What was called spam once is not, when it is turned down for another reason later.
    assert reject(is_spam=False) == 0


def test_spam_is_a_word_about_what_is_not_taken_up_alone(contact: Contact, report: Report, officer: User) -> None:
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW, is_spam=True)
    assert points(contact) == 0


def test_the_journal_read_twice_weighs_once(contact: Contact, report: Report, officer: User) -> None:
    verify(report, officer)
    react()
    for _ in range(3):
        weigh_as_it_stands(report.pk, now=NOW)
    assert points(contact) == 1


def test_a_number_that_a_stranger_typed_earns_nothing_until_its_owner_says_yes(
    contact: Contact, unit: Unit, officer: User
) -> None:
    report = make.make_report(contact=contact, unit=unit, contact_confirmed=False)
    move_report(report_id=report.pk, to_state="rejected", reason="No.", actor=officer, now=NOW, is_spam=True)
    assert points(contact) == 0
    confirm_contact(contact_id=contact.pk, since=NOW - timedelta(days=1), now=NOW)
    assert points(contact) == -2


@pytest.mark.parametrize(
    ("word", "is_stopped"), [("STOP", True), ("ndal", True), ("توقف", True), ("START", False), ("HELP", False)]
)
def test_a_word_is_heard_in_a_flood_and_what_waits_waits_on(unit: Unit, word: str, is_stopped: bool) -> None:
    install_ready_made(NOW)
    say(*(f"NEW there is a big heap of waste number {n} behind the school" for n in range(30)))
    understand()
    held = Inbound.objects.filter(state="held").count()
    before = Outbound.objects.count()
    say(word)
    understand()
    contact = find_contact(kind="phone", address=NUMBER)
    assert contact is not None and (contact.stopped_at is not None) is is_stopped
    assert Inbound.objects.filter(state="held").count() == held == 30 - limit_of(Level.UNKNOWN).short
    assert Outbound.objects.count() == before + 1
    say("NEW and one more heap behind the school")
    understand()
    assert Inbound.objects.filter(state="held").count() == held + 1


def test_a_word_said_again_and_again_is_obeyed_each_time_and_answered_a_few_times(unit: Unit) -> None:
    say(*("STOP" if n % 2 else "START" for n in range(100)))
    understand()
    contact = find_contact(kind="phone", address=NUMBER)
    assert contact is not None and contact.stopped_at is not None
    assert not Inbound.objects.filter(state="held").exists()
    limit = limit_of(Level.UNKNOWN)
    assert Outbound.objects.count() <= limit.short + WORDS_LIMIT
    # Spread over a day as well.
    for hour in range(1, 4):
        later = NOW + timedelta(hours=hour)
        say(*("HELP" if n % 2 else "START" for n in range(40)), now=later)
        understand(later)
    assert Outbound.objects.count() <= limit.long + WORDS_LIMIT * 4


def test_help_that_only_claims_to_come_from_somebody_is_held_like_anything_else(unit: Unit) -> None:
    claims = (
        Message(provider_id=f"c-{n}", sender=NUMBER, text="HELP", is_proven=False)
        for n in range(2 * limit_of(Level.UNKNOWN).short)
    )
    for message in claims:
        receive(channel="demo_sms", message=message, now=NOW)
    understand()
    assert Inbound.objects.filter(state="held").exists()


def test_a_flood_leaves_the_limit_of_reports_and_loses_nothing(unit: Unit, officer: User) -> None:
    install_ready_made(NOW)
    say(*(f"NEW there is a big heap of waste number {n} behind the school" for n in range(FLOOD)))
    say("NEW the lamp at the old bridge is dark again", sender=OTHER)
    understand()
    limit = limit_of(Level.UNKNOWN).short
    flooder, other = (find_contact(kind="phone", address=number) for number in (NUMBER, OTHER))
    assert flooder is not None
    assert 0 < Report.objects.filter(contact=flooder).count() <= limit
    assert Report.objects.filter(contact=other).count() == 1
    held = Inbound.objects.filter(contact=flooder, state="held")
    assert held.count() == FLOOD - limit and not held.filter(body_sealed=b"").exists()
    notices = Outbound.objects.filter(contact=flooder, idempotency_key__startswith="held:")
    assert [text_of(row) for row in notices] == [
        "We have your messages. A person will look at them. In danger call 112."
    ]
    before = Report.objects.filter(contact=flooder).count()
    let_in(contact_id=flooder.pk, actor=officer, now=NOW)
    understand()
    assert Report.objects.filter(contact=flooder).count() == before + FLOOD - limit


def test_trust_publishes_nothing(contact: Contact, unit: Unit, officer: User, client: Client) -> None:
    install_ready_made(NOW)
    set_level(contact_id=contact.pk, level="trusted", reason="Met in person.", actor=officer, now=NOW)
    say("NEW there is a big heap of waste behind the school")
    understand()
    report = Report.objects.get(contact=contact)
    verify(report, officer)
    react()
    report.refresh_from_db()
    assert report.state == "new" and not Publication.objects.exists()
    publication = make.make_publication(report=report)
    for address in ("/", "/reports/", f"/reports/{publication.code}/", "/map/"):
        page = client.get(address, follow=True).content.decode().lower()
        assert contact.handle.lower() not in page and "trusted" not in page
        assert "met in person" not in page


def test_whoever_is_expected_has_more_room(unit: Unit, officer: User) -> None:
    install_ready_made(NOW)
    topic = topic_by_code("medicine-stock-out")
    assert topic is not None
    enrol(topic_id=topic.pk, rows=[Enrolment(phone=NUMBER, site="Clinic 12")], actor=None, now=NOW)
    say(*(f"STOCK insulin {n}" for n in range(60)))
    understand()
    assert not Inbound.objects.filter(state="held").exists()


def test_stop_of_a_blocked_sender_is_confirmed_in_words(contact: Contact, officer: User) -> None:
    install_ready_made(NOW)
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW - timedelta(minutes=1))
    say("Hello? Why does nobody answer me about the waste?", "STOP", "STOP", "START", "HELP")
    understand()
    contact.refresh_from_db()
    assert contact.stopped_at is not None
    assert [text_of(row) for row in Outbound.objects.all()] == [
        "You will get no more texts from us. Text START to change that."
    ]
    assert not Report.objects.exists()


def test_a_question_to_a_blocked_sender_is_not_sent_and_waits_for_no_answer(
    contact: Contact, report: Report, officer: User
) -> None:
    from commonbeat.intake.actions import load_session

    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    ask_reporter(report_id=report.pk, text="Which lamp?", actor=officer, now=NOW)
    react()
    assert not Outbound.objects.exists()
    assert load_session(contact=contact, now=NOW).asks is Asks.NOTHING


def test_a_blocked_caller_gets_a_screen_like_any_other_and_reports_nothing(contact: Contact, officer: User) -> None:
    install_ready_made(NOW)
    block_contact(contact_id=contact.pk, reason="Threats.", actor=officer, now=NOW)
    handset = Handset(number=NUMBER, now=clock.now())
    assert handset.dial().goes_on
    screen = handset.enter("There is a big heap of waste behind the school")
    assert not screen.goes_on and "block" not in screen.text.lower()
    assert not Report.objects.exists() and not Outbound.objects.exists()
    assert Inbound.objects.get(channel=CHANNEL).state == "blocked"
    assert dial is not None
