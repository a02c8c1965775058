"""Translations by the desk and by volunteers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, Unit, User
from commonbeat.reports import events
from commonbeat.reports.actions.dialogue import answer_desk
from commonbeat.reports.actions.translations import (
    accept_translation,
    ask_volunteers,
    attach_translation,
    reject_translation,
    withdraw_translation,
)
from commonbeat.reports.actions.volunteering import (
    LEASE,
    MOST_PASSED,
    PASSED_WITHIN,
    AlreadyPassedOn,
    MarksMissing,
    TooManyPassed,
    call_unfit,
    hand_in,
    know_somebody,
    skip,
    take_next,
)
from commonbeat.reports.errors import MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.masking import original_of, with_words
from commonbeat.reports.models import Message, Report, Translation, TranslationTurn
from commonbeat.reports.queries.translations import numbers, numbers_for, volunteers_for
from commonbeat.reports.translation_models import TranslationState
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW
TEXT = "Besniku nga rruga jonë bën zhurmë. Numri i tij është 044 123 456."


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give an Albanian report on the desk of the first unit."""
    return make.make_report(unit=unit, text=TEXT, title="Zhurmë", language="sq")


@pytest.fixture
def second(db: None) -> User:
    """Give another volunteer."""
    return make.make_user("second-translator", role=Role.TRANSLATOR, languages_read=["en", "sq"])


def ask(report: Report, actor: User, **changes: Any) -> Translation:
    """Ask volunteers for English."""
    values: dict[str, Any] = {
        "report_id": report.pk, "message_id": None, "from_language": "sq", "language": "en", "hide": ["Besnik"],
        "actor": actor, "now": NOW, **changes,
    }  # fmt: skip
    return ask_volunteers(**values)


def kinds() -> list[str]:
    """List what the journal says of translations, in order."""
    return [e.kind.removeprefix("reports.") for e in Entry.objects.order_by("pk") if "translat" in e.kind]


# ------------------------------------------------------------------ the desk


def test_the_desk_types_a_translation(report: Report, officer: User) -> None:
    made = attach_translation(
        report_id=report.pk, message_id=None, language="en", text=" Noise at night. ", actor=officer, now=NOW
    )
    assert (made.text, made.state, made.made_role, made.made_by_id) == (
        "Noise at night.",
        "accepted",
        "officer",
        officer.pk,
    )
    entry = Entry.objects.get(kind=events.TRANSLATED)
    assert (entry.subject_id, entry.actor_id, entry.data) == (report.pk, officer.pk, {"translation": made.pk})


@pytest.mark.parametrize(("language", "text"), [("en", " "), ("xx", "Noise"), ("", "Noise")])
def test_nothing_is_stored_of_what_cannot_be_used(report: Report, officer: User, language: str, text: str) -> None:
    with pytest.raises(ReportError):
        attach_translation(report_id=report.pk, message_id=None, language=language, text=text, actor=officer, now=NOW)
    assert not Translation.objects.exists() and not kinds()


def test_another_unit_and_other_roles_do_nothing(
    report: Report, officer: User, far_officer: User, moderator: User, outsider: User, translator: User
) -> None:
    asked = ask(report, officer)
    for who in (far_officer, moderator, outsider, translator):
        for act in (
            lambda who=who: ask(report, who),
            lambda who=who: attach_translation(
                report_id=report.pk, message_id=None, language="en", text="x", actor=who, now=NOW
            ),
            lambda who=who: accept_translation(translation_id=asked.pk, actor=who, now=NOW),
            lambda who=who: withdraw_translation(translation_id=asked.pk, actor=who, now=NOW),
        ):
            with pytest.raises(NotAllowed):
                act()
    for who in (far_officer, moderator, outsider, officer):
        with pytest.raises(NotAllowed):
            take_next(actor=who, now=NOW)
    assert kinds() == ["translation_asked"]


