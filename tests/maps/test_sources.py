"""Senders: each once in a bucket, nobody beyond it, and one phone is no crowd."""

from __future__ import annotations

from typing import Any

import pytest

from commonbeat.maps.models import Counted, Term
from commonbeat.maps.queries import buckets
from commonbeat.people.models import User
from commonbeat.reactions.counting import count_batch
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.actions.work import move_report
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW
from tests.maps.test_counting import DAY, catch_up, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def lamps(unit: object) -> Topic:
    return make.make_topic("street-light", public_resolution=10)


@pytest.fixture
def harassment(unit: object) -> Topic:
    return make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8)


def senders() -> list[tuple[int, int]]:
    """Give n and the senders of each bucket."""
    return sorted(buckets().values_list("n", "senders"))


def told() -> list[tuple[int, int]]:
    """Give n and the senders of each bucket, as it is told."""
    return sorted(buckets().values_list("n", "sources"))


def test_a_contact_counts_once_in_a_bucket_and_nobody_knows_of_the_others(lamps: Topic, officer: User) -> None:
    phone, other = make.make_contact(), make.make_contact()
    reports = [published(lamps, officer, contact=each) for each in (phone, phone, other, None, None)]
    catch_up(NOW)
    assert senders() == told() == [(5, 4)]
    move_report(report_id=reports[0].pk, to_state="triaged", actor=officer, now=NOW)
    catch_up(NOW)
    assert senders() == [(4, 4)], "the other report of the same phone is still there"
    move_report(report_id=reports[1].pk, to_state="triaged", actor=officer, now=NOW)
    catch_up(NOW)
    assert senders() == [(3, 3)]
    where = Whereabouts(source="desk", latitude=42.0, longitude=20.0)
    place_report(report_id=reports[2].pk, where=where, actor_id=officer.pk, now=NOW)
    catch_up(NOW)
    assert senders() == [(1, 1), (2, 2)]
    assert sum(sources for _, sources in told()) == 3


def test_one_phone_is_no_crowd_however_often_it_writes(harassment: Topic, officer: User) -> None:
    phone = make.make_contact()
    for _ in range(9):
        published(harassment, officer, contact=phone)
    catch_up(NOW)
    catch_up(NOW + 40 * DAY)
    assert senders() == []
    assert Term.objects.get().untold == 9


def test_a_contact_cannot_be_followed_from_period_to_period(lamps: Topic, officer: User) -> None:
    phone, dumps = make.make_contact(), make.make_topic("dumps")
    for topic, days in ((lamps, 0), (lamps, 0), (lamps, 1), (dumps, 0)):
        published(topic, officer, contact=phone, now=NOW + days * DAY)
    catch_up(NOW + DAY)
    sources = list(Counted.objects.order_by("pk").values_list("source", flat=True))
    # Not even in the part that comes of the contact.
    first, again, next_day, elsewhere = (source & ((1 << 47) - 1) for source in sources if source is not None)
    assert first == again
    assert len({first, next_day, elsewhere, phone.pk}) == 4


def test_a_batch_asks_for_its_senders_once(lamps: Topic, officer: User, django_assert_max_num_queries: Any) -> None:
    phones = [make.make_contact() for _ in range(4)]
    for index in range(24):
        published(lamps, officer, contact=phones[index % 4])
    with django_assert_max_num_queries(34):
        count_batch(NOW)
    assert senders() == [(24, 4)]
