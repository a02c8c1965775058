"""Questions to the reporter, and the answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports import events
from commonbeat.reports.actions import dialogue
from commonbeat.reports.actions.dialogue import answer_desk, ask_reporter, mark_answers_read, tell_reporter
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Message, Report
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a new report on the desk of the first unit."""
    return make.make_report(unit=unit)


def test_a_question_and_its_answer(report: Report, officer: User) -> None:
    question = ask_reporter(report_id=report.pk, text="Which lamp?", actor=officer, now=NOW)
    told = tell_reporter(report_id=report.pk, text="We are on the way.", actor=officer, now=NOW)
    answer, made = answer_desk(report_id=report.pk, text="The left one", client_key="k1", now=SOON)
    assert made
    assert [m.kind for m in report.messages.order_by("id")] == ["question", "update", "answer"]
    assert (question.author, told.author, answer.author) == (officer, officer, None)
    report.refresh_from_db()
    assert (report.answer_waiting, report.changed_at) == (True, SOON)


def test_the_same_answer_fifty_times_is_one(report: Report) -> None:
    answers = [answer_desk(report_id=report.pk, text="Yes", client_key="k", now=NOW) for _n in range(50)]
    assert len({message.pk for message, _made in answers}) == 1
    assert sum(made for _message, made in answers) == 1
    assert Entry.objects.filter(kind=events.ANSWERED).count() == 1


def test_a_key_of_another_conversation_gives_nothing_away(report: Report, unit: Unit) -> None:
    answer_desk(report_id=report.pk, text="My secret", client_key="k", now=NOW)
    other = make.make_report(unit=unit)
    with pytest.raises(ReportError):
        answer_desk(report_id=other.pk, text="Mine", client_key="k", now=NOW)
    assert Message.objects.count() == 1


@pytest.mark.parametrize("text", ["", "  ", "\x00\x07"])
def test_empty_words_are_refused(text: str, report: Report, officer: User) -> None:
    for act in (ask_reporter, tell_reporter):
        with pytest.raises(ReportError, match="empty"):
            act(report_id=report.pk, text=text, actor=officer, now=NOW)
    with pytest.raises(ReportError, match="empty"):
        answer_desk(report_id=report.pk, text=text, client_key="k", now=NOW)
    assert not Message.objects.exists()


def test_what_is_too_long_is_cut_at_the_limit(report: Report, officer: User) -> None:
    question = ask_reporter(report_id=report.pk, text="a" * 2_000, actor=officer, now=NOW)
    assert len(question.text) == dialogue.QUESTION_LIMIT
    answer, _made = answer_desk(report_id=report.pk, text="b" * 20_000, client_key="k", now=NOW)
    assert len(answer.text) == dialogue.ANSWER_LIMIT


def test_a_stranger_cannot_fill_the_desk(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "THREAD_LIMIT", 2)
    for key in ("a", "b"):
        answer_desk(report_id=report.pk, text="again", client_key=key, now=NOW)
    with pytest.raises(ReportError, match="full"):
        answer_desk(report_id=report.pk, text="again", client_key="c", now=NOW)
    # The same one still counts as taken.
    assert answer_desk(report_id=report.pk, text="again", client_key="a", now=NOW)[1] is False


def test_only_who_sees_the_report_clears_the_mark(report: Report, officer: User, far_officer: User) -> None:
    answer_desk(report_id=report.pk, text="Yes", client_key="k", now=NOW)
    mark_answers_read(report_id=report.pk, actor=far_officer)
    report.refresh_from_db()
    assert report.answer_waiting
    mark_answers_read(report_id=report.pk, actor=officer)
    report.refresh_from_db()
    assert not report.answer_waiting
