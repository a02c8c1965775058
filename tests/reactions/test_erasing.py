"""A person who asks is erased; what the law keeps is kept without them; who said STOP is not written to again."""

from __future__ import annotations

import dataclasses
import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from commonbeat.alerts import index
from commonbeat.alerts.models import Subscription
from commonbeat.intake.actions import expect_answer
from commonbeat.intake.models import Session
from commonbeat.journal.models import Entry
from commonbeat.media.actions import keep_photo
from commonbeat.media.models import Photo
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import enqueue, lease_batch, receive, record_sent, stop_contact, understand_batch
from commonbeat.messaging.models import Contact, Erasure, Inbound, Outbound
from commonbeat.people.models import User
from commonbeat.reactions.due import do_due
from commonbeat.reactions.erasing import (
    erase_after_reply,
    erase_contact,
    erase_report,
    finish_erasures,
    what_goes,
)
from commonbeat.reports.actions.dialogue import answer_desk, ask_reporter
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.retention import end_hold, place_hold
from commonbeat.reports.actions.work import add_note, move_report
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.models import LegalHold, Message, Publication, Report
from tests import make
from tests.alerts.going_out import subscriber
from tests.make import NOW

pytestmark = pytest.mark.django_db
NUMBER = "+38344777123"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a data folder that holds this test's files only."""
    monkeypatch.setattr(settings, "COMMONBEAT", dataclasses.replace(settings.COMMONBEAT, data_dir=tmp_path))
    return tmp_path


@pytest.fixture
def contact(unit: object) -> Contact:
    """Give somebody who has written."""
    return make.make_contact(NUMBER)


def files(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "media").rglob("*"))


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((80, 60), 90).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def test_everything_of_a_person_goes(contact: Contact, officer: User, folder: Path) -> None:
    message = contract.Inbound(provider_id="1", sender=NUMBER, text="The lamp is dark")
    receive(channel="demo_sms", message=message, now=NOW)
    understand_batch(lambda who, said, now: ["Thank you"], NOW)
    photo = keep_photo(data=picture(), now=NOW)
    report = make.make_report(contact=contact, photo_ids=[photo.pk])
    add_note(report_id=report.pk, text="He lives there", actor=officer, now=NOW)
    expect_answer(contact=contact, report_id=report.pk, now=NOW)
    goes = what_goes(contact.pk)
    assert (goes.messages, goes.reports, goes.held, goes.lists) == (2, 1, 0, 0)
    erase_contact(contact_id=contact.pk, now=NOW)
    for table in (Contact, Report, Message, Outbound, Session, Photo, Erasure):
        assert not table.objects.exists(), table
    assert files(folder) == 0
    row = Inbound.objects.get()
    assert bytes(row.body_sealed) == b"" and row.contact_id is None
    # A gateway that repeats itself does not bring the message back.
    assert not receive(channel="demo_sms", message=message, now=NOW)
    entry = Entry.objects.get(kind="messaging.erased")
    assert (entry.subject_id, entry.data) == (contact.pk, {})
    assert make.make_contact(NUMBER).handle != contact.handle


def test_who_said_stop_and_is_erased_is_not_written_to_again(contact: Contact) -> None:
    stop_contact(contact=contact, now=NOW)
    erase_contact(contact_id=contact.pk, now=NOW)
    again = make.make_contact(NUMBER)
    assert again.handle != contact.handle and again.stopped_at == NOW
    assert enqueue(contact=again, text="News", idempotency_key="k", now=NOW) is None


def test_who_is_blocked_cannot_get_in_by_being_erased(contact: Contact) -> None:
    Contact.objects.filter(pk=contact.pk).update(blocked_at=NOW, blocked_reason="Threats")
    erase_contact(contact_id=contact.pk, now=NOW)
    again = make.make_contact(NUMBER)
    assert again.blocked_at == NOW and again.blocked_reason == ""


def test_the_answer_goes_out_before_the_person_is_forgotten(contact: Contact) -> None:
    make.make_report(contact=contact)
    erase_after_reply(contact_id=contact.pk, now=NOW)
    erase_after_reply(contact_id=contact.pk, now=NOW)
    enqueue(contact=contact, text="You are forgotten", idempotency_key="bye", now=NOW)
    assert finish_erasures(NOW) == 0 and Contact.objects.exists()
    (leased,) = lease_batch(channel=contact.channel, limit=5, now=NOW)
    record_sent(outbound_id=leased.id, provider_id="p", now=NOW)
    do_due(NOW)
    assert not Contact.objects.exists() and not Report.objects.exists()
    assert Entry.objects.filter(kind="messaging.erasure_asked").count() == 1


