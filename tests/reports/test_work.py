"""Claim, move, verify, note."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports import events, rules
from commonbeat.reports.actions import correct, dialogue, incidents, publish, work
from commonbeat.reports.actions.submit import Whereabouts
from commonbeat.reports.errors import ClaimedByOther, MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.models import Message, PlaceSource, Publication, PublicationState, Report, State, Verification
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
MINUTES = settings.COMMONBEAT.claim_minutes
LATER = NOW + timedelta(minutes=MINUTES + 1)
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a new report on the desk of the first unit."""
    return make.make_report(unit=unit)


def in_state(report: Report, state: str) -> Report:
    """Put a report into a state, past the rules."""
    Report.objects.filter(pk=report.pk).update(state=state)
    report.refresh_from_db()
    return report


def kinds(report: Report) -> list[str]:
    """List what the journal says of a report, but that it came in."""
    return [e.kind for e in Entry.objects.filter(subject_id=report.pk).order_by("id") if e.kind != events.SUBMITTED]


# Every action of the desk, with arguments that would succeed on a fresh report.
ACTIONS: dict[str, Callable[..., Any]] = {
    "claim": work.claim_report,
    "release": work.release_claim,
    "move": lambda **k: work.move_report(to_state="triaged", **k),
    "verify": lambda **k: work.verify_report(evidence="seen", independent_sources=1, **k),
    "unverify": work.withdraw_verification,
    "note": lambda **k: work.add_note(text="look again", **k),
    "ask": lambda **k: dialogue.ask_reporter(text="Where?", **k),
    "tell": lambda **k: dialogue.tell_reporter(text="Thank you", **k),
    "publish": lambda **k: publish.publish_report(title="A lamp is dark", text="It is dark.", **k),
    "merge": lambda **k: incidents.merge_reports(other_ids=[k["report_id"]], **k),
    "unmerge": incidents.unmerge_report,
    "place": lambda **k: correct.correct_place(where=Whereabouts(PlaceSource.DESK, "", 42.38, 20.43), **k),
    "topic": lambda **k: correct.correct_topic(topic_id=0, **k),
}


@pytest.mark.parametrize("who", ["resident", "outsider", "far_officer", "moderator", "overseer", "administrator"])
@pytest.mark.parametrize("name", ACTIONS)
def test_nobody_else_may_act(name: str, who: str, report: Report, request: pytest.FixtureRequest) -> None:
    before = Entry.objects.count()
    with pytest.raises(NotAllowed):
        ACTIONS[name](report_id=report.pk, actor=request.getfixturevalue(who), now=NOW)
    assert Entry.objects.count() == before
    report.refresh_from_db()
    assert (report.state, report.claimed_by_id, report.verified_at) == ("new", None, None)


@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in ("note",)])
def test_a_claim_keeps_everybody_else_out_but_for_notes(
    name: str, report: Report, officer: User, second_officer: User
) -> None:
    work.claim_report(report_id=report.pk, actor=second_officer, now=NOW)
    with pytest.raises(ClaimedByOther):
        ACTIONS[name](report_id=report.pk, actor=officer, now=SOON)


def test_a_note_is_possible_while_somebody_else_works(report: Report, officer: User, second_officer: User) -> None:
    work.claim_report(report_id=report.pk, actor=second_officer, now=NOW)
    assert work.add_note(report_id=report.pk, text="I know this house", actor=officer, now=SOON).author == officer


def test_an_inactive_account_may_nothing(report: Report, officer: User) -> None:
    officer.is_active = False
    with pytest.raises(NotAllowed):
        work.claim_report(report_id=report.pk, actor=officer, now=NOW)


# ------------------------------------------------------------------ claims


def test_a_claim_lasts_and_then_the_report_is_free(report: Report, officer: User, second_officer: User) -> None:
    claimed = work.claim_report(report_id=report.pk, actor=officer, now=NOW)
    assert claimed.claimed_until == NOW + timedelta(minutes=MINUTES)
    with pytest.raises(ClaimedByOther, match="officer"):
        work.claim_report(report_id=report.pk, actor=second_officer, now=SOON)
    taken = work.claim_report(report_id=report.pk, actor=second_officer, now=LATER)
    assert taken.claimed_by == second_officer
    assert kinds(report) == [events.CLAIMED, events.CLAIMED]


