"""Reactions: told once per step, in the right language, whatever is repeated or fails."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import texts
from commonbeat.journal.actions import append, move_cursor
from commonbeat.journal.models import Entry
from commonbeat.journal.queries import cursor_position
from commonbeat.messaging.actions import set_language, stop_contact
from commonbeat.messaging.models import Outbound
from commonbeat.people.models import User
from commonbeat.reactions import run, sentences
from commonbeat.reactions.due import do_due
from commonbeat.reports import events
from commonbeat.reports.actions.dialogue import ask_reporter, tell_reporter
from commonbeat.reports.actions.incidents import merge_reports, unmerge_report
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Report
from commonbeat.topics.definition import Publishes
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture
def phone(unit: object) -> Phone:
    make.make_topic("street-light", keywords=["light"])
    make.make_topic("other")
    make.make_place(names={"en": "Old Bridge"})
    phone = Phone()
    phone.say("LIGHT broken at the Old Bridge")
    return phone


@pytest.fixture
def report(phone: Phone) -> Report:
    return Report.objects.get()


def react(now: datetime = NOW) -> int:
    count = 0
    while done := run.react_batch(now):
        count += done
    return count


def rewind() -> None:
    move_cursor(name=run.CURSOR, to=0)


def test_what_the_dialogue_has_answered_is_not_acknowledged_again(phone: Phone, report: Report) -> None:
    react()
    assert phone.new() == []


def test_each_step_is_told_once_however_often_the_journal_is_read(phone: Phone, report: Report, officer: User) -> None:
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    react()
    assert phone.new() == [sentences.moved(report, "triaged")]
    move_report(report_id=report.pk, to_state="resolved", actor=officer, now=NOW)
    react()
    rewind()
    react()
    assert phone.new() == [sentences.moved(report, "resolved")]
    assert cursor_position(run.CURSOR) == Entry.objects.latest("id").pk


def test_steps_in_quick_succession_are_told_as_the_last_one(phone: Phone, report: Report, officer: User) -> None:
    publish_report(report_id=report.pk, title="A lamp", text="It is dark.", actor=officer, now=NOW)
    react()
    report.refresh_from_db()
    assert phone.new() == [sentences.moved(report, "published")]


def test_a_counted_topic_says_that_nothing_is_shown(unit: object, officer: User) -> None:
    topic = make.make_topic("harassment", publishes=Publishes.COUNTS)
    report = make.make_report(topic=topic, contact=make.make_contact("+38344123456"))
    publish_report(report_id=report.pk, title="Counted", text="", actor=officer, now=NOW)
    react()
    said = " ".join(Phone().new())
    assert "arassment" not in said and sentences.moved(report, "published") in said


def test_a_topic_tells_in_its_own_words(unit: object, officer: User) -> None:
    topic = make.make_topic("dump", workflow_texts={"resolved": {"en": "The waste is gone.", "sq": "U pastrua."}})
    report = make.make_report(topic=topic, contact=make.make_contact("+38344123456", language="sq"))
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    move_report(report_id=report.pk, to_state="resolved", actor=officer, now=NOW)
    react()
    assert Phone().new()[-1].endswith("U pastrua.")


def test_a_rejection_tells_its_reason(phone: Phone, report: Report, officer: User) -> None:
    move_report(report_id=report.pk, to_state="rejected", actor=officer, now=NOW, reason="The lamp is private.")
    react()
    assert "The lamp is private." in phone.new()[0]


def test_a_rejection_without_a_reason_is_not_told(phone: Phone, report: Report) -> None:
    Report.objects.update(state="rejected")
    append(kind=events.MOVED, subject_id=report.pk, now=NOW, data={"from": "new", "to": "rejected"})
    react()
    assert phone.new() == []


def test_news_come_in_the_language_of_the_person(phone: Phone, report: Report, officer: User) -> None:
    set_language(contact=phone.contact, language="ar")
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    react()
    with translation.override("ar"):
        assert phone.new() == [sentences.moved(report, "triaged")]


def test_a_merge_is_told_once_and_in_one_message(phone: Phone, report: Report, officer: User) -> None:
    other = make.make_report(unit=report.unit)
    merge_reports(report_id=other.pk, other_ids=[report.pk], actor=officer, now=NOW)
    react()
    assert phone.new() == [sentences.merged(report)]
    unmerge_report(report_id=report.pk, actor=officer, now=NOW)
    merge_reports(report_id=other.pk, other_ids=[report.pk], actor=officer, now=NOW)
    react()
    assert phone.new() == []


def test_a_question_comes_by_text_and_its_answer_returns_into_the_thread(
    phone: Phone, report: Report, officer: User
) -> None:
    ask_reporter(report_id=report.pk, text="Which lamp is it?", actor=officer, now=NOW)
    react()
    assert phone.new() == [sentences.question(report, "Which lamp is it?")]
    phone.wait(hours=20)
    assert phone.say("0") == [texts.answered()]
    assert [(m.kind, m.text) for m in report.messages.order_by("id")] == [
        ("question", "Which lamp is it?"),
        ("answer", "0"),
    ]
    report.refresh_from_db()
    assert report.answer_waiting
    assert Report.objects.count() == 1


def test_a_question_that_was_answered_is_not_opened_again_by_a_rewound_cursor(
    phone: Phone, report: Report, officer: User
) -> None:
    ask_reporter(report_id=report.pk, text="Which lamp is it?", actor=officer, now=NOW)
    react()
    phone.say("the left one")
    rewind()
    react()
    phone.new()
    phone.wait(hours=1)
    phone.say("LIGHT out again, whole street, Old Bridge")
    assert Report.objects.count() == 2


def test_an_answer_after_a_week_still_finds_its_question(phone: Phone, report: Report, officer: User) -> None:
    ask_reporter(report_id=report.pk, text="Which lamp is it?", actor=officer, now=NOW)
    react()
    phone.wait(days=7)
    phone.say("the left one")
    assert report.messages.filter(kind="answer").get().text == "the left one"


def test_what_the_desk_tells_is_passed_on(phone: Phone, report: Report, officer: User) -> None:
    tell_reporter(report_id=report.pk, text="The electrician comes on Friday.", actor=officer, now=NOW)
    react()
    rewind()
    react()
    assert phone.new() == [sentences.update(report, "The electrician comes on Friday.")]
    assert format_reference(report.reference) in sentences.update(report, "")


def test_nothing_is_sent_after_stop(phone: Phone, report: Report, officer: User) -> None:
    stop_contact(contact=phone.contact, now=NOW)
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    ask_reporter(report_id=report.pk, text="Which lamp is it?", actor=officer, now=NOW)
    react()
    assert phone.new() == []


def test_a_failing_reaction_is_tried_five_times_and_then_passed(
    phone: Phone, report: Report, officer: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    react()
    calls = []

    def broken(entry: Entry, now: datetime) -> None:
        calls.append(entry.pk)
        Outbound.objects.update(error="half done")
        raise ValueError("the lamp of +38344123456")

    monkeypatch.setitem(run.REACTIONS, events.MOVED, [broken])
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    tell_reporter(report_id=report.pk, text="Thank you.", actor=officer, now=NOW)
    assert run.react_batch(NOW) == 0
    assert run.react_batch(NOW) == 0
    assert len(calls) == 1
    react(NOW + timedelta(seconds=20))
    assert len(calls) == 2 and phone.new() == []
    for minute in (1, 2, 3):
        react(NOW + timedelta(minutes=minute))
    assert len(calls) == run.MOST_TRIES == 5
    assert phone.new() == [sentences.update(report, "Thank you.")]
    failed = Entry.objects.get(kind="reactions.failed")
    assert failed.data == {"entry": calls[0], "kind": events.MOVED, "error": "ValueError"}
    assert "383441" not in caplog.text
    assert not Outbound.objects.filter(error="half done").exists()
    assert react(NOW + timedelta(minutes=9)) <= 1
    assert cursor_position(run.TRIES) == 0


def test_the_cursor_moves_with_what_a_reaction_writes(
    phone: Phone, report: Report, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    react()
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    before = cursor_position(run.CURSOR)

    def refuse(position: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(run, "_pass", refuse)
    assert run.react_batch(NOW) == 0
    assert cursor_position(run.CURSOR) == before
    assert phone.new() == []


def test_entries_that_call_for_nothing_cost_no_transaction_each(
    phone: Phone, report: Report, django_assert_max_num_queries
) -> None:
    react()
    for number in range(150):
        append(kind="messaging.received", subject_id=number, now=NOW)
    with django_assert_max_num_queries(10):
        assert run.react_batch(NOW, 200) == 150


def test_what_is_due_closes_reports_and_forgets_dialogues(unit: object) -> None:
    make.make_topic("other", expiry_days=10)
    phone = Phone()
    phone.say("somebody has painted over the sign again")
    do_due(NOW + timedelta(hours=47))
    assert hasattr(phone.contact, "session")
    do_due(NOW + timedelta(days=11))
    # That the language was guessed is all that stays of a dialogue.
    assert set(phone.contact.session.state) == {"language_by"}
    assert Report.objects.get().state == "expired"
    react(NOW + timedelta(days=11))
    assert phone.new()[-1] == sentences.moved(Report.objects.get(), "expired")
