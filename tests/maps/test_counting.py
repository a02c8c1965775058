"""Counted once: whatever happens to reports in whatever order, the counts are those of counting anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.maps import rules
from commonbeat.maps.actions import recount
from commonbeat.maps.models import Bucket, Change, Counted, LeftBehind, MakeUp, Revision, Term, Waiting
from commonbeat.maps.queries import buckets, totals
from commonbeat.people.models import Role, User
from commonbeat.reactions.counting import _rows, count_batch, rebuild
from commonbeat.reports.actions.correct import correct_topic
from commonbeat.reports.actions.incidents import merge_reports, unmerge_report
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.actions.tighten import tighten_publications
from commonbeat.reports.actions.work import expire_reports, move_report
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Publication, Report
from commonbeat.reports.queries.counting import contributions, public_contributions
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW
from tests.maps.brute import by_category, by_period, listed

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def lamps(unit: object) -> Topic:
    """Give a topic that publishes each report."""
    return make.make_topic("street-light", public_resolution=10)


@pytest.fixture
def harassment(unit: object) -> Topic:
    """Give a topic that publishes only counts of five and more, by month."""
    return make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8)


def catch_up(now: datetime) -> None:
    """Count until nothing is left."""
    while count_batch(now):
        pass


def published(topic: Topic, actor: User, *, now: datetime = NOW, **more: Any) -> Report:
    report = make.make_report(topic=topic, now=now, **more)
    publish_report(report_id=report.pk, title="A lamp", text="It is dark.", actor=actor, now=now)
    return report


def state() -> tuple[Any, ...]:
    """Give all that counting anew must arrive at too."""
    return (
        list(Counted.objects.order_by("pk").values()),
        sorted(buckets().values_list("topic_id", "category", "cell", "period", "is_drawn", "n", "senders", "sources")),
        sorted(Term.objects.values_list("topic_id", "period", "drawn_at", "fewest", "untold")),
        list(
            MakeUp.objects.order_by("topic_id", "month").values("topic_id", "month", "drawn_at", "shares", "withheld")
        ),
        list(LeftBehind.objects.order_by("publication_id", "topic_id").values("publication_id", "topic_id", "period")),
        sorted(Waiting.objects.values_list("publication_id", "due_at")),
    )


def test_a_published_report_counts_at_its_public_place_once(lamps: Topic, officer: User) -> None:
    report = published(lamps, officer, categories=["second", "first"])
    catch_up(NOW)
    cell = cells.cell_of(make.LATITUDE, make.LONGITUDE, 10)
    row = ("second", cell, rules.day_number(NOW.date()), False, 1, 1)
    assert list(Bucket.objects.values_list("category", "cell", "period", "is_drawn", "n", "sources")) == [row]
    assert recount(rows=_rows(contributions([report.pk])), now=NOW) == 0
    assert totals(buckets(lamps.pk)).total == 1


def test_what_is_withdrawn_counts_no_more(lamps: Topic, officer: User) -> None:
    report = published(lamps, officer)
    catch_up(NOW)
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up(NOW)
    assert (Bucket.objects.count(), Counted.objects.count()) == (0, 0)
    assert sum(Change.objects.values_list("n", flat=True)) == 0
    assert Revision.objects.get().number == 2


def test_held_and_unpublished_reports_do_not_count(lamps: Topic, officer: User) -> None:
    make.make_report(topic=lamps)
    report = make.make_report(topic=lamps)
    text = "Call me at +383 44 123 456 about it."
    publish_report(report_id=report.pk, title="A lamp", text=text, actor=officer, now=NOW)
    catch_up(NOW)
    assert Counted.objects.count() == 0


def test_a_delay_is_kept_and_ends_by_itself(unit: object, officer: User) -> None:
    topic = make.make_topic("stolen-goods", delay_hours=24)
    report = published(topic, officer)
    catch_up(NOW)
    assert (Counted.objects.count(), Waiting.objects.count()) == (0, 1)
    assert listed(topic.pk, now=NOW) == 0
    catch_up(NOW + timedelta(hours=25))
    assert (Counted.objects.count(), Waiting.objects.count()) == (1, 0)
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up(NOW + timedelta(hours=25))
    assert Counted.objects.count() == 0


def test_what_is_withdrawn_while_it_waits_never_counts(unit: object, officer: User) -> None:
    report = published(make.make_topic("stolen-goods", delay_hours=24), officer)
    catch_up(NOW)
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up(NOW)
    catch_up(NOW + 2 * DAY)
    assert (Counted.objects.count(), Waiting.objects.count()) == (0, 0)


def test_the_cursor_and_the_count_move_together(lamps: Topic, officer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    published(lamps, officer)

    def broken(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("commonbeat.reactions.counting.move_cursor", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        count_batch(NOW)
    assert Counted.objects.count() == 0
    monkeypatch.undo()
    catch_up(NOW)
    assert totals(buckets()).total == 1


def test_counts_alone_appear_only_when_their_period_is_over(harassment: Topic, officer: User) -> None:
    for _ in range(6):
        published(harassment, officer)
    catch_up(NOW)
    catch_up(NOW + 10 * DAY)
    assert Bucket.objects.count() == 0
    catch_up(NOW + 20 * DAY)
    cell = cells.cell_of(make.LATITUDE, make.LONGITUDE, 8)
    assert list(Bucket.objects.values_list("cell", "is_drawn", "n")) == [(cell, True, 6)]


def test_a_drawn_period_never_changes(harassment: Topic, officer: User) -> None:
    reports = [published(harassment, officer) for _ in range(6)]
    catch_up(NOW)
    catch_up(NOW + 20 * DAY)
    before = list(Bucket.objects.values())
    assert [bucket["n"] for bucket in before] == [6]
    later = NOW + 21 * DAY
    move_report(report_id=reports[0].pk, to_state="triaged", actor=officer, now=later)
    catch_up(later)
    publish_report(report_id=reports[0].pk, title="A lamp", text="It is dark.", actor=officer, now=later)
    where = Whereabouts(source="desk", latitude=42.0, longitude=20.0)
    place_report(report_id=reports[1].pk, where=where, actor_id=officer.pk, now=later)
    catch_up(later)
    catch_up(later + 60 * DAY)
    rebuild(later + 60 * DAY)
    assert list(Bucket.objects.values()) == before


def test_what_comes_late_counts_in_the_present_period(harassment: Topic, officer: User) -> None:
    for _ in range(5):
        published(harassment, officer)
    catch_up(NOW)
    later = NOW + 20 * DAY
    catch_up(later)
    for _ in range(5):
        report = make.make_report(topic=harassment)
        publish_report(report_id=report.pk, title="A lamp", text="It is dark.", actor=officer, now=NOW)
    catch_up(later)
    assert by_period(buckets()) == [5]
    catch_up(later + 40 * DAY)
    assert by_period(buckets()) == [5, 5]


def test_old_reports_of_a_file_are_drawn_when_the_present_period_ends(harassment: Topic, officer: User) -> None:
    for _ in range(7):
        published(harassment, officer, now=NOW - 400 * DAY)
    catch_up(NOW)
    assert Bucket.objects.count() == 0
    rebuild(NOW)
    assert Bucket.objects.count() == 0
    rebuild(NOW, redraw=True)
    assert totals(buckets()).placed == 7


def test_totals_reconcile(lamps: Topic, officer: User) -> None:
    for index in range(4):
        published(lamps, officer, categories=["first"] if index else [])
    published(lamps, officer, latitude=None, longitude=None)
    catch_up(NOW)
    found = totals(buckets(lamps.pk))
    assert (found.placed, found.without_place, found.merged) == (4, 1, 0)
    assert found.total == listed(lamps.pk, now=NOW)
    assert by_category(buckets(lamps.pk)) == {"first": 3, "": 2}


def test_rebuilding_reads_in_chunks(lamps: Topic, officer: User) -> None:
    for _ in range(5):
        published(lamps, officer)
    assert [len(chunk.publication_id) for chunk in public_contributions(2)] == [2, 2, 1]


def test_counting_a_batch_costs_as_many_queries_whatever_its_size(
    lamps: Topic, officer: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        published(lamps, officer)
    with django_assert_max_num_queries(32):
        assert count_batch(NOW) == 24


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "withdraw", "move", "merge", "undo", "resolve", "expire", "sort", "wait", "count"]),
        st.integers(0, 11),
        st.integers(0, 3),
    ),
    min_size=3,
    max_size=25,
)
PLACES = [(42.38, 20.43), (42.381, 20.431), (41.9, 20.1), (None, None)]


class Town:
    """Play the steps of a history."""

    def __init__(self) -> None:
        self.now = NOW
        unit = make.fallback()
        self.officer = make.make_user(role=Role.SUPERVISOR, unit=unit)
        phone, other = make.make_contact(), make.make_contact()
        self.topics = [
            make.make_topic("lamps", public_resolution=10),
            make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=3, public_resolution=8),
            make.make_topic("stolen", delay_hours=48, expiry_days=20),
        ]
        self.reports = [
            make.make_report(
                topic=self.topics[i % 3],
                latitude=PLACES[i % 4][0],
                longitude=PLACES[i % 4][1],
                contact=contact,
            )
            for i, contact in enumerate([phone, other, phone, None, phone, other, None, other, phone, None, None, None])
        ]

    def play(self, step: str, one: int, other: int) -> None:
        pk, actor, now = self.reports[one].pk, self.officer, self.now
        latitude, longitude = PLACES[other]
        try:
            with transaction.atomic():
                if step == "publish":
                    publish_report(report_id=pk, title="A lamp", text="It is dark.", actor=actor, now=now)
                elif step == "withdraw":
                    move_report(report_id=pk, to_state="triaged", actor=actor, now=now)
                elif step == "resolve":
                    move_report(report_id=pk, to_state="resolved", actor=actor, now=now)
                elif step == "move":
                    where = Whereabouts(source="desk", latitude=latitude, longitude=longitude)
                    place_report(report_id=pk, where=where, actor_id=actor.pk, now=now)
                elif step == "merge":
                    merge_reports(report_id=pk, other_ids=[self.reports[other].pk], actor=actor, now=now)
                elif step == "undo":
                    unmerge_report(report_id=pk, actor=actor, now=now)
                elif step == "sort":
                    correct_topic(report_id=pk, topic_id=self.topics[other % 3].pk, actor=actor, now=now)
                elif step == "expire":
                    expire_reports(now=now)
                elif step == "wait":
                    self.now = now + (1 + 10 * other) * DAY
                elif step == "count":
                    catch_up(now)
        except ReportError:
            pass


@given(steps=STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counting_step_by_step_equals_counting_anew(db: None, steps: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        town = Town()
        for step in steps:
            town.play(*step)
        catch_up(town.now)
        before = state()
        rebuild(town.now)
        assert state() == before
        for topic in (town.topics[0], town.topics[2]):
            assert totals(buckets(topic.pk)).total == listed(topic.pk, now=town.now)
        drawn = buckets().filter(is_drawn=True)
        assert all(n >= sources >= 3 for n, sources in drawn.values_list("n", "sources"))
        assert {(each.key, each.sources) for each in _singles()} == {
            ((row.topic_id, row.category, row.cell, row.period), row.sources)
            for row in buckets().filter(is_drawn=False)
        }
        _changes_add_up()
        transaction.set_rollback(True)


class Single(NamedTuple):
    key: tuple[int, str, int, int]
    sources: int


def _singles() -> list[Single]:
    """Count senders as anybody would who may read reports."""
    senders: dict[tuple[int, str, int, int], set[object]] = defaultdict(set)
    sent_by = dict(Publication.objects.values_list("pk", "report__contact_id"))
    counts: Counter[tuple[int, str, int, int]] = Counter()
    for row in Counted.objects.filter(is_single=True):
        counts[row.topic_id, row.category, row.cell, row.period] += 1
        sender = sent_by[row.publication_id]
        senders[row.topic_id, row.category, row.cell, row.period].add(object() if sender is None else sender)
    return [
        # Of few reports, or few senders, it is not told that somebody wrote two.
        Single(key, len(some) if counts[key] >= 5 and len(some) >= 3 else counts[key])
        for key, some in senders.items()
    ]


def _changes_add_up() -> None:
    """After the last reading of everything, what the changes say must be what the buckets hold."""
    sums: Counter[tuple[Any, ...]] = Counter()
    for *key, n in Change.objects.values_list("topic_id", "category", "cell", "period", "n"):
        sums[tuple(key)] += n
    # Nothing has changed since the rebuild.
    assert not sums
    assert Revision.objects.get().floor == Revision.objects.get().number
    assert Publication.objects.count() >= Counted.objects.count()


def test_a_topic_that_turns_to_counts_takes_its_single_marks_off_the_map(lamps: Topic, officer: User) -> None:
    for _n in range(2):
        published(lamps, officer)
    catch_up(NOW)
    assert totals(buckets(lamps.pk)).total == 2
    stricter = msgspec.structs.replace(lamps.definition, publishes=Publishes.COUNTS, smallest_count=5)
    revise_topic(topic_id=lamps.pk, definition=stricter, actor_id=None, now=NOW)
    tighten_publications(topic_id=lamps.pk, now=NOW)
    catch_up(NOW)
    # Two are fewer than five: nothing of them is told, now or when the month ends.
    assert totals(buckets(lamps.pk)).total == 0
    catch_up(NOW + 62 * DAY)
    assert totals(buckets(lamps.pk)).total == 0