def test_an_answer_that_cannot_be_sent_delays_by_a_day_at_most(contact: Contact) -> None:
    erase_after_reply(contact_id=contact.pk, now=NOW)
    enqueue(contact=contact, text="Bye", idempotency_key="bye", now=NOW, expires_in=timedelta(days=9))
    assert finish_erasures(NOW + timedelta(hours=23)) == 0
    assert finish_erasures(NOW + timedelta(hours=24)) == 1
    assert not Contact.objects.exists()


def test_what_is_sent_after_the_wish_stays_without_its_sender(contact: Contact) -> None:
    make.make_report(contact=contact)
    erase_after_reply(contact_id=contact.pk, now=NOW)
    later = make.make_report(contact=contact, text="Help, now", now=NOW + timedelta(seconds=20))
    assert finish_erasures(NOW + timedelta(seconds=40)) == 1
    kept = Report.objects.get()
    assert kept.pk == later.pk and kept.contact_id is None and kept.text == "Help, now"


def test_reports_may_stay_for_the_desk_without_the_person(contact: Contact) -> None:
    report = make.make_report(contact=contact, text="A robbery")
    erase_contact(contact_id=contact.pk, now=NOW, texts=False, withdraw=False)
    report.refresh_from_db()
    assert report.text == "A robbery" and report.contact_id is None and not report.contact_confirmed


def test_what_was_published_may_stay_or_go(contact: Contact, officer: User) -> None:
    reports = [make.make_report(contact=contact) for _ in range(2)]
    for report in reports:
        publish_report(report_id=report.pk, title="A lamp", text="It is dark", actor=officer, now=NOW)
    erase_contact(contact_id=contact.pk, now=NOW, withdraw=False)
    assert {one.state for one in Publication.objects.all()} == {"public"}
    assert {one.text for one in Report.objects.all()} == {""}
    erase_report(report_id=reports[0].pk, now=NOW)
    assert Publication.objects.get(report=reports[0]).state == "withdrawn"
    assert Publication.objects.get(report=reports[1]).state == "public"


def test_a_number_that_a_stranger_typed_takes_no_report_along(contact: Contact) -> None:
    report = make.make_report(contact=contact, contact_confirmed=False, text="Somebody else's words")
    erase_contact(contact_id=contact.pk, now=NOW)
    report.refresh_from_db()
    assert report.text == "Somebody else's words" and report.contact_id is None


def test_a_hold_keeps_the_report_and_not_the_person(contact: Contact, supervisor: User) -> None:
    report = make.make_report(contact=contact, text="I saw the knife")
    place_hold(report_id=report.pk, reason="Case 12/26", until=NOW.date(), actor=supervisor, now=NOW)
    erase_contact(contact_id=contact.pk, now=NOW)
    report.refresh_from_db()
    assert report.text == "I saw the knife" and report.contact_id is None
    assert not Contact.objects.exists()
    # Its day over, the wish is carried out by itself.
    do_due(NOW + timedelta(days=1))
    assert not Report.objects.exists() and not LegalHold.objects.exists()


def test_a_hold_does_not_keep_a_public_copy_public(contact: Contact, supervisor: User) -> None:
    report = make.make_report(contact=contact)
    publish_report(report_id=report.pk, title="A lamp", text="It is dark", actor=supervisor, now=NOW)
    place_hold(report_id=report.pk, reason="Case", until=NOW.date(), actor=supervisor, now=NOW)
    erase_contact(contact_id=contact.pk, now=NOW)
    report.refresh_from_db()
    assert report.publication.state == "withdrawn" and report.state == "triaged" and report.text


def test_lifting_a_hold_carries_out_the_wish_and_only_the_wish(contact: Contact, supervisor: User) -> None:
    asked, not_asked = make.make_report(contact=contact), make.make_report()
    for report in (asked, not_asked):
        place_hold(report_id=report.pk, reason="Case", until=NOW.date(), actor=supervisor, now=NOW)
    erase_contact(contact_id=contact.pk, now=NOW)
    for report in (asked, not_asked):
        assert end_hold(report_id=report.pk, actor=supervisor, now=NOW)
    assert list(Report.objects.values_list("pk", flat=True)) == [not_asked.pk]