def test_volunteers_get_marks_and_the_desk_gets_the_words_back(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    assert asked.source == "Zhurmë\n\n[hidden] nga rruga jonë bën zhurmë. Numri i tij është [number]."
    assert "Besnik" not in str(asked.marks) and "044" not in str(asked.marks)
    taken = take_next(actor=translator, now=NOW)
    assert taken == asked
    hand_in(translation_id=asked.pk, text="Noise. [hidden] is loud. Number: [number].", actor=translator, now=NOW)
    accepted = accept_translation(translation_id=asked.pk, actor=officer, now=NOW)
    assert (accepted.made_role, accepted.made_by_id, accepted.decided_by_id) == (
        "translator",
        translator.pk,
        officer.pk,
    )
    words = "".join(piece.text for piece in with_words(accepted, original_of(report, None)))
    assert words == "Noise. Besniku is loud. Number: 044 123 456."
    # Sent again since: nobody can know what the marks stand for now.
    report.text = "Tani është qetësi."
    assert "[hidden]" in "".join(piece.text for piece in with_words(accepted, original_of(report, None)))
    assert kinds() == ["translation_asked", "translation_taken", "translation_offered", "translation_accepted"]
    for entry in Entry.objects.filter(kind__contains="translation"):
        assert entry.data == {"translation": asked.pk}


def test_asking_twice_is_asking_once(report: Report, officer: User, second_officer: User, translator: User) -> None:
    asked = ask(report, officer)
    assert ask(report, second_officer) == asked
    assert ask(report, officer, language="ar") != asked
    take_next(actor=translator, now=NOW)
    hand_in(translation_id=asked.pk, text="[hidden] [number]", actor=translator, now=NOW)
    with pytest.raises(ReportError):
        ask(report, officer)
    reject_translation(translation_id=asked.pk, actor=officer, now=NOW)
    assert ask(report, officer).state == TranslationState.ASKED


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "sq"},
        {"language": "de"},
        {"from_language": ""},
        {"hide": ["x" * 81]},
        {"hide": ["Besnnik"]},
        {"hide": ["ab"] * 31},
    ],
)
def test_a_request_that_makes_no_sense(report: Report, officer: User, changes: dict[str, Any]) -> None:
    with pytest.raises(ReportError):
        ask(report, officer, **changes)
    assert not Translation.objects.exists()


def test_messages_of_the_reporter_can_be_translated_and_no_others(
    report: Report, officer: User, far_unit: Unit, translator: User
) -> None:
    answer, _new = answer_desk(report_id=report.pk, text="Po, çdo natë.", client_key="k", now=NOW)
    note = Message.objects.create(report=report, kind="note", text="Ours", author=officer, created_at=NOW)
    theirs = make.make_report(unit=far_unit, text="far")
    far, _new = answer_desk(report_id=theirs.pk, text="Po.", client_key="far", now=NOW)
    assert ask(report, officer, message_id=answer.pk, hide=["natë", ""]).source == "Po, çdo [hidden]."
    for wrong in (note.pk, far.pk, 999_999):
        with pytest.raises(NotAllowed):
            ask(report, officer, message_id=wrong)
        with pytest.raises(NotAllowed):
            attach_translation(report_id=report.pk, message_id=wrong, language="en", text="x", actor=officer, now=NOW)
    # The text and the answer are two requests.
    ask(report, officer)
    assert Translation.objects.count() == 2


def test_a_topic_that_publishes_only_counts_never_goes_to_volunteers(unit: Unit, supervisor: User) -> None:
    topic = make.make_topic("harassment", publishes="counts")
    report = make.make_report(unit=unit, topic=topic, text=TEXT, language="sq")
    with pytest.raises(ReportError):
        ask(report, supervisor)
    attach_translation(report_id=report.pk, message_id=None, language="en", text="x", actor=supervisor, now=NOW)
    assert not Translation.objects.exclude(source="").exists()


