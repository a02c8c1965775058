"""The one door for reports, and the corrections of the desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.foundation import cells
from commonbeat.foundation.ids import parse_reference
from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports import events
from commonbeat.reports.actions.correct import correct_place, correct_topic
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import PHOTO_LIMIT, TEXT_LIMIT, Whereabouts, place_report
from commonbeat.reports.actions.work import claim_report, move_report
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import PlaceSource, Report
from tests import make
from tests.make import LATITUDE, LONGITUDE, NOW

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=1)


def test_a_report_lands_on_the_desk_of_its_beat(unit: Unit, far_unit: Unit) -> None:
    beat = make.make_beat(unit=far_unit)
    report = make.make_report()
    assert (report.unit, report.beat) == (far_unit, beat)
    assert report.cell == cells.cell_of(LATITUDE, LONGITUDE, cells.STORED_RESOLUTION)
    assert parse_reference(report.reference) == report.reference


@pytest.mark.parametrize("place", [(None, None), (10.0, 10.0)])
def test_what_no_beat_contains_lands_on_the_fallback_desk(
    place: tuple[float | None, float | None], unit: Unit, far_unit: Unit
) -> None:
    make.make_beat(unit=far_unit)
    report = make.make_report(latitude=place[0], longitude=place[1])
    assert (report.unit, report.beat) == (unit, None)


def test_the_same_key_is_one_report(unit: Unit) -> None:
    first, second = make.make_report(client_key="one"), make.make_report(client_key="one", text="Something else")
    assert first.pk == second.pk
    assert second.text.startswith("The lamp")
    assert Entry.objects.filter(kind=events.SUBMITTED).count() == 1


def test_the_journal_says_how_it_came_and_nothing_of_what(unit: Unit) -> None:
    report = make.make_report(channel="demo_sms", acknowledged=True)
    entry = Entry.objects.get(kind=events.SUBMITTED, subject_id=report.pk)
    assert entry.data == {"acknowledged": True, "channel": "demo_sms"}
    assert entry.actor_id is None


def test_words_are_cleaned_and_bounded(unit: Unit) -> None:
    report = make.make_report(text="a\x00b\u202e" + "x" * 20_000, title="t" * 500, place_name="p" * 500)
    assert report.text.startswith("abx")
    assert (len(report.text), len(report.title), len(report.place_name)) == (TEXT_LIMIT, 200, 200)


def test_photos_are_taken_up_once_and_a_few_only(unit: Unit) -> None:
    photos = [make.make_photo() for _n in range(PHOTO_LIMIT + 1)]
    report = make.make_report(photo_ids=[photo.pk for photo in photos])
    assert report.photos.count() == PHOTO_LIMIT
    assert not report.photos.exclude(draft_key="").exists()


def test_a_photo_of_another_report_is_not_taken_up(unit: Unit) -> None:
    photo = make.make_photo()
    first = make.make_report(photo_ids=[photo.pk])
    second = make.make_report(photo_ids=[photo.pk])
    assert (first.photos.count(), second.photos.count()) == (1, 0)


def test_a_topic_may_close_reports_by_time(unit: Unit) -> None:
    report = make.make_report(topic=make.make_topic("fleeting", expiry_days=3))
    assert report.expires_at == NOW + timedelta(days=3)


# ------------------------------------------------------------------ corrections


def test_a_new_report_goes_to_the_desk_of_its_corrected_place(unit: Unit, far_unit: Unit, officer: User) -> None:
    beat = make.make_beat(unit=far_unit, latitude=43.0)
    report = make.make_report(latitude=None, longitude=None)
    where = Whereabouts(PlaceSource.DESK, "The mill", 43.0, LONGITUDE)
    moved = correct_place(report_id=report.pk, where=where, actor=officer, now=SOON)
    assert (moved.unit, moved.beat, moved.place_name) == (far_unit, beat, "The mill")
    assert moved.cell == cells.cell_of(43.0, LONGITUDE, cells.STORED_RESOLUTION)


@pytest.mark.parametrize("how", ["claimed", "accepted"])
def test_a_report_in_work_stays_on_its_desk(how: str, unit: Unit, far_unit: Unit, officer: User) -> None:
    make.make_beat(unit=far_unit, latitude=43.0)
    report = make.make_report(latitude=None, longitude=None)
    if how == "claimed":
        claim_report(report_id=report.pk, actor=officer, now=NOW)
    else:
        move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    where = Whereabouts(PlaceSource.DESK, "", 43.0, LONGITUDE)
    assert place_report(report_id=report.pk, where=where, actor_id=officer.pk, now=SOON).unit == unit


def test_a_place_needs_coordinates(unit: Unit, officer: User) -> None:
    report = make.make_report(latitude=None, longitude=None)
    with pytest.raises(ReportError, match="coordinates"):
        correct_place(report_id=report.pk, where=Whereabouts(name="Nowhere"), actor=officer, now=SOON)


def test_another_topic_brings_its_rules_and_keeps_the_answers(unit: Unit, officer: User) -> None:
    report = make.make_report(answers={"size": "large"}, categories=["first", "gone"])
    other = make.make_topic("dump")
    sorted_ = correct_topic(report_id=report.pk, topic_id=other.pk, actor=officer, now=SOON)
    assert (sorted_.topic, sorted_.topic_version) == (other, other.current)
    assert (sorted_.answers, sorted_.categories) == ({"size": "large"}, ["first"])
    entry = Entry.objects.get(kind=events.SORTED)
    assert (entry.subject_id, entry.data["to"]) == (report.pk, other.pk)


def test_the_topic_of_a_public_report_is_fixed(unit: Unit, officer: User) -> None:
    report = make.make_report()
    publish_report(report_id=report.pk, title="Dark", text="", actor=officer, now=NOW)
    other = make.make_topic("quiet")
    with pytest.raises(ReportError, match="off the public pages"):
        correct_topic(report_id=report.pk, topic_id=other.pk, actor=officer, now=SOON)
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=SOON)
    correct_topic(report_id=report.pk, topic_id=other.pk, actor=officer, now=SOON)
    assert Report.objects.get().topic == other


def test_an_unknown_topic_says_so_and_the_same_one_changes_nothing(unit: Unit, officer: User) -> None:
    report = make.make_report()
    with pytest.raises(ReportError, match="from the list"):
        correct_topic(report_id=report.pk, topic_id=0, actor=officer, now=SOON)
    correct_topic(report_id=report.pk, topic_id=report.topic_id, actor=officer, now=SOON)
    assert not Entry.objects.filter(kind=events.SORTED).exists()