@pytest.mark.parametrize(("reason", "days"), [("", 1), ("Case", -1), ("Case", 365 * 6), ("Case", None)])
def test_a_hold_has_a_reason_and_a_day_within_reach(
    reason: str, days: int | None, supervisor: User, contact: Contact
) -> None:
    report = make.make_report(contact=contact)
    until = None if days is None else NOW.date() + timedelta(days=days)
    with pytest.raises(ReportError):
        place_hold(report_id=report.pk, reason=reason, until=until, actor=supervisor, now=NOW)
    assert not LegalHold.objects.exists()


def test_an_officer_holds_and_lifts_nothing(officer: User, supervisor: User, contact: Contact) -> None:
    report = make.make_report(contact=contact)
    with pytest.raises(NotAllowed):
        place_hold(report_id=report.pk, reason="Case", until=NOW.date(), actor=officer, now=NOW)
    place_hold(report_id=report.pk, reason="Case", until=NOW.date(), actor=supervisor, now=NOW)
    with pytest.raises(NotAllowed):
        end_hold(report_id=report.pk, actor=officer, now=NOW)


def test_nobody_works_on_what_is_only_a_public_copy(contact: Contact, officer: User) -> None:
    report = make.make_report(contact=contact)
    publish_report(report_id=report.pk, title="A lamp", text="It is dark", actor=officer, now=NOW)
    erase_contact(contact_id=contact.pk, now=NOW, withdraw=False)
    with pytest.raises(ReportError, match="Only the public copy"):
        publish_report(report_id=report.pk, title="New", text="Words", actor=officer, now=NOW)
    with pytest.raises(ReportError, match="Only the public copy"):
        ask_reporter(report_id=report.pk, text="Where?", actor=officer, now=NOW)
    with pytest.raises(ReportError, match="has been deleted"):
        answer_desk(report_id=report.pk, text="It was", client_key="k", now=NOW)
    assert move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW).state == "triaged"


def test_a_published_picture_stays_without_its_original(contact: Contact, officer: User, folder: Path) -> None:
    shown, unseen = (keep_photo(data=picture(), now=NOW) for _ in range(2))
    report = make.make_report(contact=contact, photo_ids=[shown.pk, unseen.pk])
    publish_report(report_id=report.pk, title="A", text="Dark", photo_ids=[shown.pk], actor=officer, now=NOW)
    assert files(folder) == 6
    erase_contact(contact_id=contact.pk, now=NOW, withdraw=False)
    left = Photo.objects.get()
    assert left.pk == shown.pk and left.is_public and left.original_token != shown.original_token
    assert files(folder) == 2


@pytest.mark.parametrize("breaks_at", ["erase_messages", "erase_address", "leave_contacts"])
def test_an_erasure_that_was_broken_off_is_finished_by_the_worker(
    breaks_at: str, contact: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_report(contact=contact)

    def stop(**_: object) -> int:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(f"commonbeat.reactions.erasing.{breaks_at}", stop)
        with pytest.raises(OSError):
            erase_contact(contact_id=contact.pk, now=NOW)
    assert Contact.objects.exists()
    do_due(NOW)
    assert not Contact.objects.exists() and not Report.objects.exists()


def test_a_reference_erases_the_person_only_if_nothing_else_needs_them(contact: Contact) -> None:
    first, second = make.make_report(contact=contact), make.make_report(contact=contact)
    assert not erase_report(report_id=first.pk, now=NOW).contact_erased
    assert Contact.objects.exists() and list(Report.objects.all()) == [second]
    assert erase_report(report_id=second.pk, now=NOW).contact_erased
    assert not Contact.objects.exists()
    assert not erase_report(report_id=second.pk, now=NOW).contact_erased


def test_where_alerts_were_wanted_leaves_the_memory_of_processes() -> None:
    contact, other = subscriber(), subscriber()
    assert contact.pk in index.current().subscriptions.contacts
    erase_contact(contact_id=contact.pk, now=NOW)
    assert Subscription.objects.get().contact_id == other.pk
    assert list(index.current().subscriptions.contacts) == [other.pk]
