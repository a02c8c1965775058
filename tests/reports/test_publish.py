"""The public copy: proposed, held, released by a second person, returned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from commonbeat.foundation import cells
from commonbeat.journal.models import Entry
from commonbeat.media.models import Photo
from commonbeat.people.models import Unit, User
from commonbeat.reports import events
from commonbeat.reports.actions.publish import publish_report, release_publication, return_publication
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.errors import MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.models import PlaceSource, Publication, PublicationState, Report, ReportPhoto
from commonbeat.topics.definition import Publishes
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=1)
CLEAN = {"title": "A lamp is dark", "text": "In front of the school, for a week."}
HELD = {"title": "A lamp is dark", "text": "Call me at +383 44 123 456 about it."}


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a new report on the desk of the first unit."""
    return make.make_report(unit=unit)


def publish(report: Report, actor: User, *, now: Any = NOW, **changes: Any) -> Publication:
    """Publish a report."""
    return publish_report(**{"report_id": report.pk, "actor": actor, "now": now, **CLEAN, **changes})


def release(publication: Publication, actor: User, **changes: Any) -> Publication:
    """Release a held copy."""
    given = {"publication_id": publication.pk, "place_name": "", "actor": actor, "now": SOON, **CLEAN, **changes}
    return release_publication(**given)


def test_a_clean_text_is_public_at_once_at_the_public_place(report: Report, officer: User) -> None:
    publication = publish(report, officer)
    report.refresh_from_db()
    assert (publication.state, report.state) == (PublicationState.PUBLIC, "published")
    assert (publication.latitude, publication.longitude) != (report.latitude, report.longitude)
    assert publication.cell == cells.cell_of(make.LATITUDE, make.LONGITUDE, 10)
    assert Publication.objects.public(NOW).get() == publication
    assert Entry.objects.filter(kind=events.PUBLISHED, subject_id=report.pk).count() == 1


@pytest.mark.parametrize("state", ["rejected", "duplicate", "expired"])
def test_what_the_desk_has_closed_cannot_be_published(state: str, report: Report, officer: User) -> None:
    Report.objects.filter(pk=report.pk).update(state=state)
    with pytest.raises(MoveNotPossible):
        publish(report, officer)
    assert not Publication.objects.exists()


def test_a_public_copy_needs_a_title(report: Report, officer: User) -> None:
    with pytest.raises(ReportError, match="title"):
        publish(report, officer, title=" ")
    report.refresh_from_db()
    assert report.state == "new"


@pytest.mark.parametrize("field", ["title", "text", "place_name"])
def test_whatever_field_holds_a_number_holds_the_copy(field: str, report: Report, officer: User) -> None:
    publication = publish(report, officer, **{field: "Call +383 44 123 456"})
    report.refresh_from_db()
    assert (publication.state, publication.held_for) == (PublicationState.HELD, ["phone"])
    assert report.state == "triaged"
    assert not Publication.objects.public(NOW + timedelta(days=1)).exists()


def test_a_second_person_releases_and_the_author_does_not(
    report: Report, officer: User, supervisor: User, moderator: User
) -> None:
    publication = publish(report, supervisor, **HELD)
    with pytest.raises(ReportError, match="second person"):
        release(publication, supervisor)
    with pytest.raises(NotAllowed):
        release(publication, officer)
    released = release(publication, moderator, text="Edited by the moderator.")
    report.refresh_from_db()
    assert (released.state, released.text, report.state) == (
        PublicationState.PUBLIC, "Edited by the moderator.", "published",
    )  # fmt: skip
    assert (released.released_by, released.released_at) == (moderator, SOON)
    journal = Entry.objects.filter(subject_id=report.pk).order_by("id").values_list("kind", flat=True)
    assert list(journal)[-3:] == [events.HELD, events.RELEASED, events.PUBLISHED]


def test_a_copy_is_released_once(report: Report, officer: User, moderator: User, supervisor: User) -> None:
    publication = publish(report, officer, **HELD)
    release(publication, moderator)
    with pytest.raises(MoveNotPossible):
        release(publication, supervisor)
    with pytest.raises(MoveNotPossible):
        return_publication(publication_id=publication.pk, reason="late", actor=supervisor, now=SOON)


@pytest.mark.parametrize("who", ["resident", "officer", "far_officer", "overseer", "administrator"])
def test_nobody_else_releases_or_returns(
    who: str, report: Report, second_officer: User, request: pytest.FixtureRequest
) -> None:
    publication = publish(report, second_officer, **HELD)
    actor = request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        release(publication, actor)
    with pytest.raises(NotAllowed):
        return_publication(publication_id=publication.pk, reason="no", actor=actor, now=SOON)


def test_a_returned_copy_goes_back_with_a_note(report: Report, officer: User, moderator: User) -> None:
    publication = publish(report, officer, **HELD)
    with pytest.raises(ReportError):
        return_publication(publication_id=publication.pk, reason="  ", actor=moderator, now=SOON)
    return_publication(publication_id=publication.pk, reason="Leave the number out", actor=moderator, now=SOON)
    publication.refresh_from_db()
    assert publication.state == PublicationState.WITHDRAWN
    assert report.messages.get().text == "Leave the number out"
    again = publish(report, officer)
    assert (again.pk, again.state) == (publication.pk, PublicationState.PUBLIC)


