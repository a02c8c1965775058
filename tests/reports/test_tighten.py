"""A topic that turns stricter takes along what was published under it, and never gives it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from commonbeat.foundation import cells
from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reactions import run
from commonbeat.reports import events
from commonbeat.reports.actions import tighten
from commonbeat.reports.actions.publish import publish_report, release_publication
from commonbeat.reports.actions.tighten import tighten_publications
from commonbeat.reports.models import Publication, PublicationState, Report, ReportPhoto
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=400)


@pytest.fixture
def topic(db: None) -> Topic:
    """Give a topic that lists each report at 130 m."""
    return make.make_topic("street-light")


@pytest.fixture
def report(unit: Unit, topic: Topic) -> Report:
    """Give a report made while the topic lists each."""
    return make.make_report(unit=unit, topic=topic)


def revise(topic: Topic, **changes: Any) -> None:
    """Change a topic's definition."""
    topic = Topic.objects.select_related("current").get(pk=topic.pk)
    definition = msgspec.structs.replace(topic.definition, **changes)
    revise_topic(topic_id=topic.pk, definition=definition, actor_id=None, now=NOW)


def counted(topic: Topic) -> None:
    """Let a topic only count."""
    revise(topic, publishes=Publishes.COUNTS, smallest_count=5)


def publish(report: Report, actor: User, **changes: Any) -> Publication:
    """Publish a report."""
    given = {"title": "A lamp is dark", "text": "For a week.", **changes}
    return publish_report(report_id=report.pk, actor=actor, now=NOW, **given)


def react() -> None:
    """Let the reactions run."""
    while run.react_batch(NOW):
        pass


def test_single_reports_are_gone_in_the_moment_of_the_change(
    report: Report, topic: Topic, officer: User, client: Client
) -> None:
    publication = publish(report, officer)
    assert client.get(f"/reports/{publication.code}/").status_code == 200
    counted(topic)
    # No reaction has run, and no row was rewritten.
    assert Publication.objects.get().lists_each
    assert not Publication.objects.public(LATER).exists()
    assert client.get(f"/reports/{publication.code}/").status_code == 404


def test_the_reaction_hides_what_is_public_with_its_photos(report: Report, topic: Topic, officer: User) -> None:
    photo = make.make_photo()
    ReportPhoto.objects.create(report=report, photo=photo)
    elsewhere = make.make_photo(is_public=True)
    publish(report, officer, photo_ids=[photo.pk])
    photo.refresh_from_db()
    assert photo.is_public
    counted(topic)
    react()
    photo.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (photo.is_public, elsewhere.is_public) == (False, True)
    assert not Publication.objects.get().lists_each
    assert Entry.objects.get(kind=events.TIGHTENED).data == {"hidden": 1, "coarsened": 0}


def test_a_report_made_before_the_change_is_not_published_singly_after_it(
    report: Report, topic: Topic, officer: User
) -> None:
    counted(topic)
    assert not publish(report, officer).lists_each


def test_a_report_made_under_counts_stays_counted(unit: Unit, topic: Topic, officer: User) -> None:
    counted(topic)
    late = make.make_report(unit=unit, topic=Topic.objects.get(pk=topic.pk))
    revise(topic, publishes=Publishes.EACH)
    assert not publish(late, officer).lists_each


def test_a_topic_made_less_strict_gives_nothing_back(report: Report, topic: Topic, officer: User) -> None:
    publish(report, officer)
    counted(topic)
    react()
    revise(topic, publishes=Publishes.EACH, smallest_count=1)
    react()
    assert not Publication.objects.public(LATER).exists()
    # Nor when somebody mends its words.
    publish(report, officer, title="Two lamps are dark")
    assert not Publication.objects.public(LATER).exists()


def test_public_places_become_coarser_from_the_exact_place(
    unit: Unit, topic: Topic, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tighten, "BATCH", 2)
    reports = [make.make_report(unit=unit, topic=topic, latitude=42.38 + n * 0.003) for n in range(5)]
    bare = make.make_report(unit=unit, topic=topic, latitude=None)
    for report in [*reports, bare]:
        publish(report, officer)
    revise(topic, public_resolution=8)
    react()
    for report in reports:
        report.refresh_from_db()
        found = report.publication
        assert report.latitude is not None and report.longitude is not None
        assert (found.latitude, found.longitude, found.cell) == cells.fuzz(report.latitude, report.longitude, 8)
    assert bare.publication.cell is None
    assert tighten_publications(topic_id=topic.pk, now=NOW) == 0
    revise(topic, public_resolution=11)
    react()
    assert {cells.resolution_of(p.cell) for p in Publication.objects.filter(cell__isnull=False) if p.cell} == {8}


def test_a_later_report_has_the_coarser_of_both_places_and_the_longer_delay(
    report: Report, topic: Topic, officer: User
) -> None:
    revise(topic, public_resolution=7, delay_hours=48)
    publication = publish(report, officer)
    assert publication.cell == cells.cell_of(make.LATITUDE, make.LONGITUDE, 7)
    assert publication.public_at == NOW + timedelta(hours=48)
    revise(topic, public_resolution=12, delay_hours=0)
    assert publish(report, officer).cell == cells.cell_of(make.LATITUDE, make.LONGITUDE, 10)


def test_a_held_text_is_released_under_the_stricter_rules(
    report: Report, topic: Topic, officer: User, moderator: User
) -> None:
    held = publish(report, officer, text="Call +383 44 123 456")
    assert held.state == PublicationState.HELD
    revise(topic, publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8, delay_hours=24)
    released = release_publication(
        publication_id=held.pk, title="Dark", text="Lamp", place_name="", actor=moderator, now=NOW
    )
    assert not released.lists_each
    assert released.cell == cells.cell_of(make.LATITUDE, make.LONGITUDE, 8)
    assert released.public_at == NOW + timedelta(hours=24)


def test_the_note_of_it_stands_in_no_report_s_history(report: Report, topic: Topic, officer: User) -> None:
    from commonbeat.reports.queries.lookup import history_of

    publish(report, officer)
    counted(topic)
    react()
    Entry.objects.filter(kind=events.TIGHTENED).update(subject_id=report.pk)
    assert events.TIGHTENED not in {entry.kind for entry in history_of(report)}
