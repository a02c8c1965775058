"""Deleting by time and erasing people leaves every count as it was, and as counting anew finds it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonbeat.maps.models import Counted, Rated, RatingSum
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Role, User
from commonbeat.reactions import auditing, counting
from commonbeat.reactions.erasing import erase_contact, erase_report
from commonbeat.reactions.retention import delete_due
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.tighten import tighten_publications
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Publication, Report
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Field, FieldKind, Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW
from tests.maps.test_counting import catch_up, published, state

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = NOW + 800 * DAY


def figures() -> tuple[Any, ...]:
    """Give every count and every sum."""
    return (
        state()[:2],
        list(Rated.objects.order_by("pk").values("pk", "cell", "ratings", "source", "is_drawn")),
        sorted(RatingSum.objects.values_list("topic_id", "cell", "period", "parameter", "n", "total")),
    )


def all_counted(now: datetime) -> None:
    """Count and rate until nothing is left."""
    catch_up(now)
    while auditing.rate_batch(now):
        pass


def counted_anew(now: datetime) -> tuple[Any, ...]:
    """Give the figures as `commonbeat maps rebuild` finds them."""
    counting.rebuild(now)
    auditing.rebuild(now)
    return figures()


def purge(now: datetime) -> None:
    """Delete all that is due, as the worker does hour by hour."""
    while not delete_due(now):
        pass


@pytest.fixture
def town(unit: object, officer: User) -> list[Topic]:
    """Give a town with reports of all kinds, by few people who report often."""
    rating = Field(code="dark", kind=FieldKind.RATING, label={"en": "Dark"}, weight=1.0)
    topics = [
        make.make_topic("lamps", public_resolution=10),
        make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=3, public_resolution=8),
        make.make_topic("audit", categories=[], fields=[rating], smallest_count=3),
    ]
    contacts = [make.make_contact() for _ in range(4)]
    for number in range(24):
        topic = topics[number % 3]
        contact = contacts[number % 4] if number % 5 else None
        answers = {"dark": number % 4, "who": "somebody"} if topic.code == "audit" else {}
        published(topic, officer, contact=contact, answers=answers, latitude=make.LATITUDE + number % 2 * 0.001)
    return topics


def test_deleting_by_time_changes_no_count(town: list[Topic]) -> None:
    all_counted(LATER)
    before = figures()
    assert before[0] and before[1] and before[2]
    assert counted_anew(LATER) == before
    purge(LATER)
    assert not Contact.objects.exists()
    assert not Report.objects.exclude(emptied_at=None).filter(contact__isnull=False).exists()
    assert Report.objects.filter(emptied_at=None).count() == 0
    all_counted(LATER)
    assert figures() == before
    assert counted_anew(LATER) == before


def test_what_is_not_drawn_yet_still_needs_as_many_different_senders(town: list[Topic], officer: User) -> None:
    topic = make.make_topic("violence", publishes=Publishes.COUNTS, smallest_count=3, public_resolution=8)
    contact = make.make_contact()
    for _ in range(5):
        published(topic, officer, contact=contact)
    catch_up(NOW)
    erase_contact(contact_id=contact.pk, now=NOW, texts=False, withdraw=False)
    counting.rebuild(NOW)
    catch_up(NOW + 40 * DAY)
    # One person wrote five; erased, they must not look like five people.
    assert not [row for row in state()[1] if row[0] == topic.pk]


def test_an_erased_public_copy_leaves_the_map_exactly_once(town: list[Topic]) -> None:
    all_counted(NOW)
    report = Report.objects.filter(topic=town[0]).order_by("pk").first()
    assert report is not None
    erase_report(report_id=report.pk, now=NOW)
    # Not counted yet: the row waits, however often the worker looks.
    purge(NOW)
    assert Report.objects.filter(pk=report.pk).exists()
    all_counted(NOW)
    once = figures()
    purge(NOW)
    assert not Report.objects.filter(pk=report.pk).exists()
    all_counted(NOW)
    assert figures() == once == counted_anew(NOW)
    assert Counted.objects.filter(topic_id=town[0].pk).count() == 7


def test_what_is_left_of_a_report_is_its_copy(town: list[Topic]) -> None:
    copy = Publication.objects.filter(topic=town[0], report__contact__isnull=False).first()
    assert copy is not None
    place = (copy.title, copy.text, copy.latitude, copy.longitude, copy.cell)
    all_counted(LATER)
    purge(LATER)
    copy.refresh_from_db()
    assert (copy.title, copy.text, copy.latitude, copy.longitude, copy.cell) == place
    report = copy.report
    assert (report.text, report.title, report.place_name, report.answers, report.latitude, report.cell) == (
        "", "", "", {}, None, None,
    )  # fmt: skip
    assert report.contact_id is None and report.beat_id is None and report.client_key == f"gone:{report.pk}"
    counted_only = Publication.objects.filter(topic=town[1])
    assert {(one.title, one.text, one.place_name) for one in counted_only} == {("", "", "")}
    rated = Report.objects.filter(topic=town[2])
    assert {tuple(one.answers) for one in rated} == {("dark",)}


def test_a_topic_that_turns_coarser_coarsens_what_is_left(town: list[Topic]) -> None:
    all_counted(LATER)
    purge(LATER)
    boss = make.make_user(role=Role.ADMINISTRATOR)
    definition = town[0].definition
    import msgspec

    coarse = msgspec.structs.replace(definition, public_resolution=7)
    revise_topic(topic_id=town[0].pk, definition=coarse, actor_id=boss.pk, now=LATER)
    tighten_publications(topic_id=town[0].pk, now=LATER)
    places = Publication.objects.filter(topic=town[0]).values_list("latitude", "cell")
    assert all(latitude is not None and cell is not None for latitude, cell in places)
    all_counted(LATER)
    assert figures() == counted_anew(LATER)


def test_taken_off_the_public_pages_the_frame_goes_too(town: list[Topic], officer: User) -> None:
    all_counted(LATER)
    purge(LATER)
    report = Report.objects.filter(topic=town[0]).first()
    assert report is not None
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=LATER)
    all_counted(LATER)
    purge(LATER)
    assert not Report.objects.filter(pk=report.pk).exists()
    assert figures() == counted_anew(LATER)


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "erase", "erase report", "purge", "count", "month"]), st.integers(0, 11)),
    max_size=12,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_goes_in_whatever_order_counting_anew_finds_the_same(db: None, steps: list[tuple[str, int]]) -> None:
    from django.db import transaction

    point = transaction.savepoint()
    try:
        _play(steps)
    finally:
        transaction.savepoint_rollback(point)


def _play(steps: list[tuple[str, int]]) -> None:
    now = NOW
    unit = make.fallback()
    officer = make.make_user(role=Role.OFFICER, unit=unit)
    topics = [
        make.make_topic(public_resolution=9),
        make.make_topic(publishes=Publishes.COUNTS, smallest_count=3, public_resolution=8),
    ]
    for step, number in [("publish", one) for one in range(4)] + steps:
        contacts = list(Contact.objects.order_by("pk"))
        reports = list(Report.objects.order_by("pk"))
        if step == "publish":
            new = number % 3 == 0 or not contacts
            contact = make.make_contact(now=now) if new else contacts[number % len(contacts)]
            report = make.make_report(topic=topics[number % 2], contact=contact, now=now)
            publish_report(report_id=report.pk, title="A lamp", text="Dark", actor=officer, now=now)
        elif step == "erase" and contacts:
            kinds = {"texts": number % 2 == 0, "withdraw": number % 3 == 0}
            erase_contact(contact_id=contacts[number % len(contacts)].pk, now=now, **kinds)
        elif step == "erase report" and reports:
            erase_report(report_id=reports[number % len(reports)].pk, now=now)
        elif step == "purge":
            now += 750 * DAY
            purge(now)
        elif step == "count":
            all_counted(now)
        elif step == "month":
            now += 31 * DAY
    all_counted(now)
    purge(now)
    all_counted(now)
    found = figures()
    assert counted_anew(now) == found
    purge(now)
    assert counted_anew(now) == found
