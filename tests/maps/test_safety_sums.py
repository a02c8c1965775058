"""Ratings are summed once, told only among those of enough people, and never taken back."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.maps.models import Rated, RatingSum
from commonbeat.maps.safety_sheet import WHOLE
from commonbeat.people.models import User
from commonbeat.reactions.auditing import rate_batch, rebuild
from commonbeat.reports.actions.correct import correct_topic
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Report
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Definition, Field, FieldKind, Option, Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SPOT = {"latitude": make.LATITUDE, "longitude": make.LONGITUDE}
ELSEWHERE = {"latitude": make.LATITUDE + 0.01, "longitude": make.LONGITUDE}


def rating(code: str, weight: float | None = 1.0) -> Field:
    return Field(code=code, kind=FieldKind.RATING, label={"en": code.capitalize()}, weight=weight)


@pytest.fixture
def audit(unit: object) -> Topic:
    """Give a topic whose ratings make a score."""
    fields = [rating("lighting"), rating("people"), rating("feeling", 0.0), rating("noise", None)]
    return make.make_topic("safety-audit", public_resolution=11, categories=[], fields=fields)


@pytest.fixture
def lamps(unit: object) -> Topic:
    """Give a topic about lamps, each report published."""
    kinds = [
        Option(code="out", label={"en": "Out"}, lighting=0),
        Option(code="flickers", label={"en": "F"}, lighting=1),
    ]
    return make.make_topic("street-light", public_resolution=11, categories=[*kinds, Option("other", {"en": "Other"})])


def catch_up(now: datetime = NOW) -> None:
    """Sum up until nothing is left."""
    while rate_batch(now):
        pass


def published(topic: Topic, actor: User, *, now: datetime = NOW, **more: Any) -> Report:
    report = make.make_report(topic=topic, now=now, **{**SPOT, **more})
    publish_report(report_id=report.pk, title="A place", text="One stands there.", actor=actor, now=now)
    return report


def at(spot: dict[str, float]) -> Whereabouts:
    return Whereabouts(source="desk", latitude=spot["latitude"], longitude=spot["longitude"])


def audits(topic: Topic, actor: User, *ratings: dict[str, int], **more: Any) -> list[Report]:
    return [published(topic, actor, answers=one, **more) for one in ratings]


def told() -> dict[str, tuple[int, float, float]]:
    """Give what is public: the sums of all places together."""
    found: dict[str, tuple[int, float, float]] = defaultdict(lambda: (0, 0.0, 0.0))
    for parameter, *values in RatingSum.objects.values_list("parameter", "n", "total", "squares"):
        found[parameter] = tuple(a + b for a, b in zip(found[parameter], values, strict=True))  # type: ignore[assignment]
    return {code: values for code, values in found.items() if code != WHOLE}


def state() -> tuple[Any, ...]:
    """Give all that summing anew must arrive at too."""
    return (
        sorted(Rated.objects.values_list("publication_id", "cell", "day", "is_single", "is_drawn", "due_at")),
        sorted(RatingSum.objects.values_list("topic_id", "cell", "period", "parameter", "n", "total", "squares")),
    )


def test_three_people_make_a_sum_and_two_do_not(audit: Topic, officer: User) -> None:
    audits(audit, officer, {"lighting": 1, "people": 3, "noise": 2}, {"lighting": 2, "people": 3})
    catch_up()
    assert not RatingSum.objects.exists()
    audits(audit, officer, {"lighting": 0, "people": 0, "feeling": 1})
    catch_up()
    # The feeling of one person, and a rating without a weight, are told nowhere.
    assert told() == {"lighting": (3, 3, 5), "people": (3, 6, 18)}
    row = RatingSum.objects.filter(parameter="lighting").get()
    assert row.cell == cells.cell_of(make.LATITUDE, make.LONGITUDE, 10), "a place with a score is coarser than a pin"
    whole = RatingSum.objects.get(parameter=WHOLE)
    assert (whole.n, round(whole.total, 6)) == (3, round((4 + 5 + 0) / 6 * 100, 6))


def test_what_is_drawn_forgets_who_said_what(audit: Topic, officer: User) -> None:
    audits(audit, officer, *[{"lighting": n} for n in (1, 2, 3)], contact=None)
    catch_up()
    assert set(Rated.objects.values_list("is_drawn", "source")) == {(True, None)}
    assert [rated.ratings for rated in Rated.objects.all()] == [{}, {}, {}]


def test_one_person_three_times_is_one_person(audit: Topic, officer: User) -> None:
    one, two, three = make.make_contact(), make.make_contact(), make.make_contact()
    audits(audit, officer, *[{"lighting": 0}] * 4, contact=one)
    audits(audit, officer, {"lighting": 3}, contact=two)
    catch_up()
    assert not RatingSum.objects.exists()
    audits(audit, officer, {"lighting": 3}, contact=three)
    catch_up()
    assert told() == {"lighting": (6, 6, 18)}


def test_no_difference_of_two_scores_tells_of_fewer_than_three_people(audit: Topic, officer: User) -> None:
    """Attack: keep every score that was ever published, publish, withdraw and move, and subtract."""
    seen: list[dict[str, tuple[int, float, float]]] = [{}]
    reports = []
    for lighting in (0, 3, 1, 2, 0, 3, 3, 1):
        reports += audits(audit, officer, {"lighting": lighting, "people": 3 - lighting})
        catch_up()
        seen.append(told())
    for report in reports[:4]:
        move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
        catch_up()
        seen.append(told())
    place_report(report_id=reports[5].pk, where=at(ELSEWHERE), actor_id=None, now=NOW)
    catch_up()
    seen.append(told())
    numbers = [one.get("lighting", (0, 0, 0))[0] for one in seen]
    assert numbers[-1] == 6, "what was told is never taken back, and two wait"
    steps = {abs(a - b) for a in numbers for b in numbers}
    assert not steps & {1, 2}


def test_what_was_told_once_is_not_told_again(audit: Topic, officer: User) -> None:
    reports = audits(audit, officer, *[{"lighting": 1}] * 3)
    catch_up()
    for report in reports:
        move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up()
    for report in reports:
        publish_report(report_id=report.pk, title="A place", text="Again.", actor=officer, now=NOW)
        place_report(report_id=report.pk, where=at(ELSEWHERE), actor_id=None, now=NOW)
    catch_up()
    assert told() == {"lighting": (3, 3, 3)}


def test_what_is_withdrawn_in_time_is_in_no_sum(audit: Topic, officer: User) -> None:
    first, *_ = audits(audit, officer, {"lighting": 0}, {"lighting": 1})
    catch_up()
    move_report(report_id=first.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up()
    audits(audit, officer, {"lighting": 2}, {"lighting": 3})
    catch_up()
    assert told() == {"lighting": (3, 6, 14)}


def test_a_place_that_is_corrected_in_time_counts_where_it_is(audit: Topic, officer: User) -> None:
    first, *_ = audits(audit, officer, {"lighting": 0}, {"lighting": 1})
    catch_up()
    place_report(report_id=first.pk, where=at(ELSEWHERE), actor_id=None, now=NOW)
    catch_up()
    both = {cells.cell_of(spot["latitude"], spot["longitude"], 10) for spot in (SPOT, ELSEWHERE)}
    assert set(Rated.objects.values_list("cell", flat=True)) == both


def test_an_audit_that_moves_to_another_topic_rates_nothing(audit: Topic, officer: User) -> None:
    first, *_ = audits(audit, officer, {"lighting": 0}, {"lighting": 1})
    catch_up()
    move_report(report_id=first.pk, to_state="triaged", actor=officer, now=NOW)
    correct_topic(report_id=first.pk, topic_id=make.make_topic("other").pk, actor=officer, now=NOW)
    # Read only now, when it is public again under a topic that rates nothing.
    publish_report(report_id=first.pk, title="A place", text="Other.", actor=officer, now=NOW)
    catch_up()
    assert Rated.objects.count() == 1


def test_a_delay_is_kept(audit: Topic, officer: User) -> None:
    slow = make.make_topic("safety-audit", fields=audit.definition.fields, delay_hours=24)
    audits(slow, officer, *[{"lighting": 1}] * 3)
    catch_up()
    assert not RatingSum.objects.exists()
    catch_up(NOW + 2 * DAY)
    assert told() == {"lighting": (3, 3, 3)}


def test_a_topic_that_tells_only_counts_has_no_scores(unit: object, officer: User) -> None:
    topic = make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=3, fields=[rating("lighting")])
    audits(topic, officer, *[{"lighting": 1}] * 5)
    catch_up()
    rebuild(NOW)
    assert not Rated.objects.exists()


def test_lamps_count_at_once_until_they_are_repaired(lamps: Topic, officer: User) -> None:
    first = published(lamps, officer, categories=["out"])
    published(lamps, officer, categories=["flickers"])
    published(lamps, officer, categories=["other"])
    catch_up()
    assert told() == {"lighting": (2, 1, 1)}
    move_report(report_id=first.pk, to_state="resolved", actor=officer, now=NOW)
    catch_up()
    assert told() == {"lighting": (1, 1, 1)}
    move_report(report_id=first.pk, to_state="triaged", actor=officer, now=NOW)
    publish_report(report_id=first.pk, title="A lamp", text="Dark again.", actor=officer, now=NOW)
    catch_up()
    assert told() == {"lighting": (2, 1, 1)}


def test_a_lamp_with_a_delay_counts_when_it_is_public(lamps: Topic, officer: User) -> None:
    slow = make.make_topic("street-light", categories=lamps.definition.categories, delay_hours=24)
    first = published(slow, officer, categories=["out"])
    published(slow, officer, categories=["out"])
    catch_up()
    assert told() == {}
    move_report(report_id=first.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up()
    assert told() == {}
    catch_up(NOW + 2 * DAY)
    assert told() == {"lighting": (1, 0, 0)}


def test_a_lamp_topic_that_turns_to_counts_is_in_no_sum(lamps: Topic, officer: User) -> None:
    from commonbeat.reports.actions.tighten import tighten_publications

    published(lamps, officer, categories=["out"])
    catch_up()
    stricter = Definition(
        name={"en": "Lamps"}, categories=lamps.definition.categories, publishes=Publishes.COUNTS, smallest_count=3
    )
    revise_topic(topic_id=lamps.pk, definition=stricter, actor_id=None, now=NOW)
    tighten_publications(topic_id=lamps.pk, now=NOW)
    catch_up()
    assert told() == {}


def test_the_cursor_and_the_sums_move_together(audit: Topic, officer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    audits(audit, officer, *[{"lighting": 1}] * 3)

    def broken(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("commonbeat.reactions.auditing.move_cursor", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        rate_batch(NOW)
    assert not Rated.objects.exists()
    monkeypatch.undo()
    catch_up()
    assert told() == {"lighting": (3, 3, 3)}


def test_counting_anew_keeps_what_was_told_and_redrawing_does_not(audit: Topic, officer: User) -> None:
    reports = audits(audit, officer, *[{"lighting": n} for n in (0, 1, 2, 3, 3)])
    catch_up()
    for report in reports[:2]:
        move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    catch_up()
    before = state()
    rebuild(NOW)
    assert state() == before
    rebuild(NOW, redraw=True)
    assert told() == {"lighting": (3, 8, 22)}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["audit", "lamp", "withdraw", "publish", "move", "repair", "count"]),
        st.integers(0, 7),
        st.integers(0, 3),
    ),
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_history_is_summed_as_counting_anew_would(
    audit: Topic, lamps: Topic, officer: User, steps: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        reports: list[Report] = []
        for what, which, value in steps:
            _step(reports, audit, lamps, officer, what, which, value)
        catch_up()
        before = state()
        rebuild(NOW)
        assert state() == before
        undrawn = Rated.objects.filter(is_drawn=False, is_single=True)
        assert sum(n for code, (n, _, _) in told().items() if code == "lighting") == (
            undrawn.count() + Rated.objects.filter(is_drawn=True).count()
        )
        transaction.set_rollback(True)


def _step(reports: list[Report], audit: Topic, lamps: Topic, officer: User, what: str, which: int, value: int) -> None:
    if what == "count":
        catch_up()
    elif what == "audit":
        reports += audits(audit, officer, {"lighting": value})
    elif what == "lamp":
        reports.append(published(lamps, officer, categories=["out" if value < 2 else "flickers"]))
    elif reports:
        report = reports[which % len(reports)]
        try:
            if what == "publish":
                publish_report(report_id=report.pk, title="A place", text="Again.", actor=officer, now=NOW)
            elif what == "move":
                where = at(ELSEWHERE if value % 2 else SPOT)
                place_report(report_id=report.pk, where=where, actor_id=None, now=NOW)
            else:
                to = "resolved" if what == "repair" else "triaged"
                move_report(report_id=report.pk, to_state=to, actor=officer, now=NOW)
        except ReportError:
            pass
