"""Who is a sender, and what was promised to those who wait among others: tried by somebody who wants to know of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from commonbeat.maps import rules
from commonbeat.maps.make_up import reliable
from commonbeat.maps.models import Change, Counted, LeftBehind, MakeUp, Rated, RatingSum, Term
from commonbeat.maps.queries import buckets
from commonbeat.people.models import User
from commonbeat.reactions import auditing
from commonbeat.reactions.counting import rebuild
from commonbeat.reports.actions.contacts import confirm_contact
from commonbeat.reports.actions.correct import correct_topic
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.tighten import tighten_publications
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.queries.counting import sendings
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Field, FieldKind, Period, Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW
from tests.maps.test_counting import DAY, catch_up, published, state

pytestmark = pytest.mark.django_db
LATER = NOW + 40 * DAY
HIDDEN: dict[str, Any] = {"contact_confirmed": False}


@pytest.fixture
def lamps(unit: object) -> Topic:
    return make.make_topic("street-light", public_resolution=10)


@pytest.fixture
def harassment(unit: object) -> Topic:
    return make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=3, public_resolution=8)


@pytest.fixture
def audit(unit: object) -> Topic:
    field = Field(code="light", kind=FieldKind.RATING, label={"en": "Light"}, weight=1.0)
    return make.make_topic("safety-audit", smallest_count=3, public_resolution=11, categories=[], fields=[field])


def revise(topic: Topic, now: datetime = NOW, **more: Any) -> Topic:
    found = Topic.objects.select_related("current").get(pk=topic.pk)
    changed = msgspec.structs.replace(found.definition, **more)
    revise_topic(topic_id=topic.pk, definition=changed, actor_id=None, now=now)
    return Topic.objects.select_related("current").get(pk=topic.pk)


def told() -> list[tuple[int, int]]:
    return sorted(buckets().values_list("n", "sources"))


def rate(now: datetime = NOW) -> None:
    while auditing.rate_batch(now):
        pass


def test_a_number_that_somebody_typed_is_nobodys(harassment: Topic, officer: User) -> None:
    victim = make.make_contact()
    published(harassment, officer, contact=victim)
    for contact in (make.make_contact(), victim):
        published(harassment, officer, contact=contact, **HIDDEN)
    catch_up(NOW)
    # Were the typed number the victim's, two would be too few, and who typed it would know of the victim.
    assert Counted.objects.filter(source=None).count() == 2
    assert [row.sender for row in sendings(list(Counted.objects.order_by("pk").values_list("pk", flat=True)))] == [
        victim.pk,
        None,
        None,
    ]
    catch_up(LATER)
    assert told() == [(3, 3)]


def test_a_number_that_is_confirmed_is_its_senders_until_the_month_is_drawn(harassment: Topic, officer: User) -> None:
    phone = make.make_contact()
    for _ in range(3):
        published(harassment, officer, contact=phone, **HIDDEN)
    catch_up(NOW)
    confirm_contact(contact_id=phone.pk, since=NOW - DAY, now=NOW)
    catch_up(NOW)
    assert len(set(Counted.objects.values_list("source", flat=True)) - {None}) == 1
    before = state()
    rebuild(NOW)
    assert state() == before
    catch_up(LATER)
    assert told() == []


def test_what_is_confirmed_after_the_drawing_changes_nothing(harassment: Topic, officer: User) -> None:
    phone = make.make_contact()
    for _ in range(3):
        published(harassment, officer, contact=phone, **HIDDEN)
    catch_up(NOW)
    catch_up(LATER)
    before = state()
    confirm_contact(contact_id=phone.pk, since=NOW - DAY, now=LATER)
    catch_up(LATER)
    rebuild(LATER)
    assert state() == before


def test_of_few_public_reports_nobody_learns_who_wrote_two(lamps: Topic, officer: User) -> None:
    phone, other = make.make_contact(), make.make_contact()
    for _ in range(4):
        published(lamps, officer, contact=phone)
    catch_up(NOW)
    assert told() == [(4, 4)]
    published(lamps, officer, contact=other)
    catch_up(NOW)
    assert told() == [(5, 5)], "of two senders each would know the other"
    published(lamps, officer)
    catch_up(NOW)
    assert told() == [(6, 3)]
    # Who follows the changes arrives at what the buckets tell.
    assert [sum(Change.objects.values_list(name, flat=True)) for name in ("n", "sources")] == [6, 3]
    before = state()
    rebuild(NOW)
    assert state() == before


def test_one_account_is_no_crowd(harassment: Topic, officer: User) -> None:
    for _ in range(4):
        published(harassment, officer, reporter_id=officer.pk)
    catch_up(NOW)
    assert Counted.objects.values("source").distinct().count() == 1
    assert {row.sender for row in sendings(list(Counted.objects.values_list("pk", flat=True)))} == {-officer.pk}
    catch_up(LATER)
    assert told() == []


def test_what_could_be_read_singly_is_no_cover_for_what_cannot(lamps: Topic, officer: User) -> None:
    for _ in range(2):
        published(lamps, officer)
    catch_up(NOW)
    revise(lamps, publishes=Publishes.COUNTS, smallest_count=3)
    tighten_publications(topic_id=lamps.pk, now=NOW)
    rebuild(NOW)
    assert Counted.objects.filter(was_single=True).count() == 2
    published(lamps, officer)
    catch_up(NOW)
    before = state()
    rebuild(NOW)
    assert state() == before
    catch_up(LATER)
    assert told() == []
    assert Term.objects.get(drawn_at__isnull=False).untold == 3


def test_both_kinds_are_told_in_one_bucket_where_each_is_enough(lamps: Topic, officer: User) -> None:
    for _ in range(3):
        published(lamps, officer)
    catch_up(NOW)
    revise(lamps, publishes=Publishes.COUNTS, smallest_count=3)
    tighten_publications(topic_id=lamps.pk, now=NOW)
    for _ in range(4):
        published(lamps, officer)
    catch_up(NOW)
    catch_up(LATER)
    assert told() == [(7, 7)]


@pytest.mark.parametrize("counted_before", [True, False])
def test_a_promise_of_twenty_holds_though_three_are_enough_now(
    harassment: Topic, officer: User, counted_before: bool
) -> None:
    strict = revise(harassment, smallest_count=20)
    for _ in range(4):
        published(strict, officer)
    if counted_before:
        catch_up(NOW)
    revise(harassment, smallest_count=3)
    catch_up(NOW)
    published(harassment, officer)
    catch_up(NOW)
    catch_up(LATER)
    rebuild(LATER)
    assert told() == []
    assert Term.objects.get().fewest == 20
    assert not MakeUp.objects.filter(drawn_at__isnull=False).exclude(shares={}).exists()


@pytest.mark.parametrize("summed_before", [True, False])
def test_a_promise_of_twenty_holds_for_scores_too(audit: Topic, officer: User, summed_before: bool) -> None:
    strict = revise(audit, smallest_count=20)
    for _ in range(3):
        published(strict, officer, answers={"light": 1})
    if summed_before:
        rate()
    weak = revise(audit, smallest_count=3)
    rate()
    published(weak, officer, answers={"light": 2})
    rate()
    auditing.rebuild(NOW)
    assert (RatingSum.objects.count(), Rated.objects.filter(is_drawn=True).count()) == (0, 0)


def test_a_typed_number_is_nobodys_in_scores_either(audit: Topic, officer: User) -> None:
    victim = make.make_contact()
    published(audit, officer, contact=victim, answers={"light": 1})
    published(audit, officer, contact=victim, answers={"light": 1}, **HIDDEN)
    rate()
    assert list(Rated.objects.order_by("pk").values_list("source", flat=True))[1] is None
    confirm_contact(contact_id=victim.pk, since=NOW - DAY, now=NOW)
    rate()
    assert Rated.objects.values("source").distinct().count() == 1


def test_a_month_that_begins_like_a_drawn_week_is_not_lost(unit: object, officer: User) -> None:
    # The 1st of June 2026 is a Monday.
    june = datetime(2026, 6, 2, 9, tzinfo=UTC)
    week = make.make_topic("violence", publishes=Publishes.COUNTS, smallest_count=3, period=Period.WEEK)
    for _ in range(3):
        published(week, officer, now=june)
    catch_up(june)
    catch_up(june + 7 * DAY)
    month = revise(week, now=june + 8 * DAY, period=Period.MONTH)
    for _ in range(4):
        published(month, officer, now=june + 9 * DAY)
    catch_up(june + 9 * DAY)
    before = state()
    rebuild(june + 9 * DAY)
    assert state() == before
    catch_up(june + 70 * DAY)
    assert told() == [(3, 3), (4, 4)]


@pytest.mark.parametrize("first", [0, 1])
def test_what_was_drawn_is_never_counted_again_in_its_topic(harassment: Topic, officer: User, first: int) -> None:
    violence = make.make_topic("violence", publishes=Publishes.COUNTS, smallest_count=3, public_resolution=8)
    reports = [published(harassment, officer) for _ in range(4)]
    catch_up(NOW)
    catch_up(LATER)
    row = Counted.objects.filter(topic_id=harassment.pk).values().first()
    assert row is not None
    count: list[Callable[[datetime], object]] = [catch_up, rebuild]
    for step, topic in enumerate((violence, harassment, violence, harassment)):
        now = LATER + step * timedelta(hours=1)
        for report in reports:
            move_report(report_id=report.pk, to_state="triaged", actor=officer, now=now)
            correct_topic(report_id=report.pk, topic_id=topic.pk, actor=officer, now=now)
            publish_report(report_id=report.pk, title="A bus", text="It was late.", actor=officer, now=now)
        # By and by, and anew: both know of it.
        count[(step + first) % 2](now)
        assert Counted.objects.filter(topic_id=topic.pk).count() == 4
        before = state()
        rebuild(now)
        assert state() == before
    assert LeftBehind.objects.count() == 4
    assert Counted.objects.filter(pk=row["publication_id"]).values().get() == row
    catch_up(LATER + 100 * DAY)
    assert told() == [(4, 4)]


def test_that_a_kind_is_told_says_nothing_of_one_report() -> None:
    shares = {"language": {"en": 9}}
    assert all(reliable(shares, {"language": missing}, 5) == shares for missing in range(5))
    assert all(reliable({"language": {"en": 99}}, {"language": missing}, 5) == {} for missing in range(10, 15))


def test_few_are_told_as_many_senders_as_reports() -> None:
    assert [rules.told_senders(*each) for each in ((0, 0), (4, 3), (5, 2), (5, 3), (9, 4))] == [0, 4, 5, 3, 4]