def test_renewing_a_claim_is_not_a_second_entry(report: Report, officer: User) -> None:
    work.claim_report(report_id=report.pk, actor=officer, now=NOW)
    again = work.claim_report(report_id=report.pk, actor=officer, now=SOON)
    assert again.claimed_until == SOON + timedelta(minutes=MINUTES)
    assert kinds(report) == [events.CLAIMED]


def test_a_supervisor_frees_a_claim_and_a_colleague_does_not(
    report: Report, officer: User, second_officer: User, supervisor: User
) -> None:
    work.claim_report(report_id=report.pk, actor=officer, now=NOW)
    with pytest.raises(ClaimedByOther):
        work.release_claim(report_id=report.pk, actor=second_officer, now=SOON)
    assert work.release_claim(report_id=report.pk, actor=supervisor, now=SOON).claimed_by is None


def test_giving_back_what_nobody_holds_is_no_entry(report: Report, officer: User) -> None:
    work.release_claim(report_id=report.pk, actor=officer, now=NOW)
    assert kinds(report) == []


# ------------------------------------------------------------------ moves


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State.values, State.values)))
def test_a_move_follows_the_table(before: str, after: str, report: Report, officer: User) -> None:
    in_state(report, before)
    given = {"report_id": report.pk, "to_state": after, "actor": officer, "now": SOON, "reason": "a reason"}
    if after != "published" and rules.may_move(before, after):
        moved = work.move_report(**given)  # type: ignore[arg-type]  # the types of each are right
        assert (moved.state, moved.changed_at) == (after, SOON)
        entry = Entry.objects.get(subject_id=report.pk, kind=events.MOVED)
        assert (entry.data, entry.actor_id) == ({"from": before, "to": after}, officer.pk)
    else:
        # Publishing is never a bare move: the public copy is made by an action of its own.
        with pytest.raises(MoveNotPossible):
            work.move_report(**given)  # type: ignore[arg-type]  # the types of each are right
        report.refresh_from_db()
        assert report.state == before
        assert kinds(report) == []


@pytest.mark.parametrize("reason", ["", "   ", "\u200b"])
def test_turning_down_needs_a_reason(reason: str, report: Report, officer: User) -> None:
    with pytest.raises(ReportError, match="why"):
        work.move_report(report_id=report.pk, to_state="rejected", actor=officer, now=NOW, reason=reason)
    report.refresh_from_db()
    assert report.state == "new"


def test_a_reason_goes_when_the_report_moves_on(report: Report, officer: User) -> None:
    work.move_report(report_id=report.pk, to_state="rejected", actor=officer, now=NOW, reason="not ours")
    moved = work.move_report(report_id=report.pk, to_state="new", actor=officer, now=SOON)
    assert moved.state_reason == ""


@pytest.mark.parametrize("after", ["triaged", "expired"])
def test_leaving_the_public_states_takes_the_public_copy_back(after: str, report: Report, officer: User) -> None:
    publication = make.make_publication(report=in_state(report, "published"))
    work.move_report(report_id=report.pk, to_state=after, actor=officer, now=SOON)
    publication.refresh_from_db()
    assert publication.state == PublicationState.WITHDRAWN
    assert kinds(report) == [events.WITHDRAWN, events.MOVED]


def test_resolving_shows_on_the_public_copy(report: Report, officer: User) -> None:
    publication = make.make_publication(report=in_state(report, "published"))
    work.move_report(report_id=report.pk, to_state="resolved", actor=officer, now=SOON)
    publication.refresh_from_db()
    assert (publication.state, publication.is_resolved) == (PublicationState.PUBLIC, True)


def test_time_closes_what_is_due_and_only_that(unit: Unit) -> None:
    due, later, closed = (make.make_report(unit=unit) for _n in range(3))
    Report.objects.filter(pk__in=[due.pk, closed.pk]).update(expires_at=NOW)
    Report.objects.filter(pk=later.pk).update(expires_at=SOON)
    in_state(closed, "resolved")
    assert work.expire_reports(now=NOW) == 1
    assert work.expire_reports(now=NOW) == 0
    assert dict(Report.objects.values_list("pk", "state")) == {
        due.pk: "expired", later.pk: "new", closed.pk: "resolved",
    }  # fmt: skip
    assert Entry.objects.get(subject_id=due.pk, kind=events.MOVED).actor_id is None