def test_a_report_that_was_closed_meanwhile_is_not_released(report: Report, officer: User, moderator: User) -> None:
    publication = publish(report, officer, **HELD)
    move_report(report_id=report.pk, to_state="rejected", reason="a hoax", actor=officer, now=SOON)
    with pytest.raises(MoveNotPossible):
        release(publication, moderator)


def test_a_delay_of_the_topic_counts_from_the_release(unit: Unit, officer: User, moderator: User) -> None:
    report = make.make_report(unit=unit, topic=make.make_topic("slow", delay_hours=48))
    publication = publish(report, officer, **HELD)
    released = release(publication, moderator)
    assert released.public_at == SOON + timedelta(hours=48)
    assert not Publication.objects.public(SOON).exists()
    assert Publication.objects.public(SOON + timedelta(hours=48)).exists()


def test_a_topic_of_counts_lists_nothing(unit: Unit, officer: User) -> None:
    topic = make.make_topic("quiet", publishes=Publishes.COUNTS, smallest_count=5)
    publication = publish(make.make_report(unit=unit, topic=topic), officer)
    assert publication.state == PublicationState.PUBLIC
    assert not publication.lists_each
    assert not Publication.objects.public(NOW).exists()


def test_publishing_again_changes_the_one_copy_and_keeps_its_address(report: Report, officer: User) -> None:
    first = publish(report, officer)
    second = publish(report, officer, now=SOON, title="Two lamps are dark")
    assert (second.pk, second.code, second.public_at) == (first.pk, first.code, first.public_at)
    assert Publication.objects.get().title == "Two lamps are dark"


def test_an_edit_that_screening_holds_is_not_public_meanwhile(report: Report, officer: User) -> None:
    publish(report, officer)
    publish(report, officer, now=SOON, **HELD)
    assert not Publication.objects.public(SOON).exists()


def test_only_chosen_photos_of_this_report_become_public(unit: Unit, report: Report, officer: User) -> None:
    mine, not_chosen, strange = make.make_photo(), make.make_photo(), make.make_photo()
    for photo in (mine, not_chosen):
        ReportPhoto.objects.create(report=report, photo=photo)
    ReportPhoto.objects.create(report=make.make_report(unit=unit), photo=strange)
    publication = publish(report, officer, photo_ids=[mine.pk, strange.pk])
    assert list(publication.photos.all()) == [mine]
    assert list(Photo.objects.filter(is_public=True)) == [mine]
    publish(report, officer, now=SOON, photo_ids=[not_chosen.pk])
    assert list(Photo.objects.filter(is_public=True)) == [not_chosen]


def test_photos_of_a_held_copy_are_not_public_yet(report: Report, officer: User, moderator: User) -> None:
    photo = make.make_photo()
    ReportPhoto.objects.create(report=report, photo=photo)
    publication = publish(report, officer, photo_ids=[photo.pk], **HELD)
    photo.refresh_from_db()
    assert not photo.is_public
    release(publication, moderator)
    photo.refresh_from_db()
    assert photo.is_public


@pytest.mark.parametrize("to_state", ["triaged", "expired"])
def test_photos_go_with_the_public_copy(to_state: str, report: Report, officer: User) -> None:
    photo = make.make_photo()
    ReportPhoto.objects.create(report=report, photo=photo)
    publish(report, officer, photo_ids=[photo.pk])
    move_report(report_id=report.pk, to_state=to_state, actor=officer, now=SOON)
    photo.refresh_from_db()
    assert not photo.is_public


def test_a_corrected_place_gets_a_new_public_place(report: Report, officer: User) -> None:
    publication = publish(report, officer)
    where = Whereabouts(PlaceSource.DESK, "The mill", 42.39, 20.44)
    place_report(report_id=report.pk, where=where, actor_id=officer.pk, now=SOON)
    publication.refresh_from_db()
    assert publication.cell == cells.cell_of(42.39, 20.44, 10)
    assert (publication.latitude, publication.longitude) == cells.centre(publication.cell)


def test_the_public_day_is_that_of_the_site(report: Report, officer: User, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Tirane"
    # Half past midnight in Tirana is still the day before in UTC.
    Report.objects.filter(pk=report.pk).update(occurred_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    assert publish(report, officer).occurred_on == date(2026, 7, 2)


def test_two_capitals_are_held_unless_the_gazetteer_knows_them(report: Report, officer: User) -> None:
    text = "The lamp at Sunny Meadow is dark."
    assert publish(report, officer, text=text).held_for == ["name"]
    make.make_place("Sunny Meadow")
    publication = publish(report, officer, text=text)
    assert (publication.state, publication.is_imported) == (PublicationState.PUBLIC, False)


def test_exact_coordinates_are_held(report: Report, officer: User) -> None:
    assert publish(report, officer, text="LIGHT lamp out 42.6612, 21.1690").held_for == ["place"]
