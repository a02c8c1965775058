"""How reports came: drawn once after the month, and nothing of fewer senders than k."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.maps import make_up, rules
from commonbeat.maps.contribution import Sending
from commonbeat.maps.models import ALL_TOPICS, MakeUp
from commonbeat.maps.queries import counted_in, make_up_of
from commonbeat.maps.rules import day_number
from commonbeat.people.models import User
from commonbeat.reactions.counting import count_batch, rebuild
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Publication, Report
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.make import NOW

DAY = timedelta(days=1)
LATER = NOW + 20 * DAY
MARCH = day_number(NOW.date().replace(day=1))
SENDINGS = st.lists(
    st.builds(
        Sending,
        st.just(1),
        st.sampled_from(["web", "web", "kannel_sms", "desk"]),
        st.sampled_from(["en", "sq", "ar", ""]),
        st.one_of(st.none(), st.integers(1_700_000_000, 1_710_000_000)),
        st.one_of(st.none(), st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"])),
    ),
    max_size=60,
)


def gathered(sendings: list[Sending]) -> make_up.Gathering:
    found = make_up.Gathering(ZoneInfo("Europe/Belgrade"))
    for sending in sendings:
        found.add(sending)
    return found


def senders(sendings: list[Sending]) -> int:
    return len({id(one) if one.source is None else one.source for one in sendings})


@given(months=st.lists(SENDINGS, min_size=1, max_size=5), fewest=st.integers(3, 8))
def test_nothing_of_too_few_is_told_and_nothing_is_lost_or_told_twice(months: list[list[Sending]], fewest: int) -> None:
    withheld: make_up.Withheld = {}
    since: dict[tuple[str, str], list[Sending]] = defaultdict(list)
    for sendings in months:
        # Two topics, and the pool of what is too few in them.
        halves = sendings[::2], sendings[1::2]
        drawn = [gathered(half).told(fewest) for half in halves]
        for half, (shares, _) in zip(halves, drawn, strict=True):
            for kind, value in keys(half):
                mine = [one for one in half if said(one)[kind] == value]
                if value in shares.get(kind, {}):
                    assert senders(mine) >= fewest
                    assert shares[kind][value] == len(mine)
                else:
                    since[kind, value] += mine
        shares, withheld = make_up.pooled([left for _, left in drawn], withheld, fewest)
        for (kind, value), waiting in since.items():
            if value in shares.get(kind, {}):
                # However they are spread over months and topics, so many different people wrote at least.
                assert senders(waiting) >= fewest
                assert shares[kind][value] == len(waiting)
                waiting.clear()
    for (kind, value), waiting in since.items():
        assert withheld.get(kind, {}).get(value, (0, 0, 0))[0] == len(waiting)


def said(sending: Sending) -> dict[str, str]:
    return {make_up.CHANNEL: sending.channel, make_up.LANGUAGE: sending.language}


def keys(sendings: list[Sending]) -> set[tuple[str, str]]:
    return {(kind, value) for one in sendings for kind, value in said(one).items() if value}


def test_what_is_too_small_waits_and_one_phone_stays_one() -> None:
    def pool(waiting: make_up.Withheld, *sources: bytes | None) -> tuple[make_up.Shares, make_up.Withheld]:
        _, left = gathered([Sending(1, "kannel_sms", "", None, source) for source in sources]).told(5)
        return make_up.pooled([left], waiting, 5)

    told, withheld = pool({}, None, None, b"a", b"a")
    assert (told, withheld) == ({}, {"channel": {"kannel_sms": (4, 2, 1)}})
    told, withheld = pool(withheld, b"b", None)
    assert (told, withheld) == ({}, {"channel": {"kannel_sms": (6, 3, 1)}}), "b may be a again"
    told, withheld = pool(withheld, b"a", b"c")
    assert (told, withheld) == ({"channel": {"kannel_sms": 8}}, {})


def test_a_kind_of_which_much_is_missing_is_not_told() -> None:
    shares = {"channel": {"web": 60, "kannel_sms": 30}, "language": {"en": 90}}
    assert make_up.reliable(shares, {"channel": 9, "language": 10}, 1) == {"channel": {"web": 60, "kannel_sms": 30}}
    assert make_up.reliable(shares, {"channel": 11, "language": 12}, 3) == {"channel": {"web": 60, "kannel_sms": 30}}


@pytest.mark.parametrize(
    ("hour", "band"), [(0, "night"), (5, "night"), (6, "morning"), (12, "afternoon"), (18, "evening"), (22, "night")]
)
def test_parts_of_the_day_go_by_the_clock_of_the_site(hour: int, band: str) -> None:
    assert make_up.band_of(hour) == band
    zone = ZoneInfo("Europe/Belgrade")
    at = datetime(2026, 3, 14, hour, 30, tzinfo=zone)
    told, _ = gathered([Sending(1, "web", "en", int(at.timestamp()), None)] * 3).told(3)
    assert told[make_up.HOURS] == {band: 3}
    assert told[make_up.DAYS] == {"weekend": 3}


def test_the_first_month_is_a_year_back() -> None:
    assert rules.day_of(make_up.first_month(day_number(NOW.date()))).isoformat() == "2025-03-01"
    assert rules.day_of(make_up.first_month(day_number(datetime(2024, 2, 29, tzinfo=UTC).date()))).month == 2


@pytest.fixture
def lamps(unit: object) -> Topic:
    return make.make_topic("street-light")


def publish(topic: Topic, officer: User, *, now: datetime = NOW, **more: Any) -> Report:
    report = make.make_report(topic=topic, now=now, **more)
    publish_report(report_id=report.pk, title="A lamp", text="It is dark.", actor=officer, now=now)
    return report


def catch_up(now: datetime) -> None:
    while count_batch(now):
        pass


def make_ups(topic_id: int | None = None) -> list[tuple[int, make_up.Shares]]:
    """Read what may be told, month by month."""
    told = MakeUp.objects.filter(drawn_at__isnull=False).exclude(shares={}).order_by("month", "topic_id")
    return list((told.filter(topic_id=topic_id) if topic_id is not None else told).values_list("month", "shares"))


@pytest.mark.django_db
def test_a_month_is_drawn_when_it_is_over_for_every_topic(lamps: Topic, officer: User) -> None:
    harassment = make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5)
    for index in range(6):
        publish(lamps, officer, language="en" if index % 2 else "sq")
        publish(harassment, officer, channel="kannel_sms")
    catch_up(NOW + 10 * DAY)
    assert make_ups() == []
    catch_up(LATER)
    assert make_ups(lamps.pk) == [
        (
            MARCH,
            {
                "channel": {"web": 6},
                "language": {"en": 3, "sq": 3},
                "hours": {"afternoon": 6},
                "days": {"weekend": 6},
            },
        )
    ]
    ((_, shares),) = make_ups(harassment.pk)
    assert shares["channel"] == {"kannel_sms": 6}
    assert len(make_ups()) == 2


@pytest.mark.django_db
def test_a_drawn_month_stays_as_it_was_drawn(lamps: Topic, officer: User) -> None:
    reports = [publish(lamps, officer) for _ in range(4)]
    catch_up(NOW)
    catch_up(LATER)
    before = make_ups()
    assert before[0][1]["channel"] == {"web": 4}
    move_report(report_id=reports[0].pk, to_state="triaged", actor=officer, now=LATER)
    publish(lamps, officer, language="sq", now=LATER)
    catch_up(LATER)
    rebuild(LATER)
    assert make_ups() == before
    rebuild(LATER, redraw=True)
    assert make_ups()[0][1]["channel"] == {"web": 3}


@pytest.mark.django_db
def test_what_is_too_few_is_told_of_all_topics_or_with_a_later_month(lamps: Topic, officer: User) -> None:
    dumps, phone = make.make_topic("dumps"), make.make_contact()
    for topic in (lamps, dumps):
        for _ in range(2):
            publish(topic, officer, contact=phone, channel="kannel_sms")
            publish(topic, officer)
    catch_up(NOW)
    catch_up(LATER)
    assert "channel" not in dict(make_ups(lamps.pk))[MARCH]
    pool = dict(make_ups(ALL_TOPICS))
    assert pool[MARCH]["channel"] == {"web": 4}, "one phone is nobody that may be told of"
    whole = make_up_of()
    assert whole is not None and "channel" not in whole.shares, "half of it is missing"
    for _ in range(2):
        publish(lamps, officer, now=LATER, channel="kannel_sms")
    catch_up(LATER)
    rebuild(LATER)
    assert dict(make_ups(ALL_TOPICS)) == pool
    catch_up(LATER + 40 * DAY)
    whole = make_up_of()
    assert whole is not None and whole.shares["channel"] == {"web": 4, "kannel_sms": 6}
    assert (whole.first, rules.day_of(whole.last).month) == (MARCH, 4)


@pytest.mark.django_db
def test_one_topic_is_told_only_where_nearly_all_of_it_is(lamps: Topic, officer: User) -> None:
    phone = make.make_contact()
    for index in range(10):
        # Five of one sender: too many are missing.
        channel, contact = ("desk", phone) if index >= 5 else ("web", None)
        publish(lamps, officer, channel=channel, contact=contact, language="en" if index % 2 else "sq")
    catch_up(NOW)
    catch_up(LATER)
    found = make_up_of(lamps.pk)
    assert found is not None
    assert "channel" not in found.shares
    assert found.shares["language"] == {"en": 5, "sq": 5}


@pytest.mark.django_db
def test_rows_of_a_file_say_nothing_of_hours_and_languages(lamps: Topic, officer: User) -> None:
    for _ in range(4):
        publish(lamps, officer, channel="import")
    Publication.objects.update(is_imported=True)
    catch_up(NOW)
    assert make_ups() == []
    catch_up(LATER)
    assert make_ups() == [(MARCH, {"channel": {"import": 4}})]


@pytest.mark.django_db
def test_months_of_long_ago_are_not_looked_through(lamps: Topic, officer: User) -> None:
    for days in (500, 100):
        for _ in range(3):
            publish(lamps, officer, now=NOW - days * DAY)
    catch_up(NOW)
    assert MakeUp.objects.count() == 1


@pytest.mark.django_db
def test_what_is_counted_in_a_month_is_read_in_parts(lamps: Topic, officer: User) -> None:
    for _ in range(5):
        publish(lamps, officer)
    publish(lamps, officer, now=LATER)
    catch_up(LATER)
    assert [len(part) for part in counted_in(MARCH, [lamps.pk], 2)] == [2, 2, 1]
    assert list(counted_in(MARCH, [lamps.pk + 1])) == []