# ------------------------------------------------------------------ verification: a mark beside the state


@pytest.mark.parametrize("state", State.values)
def test_verifying_leaves_the_state_alone(state: str, report: Report, officer: User) -> None:
    in_state(report, state)
    work.verify_report(
        report_id=report.pk, evidence="Seen by the patrol", independent_sources=2, actor=officer, now=SOON
    )
    report.refresh_from_db()
    assert (report.state, report.verified_at, report.independent_sources) == (state, SOON, 2)
    assert kinds(report) == [events.VERIFIED]


def test_publishing_needs_no_verification_and_says_so(report: Report, officer: User) -> None:
    publication = publish.publish_report(report_id=report.pk, title="Dark lamp", text="", actor=officer, now=NOW)
    assert (publication.state, publication.is_verified) == (PublicationState.PUBLIC, False)
    work.verify_report(report_id=report.pk, evidence="Seen", independent_sources=3, actor=officer, now=SOON)
    publication.refresh_from_db()
    assert (publication.is_verified, publication.independent_sources) == (True, 3)
    work.withdraw_verification(report_id=report.pk, actor=officer, now=LATER)
    publication.refresh_from_db()
    assert (publication.is_verified, publication.independent_sources) == (False, 0)
    assert Verification.objects.get().withdrawn_at == LATER


@pytest.mark.parametrize(("evidence", "sources"), [("", 1), ("  ", 1), ("seen", 0), ("seen", -1), ("seen", 1_000)])
def test_a_verification_needs_evidence_and_sources(evidence: str, sources: int, report: Report, officer: User) -> None:
    with pytest.raises(ReportError):
        work.verify_report(report_id=report.pk, evidence=evidence, independent_sources=sources, actor=officer, now=NOW)
    assert not Verification.objects.exists()


def test_a_mark_that_is_not_there_cannot_be_taken_back(report: Report, officer: User) -> None:
    with pytest.raises(MoveNotPossible):
        work.withdraw_verification(report_id=report.pk, actor=officer, now=NOW)
    assert kinds(report) == []


# ------------------------------------------------------------------ notes and looks


def test_a_note_is_for_the_desk_and_the_journal_holds_its_id_only(report: Report, officer: User) -> None:
    note = work.add_note(report_id=report.pk, text="  Call the school  ", actor=officer, now=NOW)
    assert (note.kind, note.text) == ("note", "Call the school")
    assert Entry.objects.get(kind=events.NOTED).data == {"message": note.pk}
    with pytest.raises(ReportError):
        work.add_note(report_id=report.pk, text=" \n ", actor=officer, now=NOW)
    assert Message.objects.count() == 1


def test_a_look_is_journalled_once_an_hour_for_each_person(report: Report, officer: User, second_officer: User) -> None:
    for who, minutes in [(officer, 0), (officer, 59), (second_officer, 59), (officer, 61)]:
        work.note_look(report_id=report.pk, actor=who, now=NOW + timedelta(minutes=minutes))
    entries = Entry.objects.filter(kind=events.LOOKED).order_by("id").values_list("actor_id", flat=True)
    assert list(entries) == [officer.pk, second_officer.pk, officer.pk]


def test_the_journal_never_holds_words_of_a_person(report: Report, officer: User) -> None:
    secret = "Xhevahire"
    work.add_note(report_id=report.pk, text=secret, actor=officer, now=NOW)
    dialogue.ask_reporter(report_id=report.pk, text=secret, actor=officer, now=NOW)
    dialogue.answer_desk(report_id=report.pk, text=secret, client_key="a", now=NOW)
    work.verify_report(report_id=report.pk, evidence=secret, independent_sources=1, actor=officer, now=NOW)
    publish.publish_report(report_id=report.pk, title=secret, text=secret, actor=officer, now=NOW)
    assert Publication.objects.exists()
    assert not any(secret in str(entry.data) for entry in Entry.objects.all())