def test_what_becomes_sensitive_leaves_the_queue(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    make.make_topic(report.topic.code, publishes="counts")
    assert take_next(actor=translator, now=NOW) is None
    assert numbers_for(translator, now=NOW).waiting == numbers(now=NOW).waiting == 0
    # Loosened again: what was promised when it was made still holds, and the request is closed.
    make.make_topic(report.topic.code)
    Report.objects.filter(pk=report.pk).update(topic_version=report.topic.versions.get(number=2))
    assert take_next(actor=translator, now=NOW) is None
    asked.refresh_from_db()
    assert (asked.state, asked.withdrawn_for) == ("withdrawn", "sensitive")
    assert kinds() == ["translation_asked", "translation_withdrawn"]


def test_what_has_changed_since_is_not_translated(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    Report.objects.filter(pk=report.pk).update(text="Sent again: Arben Hoxha")
    assert take_next(actor=translator, now=NOW) is None
    asked.refresh_from_db()
    assert asked.withdrawn_for == "changed"


def test_what_was_turned_down_waits_for_nobody(report: Report, officer: User, translator: User) -> None:
    ask(report, officer)
    Report.objects.filter(pk=report.pk).update(state="rejected")
    assert take_next(actor=translator, now=NOW) is None
    Report.objects.filter(pk=report.pk).update(state="new")
    assert take_next(actor=translator, now=NOW) is not None


def test_a_text_of_the_desks_own_ends_the_request(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    attach_translation(report_id=report.pk, message_id=None, language="en", text="Noise", actor=officer, now=NOW)
    asked.refresh_from_db()
    assert (asked.state, asked.withdrawn_for, asked.claimed_by_id) == ("withdrawn", "made", None)
    # What the volunteer was writing is kept all the same.
    kept, late = hand_in(translation_id=asked.pk, text="[hidden] [number]", actor=translator, now=NOW)
    assert late and kept.pk != asked.pk and kept.state == "offered"


def test_decisions_are_made_once(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    for early in (accept_translation, reject_translation):
        with pytest.raises(MoveNotPossible):
            early(translation_id=asked.pk, actor=officer, now=NOW)
    take_next(actor=translator, now=NOW)
    hand_in(translation_id=asked.pk, text="[hidden] [number]", actor=translator, now=NOW)
    with pytest.raises(MoveNotPossible):
        withdraw_translation(translation_id=asked.pk, actor=officer, now=NOW)
    accept_translation(translation_id=asked.pk, actor=officer, now=NOW)
    with pytest.raises(MoveNotPossible):
        reject_translation(translation_id=asked.pk, actor=officer, now=NOW)
    withdraw_translation(translation_id=asked.pk, actor=officer, now=NOW)
    with pytest.raises(NotAllowed):
        withdraw_translation(translation_id=999_999, actor=officer, now=NOW)


def test_translations_go_with_their_report(report: Report, officer: User, translator: User) -> None:
    ask(report, officer)
    take_next(actor=translator, now=NOW)
    report.delete()
    assert not Translation.objects.exists() and not TranslationTurn.objects.exists()


# ------------------------------------------------------------------ volunteers


def test_one_at_a_time_the_oldest_first(unit: Unit, officer: User, translator: User, second: User) -> None:
    first, other, third = (
        ask(make.make_report(unit=unit, text=f"Teksti {n}", language="sq"), officer, hide=[]) for n in "abc"
    )
    assert take_next(actor=translator, now=NOW) == first
    assert take_next(actor=translator, now=NOW + timedelta(minutes=1)) == first
    assert take_next(actor=second, now=NOW) == other
    hand_in(translation_id=first.pk, text="Text a", actor=translator, now=NOW)
    assert take_next(actor=translator, now=NOW) == third
    assert numbers(now=NOW).waiting == 2 and numbers(now=NOW).to_decide == 1
    assert numbers_for(translator, now=NOW).done_today == 1 and numbers_for(second, now=NOW).done_today == 0


def test_only_pairs_that_the_volunteer_reads(report: Report, officer: User, second: User) -> None:
    ask(report, officer, language="ar")
    assert take_next(actor=second, now=NOW) is None
    assert numbers_for(second, now=NOW).waiting == 0
    asked = ask(report, officer)
    assert take_next(actor=second, now=NOW) == asked
    assert (volunteers_for("sq", "en"), volunteers_for("sq", "ar")) == (1, 0)
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert volunteers_for("sq", "en") == 0


def test_a_lease_that_ran_out_gives_the_text_to_others(
    report: Report, officer: User, translator: User, second: User
) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    assert take_next(actor=second, now=NOW + LEASE - timedelta(seconds=1)) is None
    assert take_next(actor=second, now=NOW + LEASE) == asked
    # The first is late, but nobody has finished: theirs counts, and the second one's is kept too.
    _row, late = hand_in(translation_id=asked.pk, text="First [hidden] [number]", actor=translator, now=NOW + LEASE)
    assert not late
    row, late = hand_in(translation_id=asked.pk, text="Second [hidden] [number]", actor=second, now=NOW + LEASE)
    assert late and row.pk != asked.pk
    assert [t.text[:6] for t in Translation.objects.order_by("pk")] == ["First ", "Second"]
    assert {t.made_by_id for t in Translation.objects.all()} == {translator.pk, second.pk}
    entry = Entry.objects.get(kind=events.TRANSLATION_LATE)
    assert entry.data == {"translation": row.pk, "instead": asked.pk}
    assert numbers_for(second, now=NOW + LEASE).done_today == 1


def test_sent_twice_it_is_one(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    for text in ("One [hidden] [number]", "Two [hidden] [number]"):
        row, late = hand_in(translation_id=asked.pk, text=text, actor=translator, now=NOW)
        assert row.text.startswith("One") and not late
    assert Translation.objects.count() == 1 and kinds().count("translation_offered") == 1


def test_who_never_had_a_text_hands_nothing_in(report: Report, officer: User, translator: User, second: User) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    for act in (skip, know_somebody, call_unfit):
        with pytest.raises(NotAllowed):
            act(translation_id=asked.pk, actor=second, now=NOW)
    for pk in (asked.pk, 999_999):
        with pytest.raises(NotAllowed):
            hand_in(translation_id=pk, text="x", actor=second, now=NOW)
    asked.refresh_from_db()
    assert (asked.state, asked.text, asked.claimed_by_id) == ("asked", "", translator.pk)


def test_missing_marks_are_told_and_can_be_left_out(report: Report, officer: User, translator: User) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    with pytest.raises(MarksMissing) as told:
        hand_in(translation_id=asked.pk, text="Noise [number]", actor=translator, now=NOW)
    assert told.value.labels == ["[hidden]"]
    with pytest.raises(ReportError):
        hand_in(translation_id=asked.pk, text="  ", actor=translator, now=NOW, without_marks=True)
    hand_in(translation_id=asked.pk, text="Noise", actor=translator, now=NOW, without_marks=True)
    asked.refresh_from_db()
    assert asked.state == "offered"


def test_skipped_texts_go_to_others_and_do_not_come_back(
    report: Report, officer: User, translator: User, second: User
) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    skip(translation_id=asked.pk, actor=translator, now=NOW)
    skip(translation_id=asked.pk, actor=translator, now=NOW)
    assert take_next(actor=translator, now=NOW) is None
    assert take_next(actor=second, now=NOW) == asked
    assert kinds().count("translation_skipped") == 1


def test_the_queue_is_no_reading_matter(unit: Unit, officer: User, translator: User) -> None:
    for number in range(MOST_PASSED + 2):
        ask(make.make_report(unit=unit, text=f"Teksti {number}", language="sq"), officer, hide=[])
    done = take_next(actor=translator, now=NOW)
    assert done is not None
    hand_in(translation_id=done.pk, text="Text", actor=translator, now=NOW)
    for _n in range(MOST_PASSED):
        found = take_next(actor=translator, now=NOW)
        assert found is not None
        skip(translation_id=found.pk, actor=translator, now=NOW)
    with pytest.raises(TooManyPassed):
        take_next(actor=translator, now=NOW)
    assert take_next(actor=translator, now=NOW + PASSED_WITHIN) is not None


def test_who_knows_somebody_gets_nothing_more_of_that_report(
    report: Report, officer: User, translator: User, second: User
) -> None:
    answer, _new = answer_desk(report_id=report.pk, text="Po, çdo natë.", client_key="k", now=NOW)
    asked = ask(report, officer)
    ask(report, officer, message_id=answer.pk, hide=[])
    take_next(actor=translator, now=NOW)
    know_somebody(translation_id=asked.pk, actor=translator, now=NOW)
    assert take_next(actor=translator, now=NOW) is None
    with pytest.raises(AlreadyPassedOn):
        hand_in(translation_id=asked.pk, text="[hidden] [number]", actor=translator, now=NOW)
    assert take_next(actor=second, now=NOW) == asked


def test_what_no_stranger_should_read_leaves_the_queue(
    report: Report, officer: User, translator: User, second: User
) -> None:
    asked = ask(report, officer)
    take_next(actor=translator, now=NOW)
    call_unfit(translation_id=asked.pk, actor=translator, now=NOW)
    assert take_next(actor=second, now=NOW) is None
    asked.refresh_from_db()
    assert (asked.state, asked.withdrawn_for) == ("withdrawn", "unfit")
    assert kinds()[-2:] == ["translation_unfit", "translation_withdrawn"]
