"""The public map's page: its numbers are sums of buckets, they add up, and nothing else is told."""

from __future__ import annotations

import html
import random
import re
from collections import Counter
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import cells, clock
from commonbeat.maps import rules
from commonbeat.maps.actions.buckets import Amount, Key, add_to_buckets, lock_revision
from commonbeat.maps.queries import Totals
from commonbeat.maps.rules import NO_PLACE, SEVERAL
from commonbeat.maps.tally import Tally, _tally, tally
from commonbeat.people.models import User
from commonbeat.reactions.counting import count_batch
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.models import ImportBatch, Publication
from commonbeat.topics.definition import Definition, Period, Publishes
from commonbeat.topics.models import Topic
from commonbeat.web.public.map_figures import MOST_BARS, Choice, Comparison, Step, figures
from commonbeat.web.public.map_view import View, read_view
from commonbeat.web.public.map_words import comparison_sentences, span_text
from tests import make

pytestmark = pytest.mark.django_db
CELL = cells.cell_of(make.LATITUDE, make.LONGITUDE, 10)
TODAY = date(2026, 11, 24)


def add(deltas: dict[Key, int], *, is_drawn: bool = False) -> None:
    with transaction.atomic():
        amounts = {key: Amount(n, n) for key, n in deltas.items()}
        add_to_buckets(amounts, is_drawn=is_drawn, revision=lock_revision())


def day(text: str) -> int:
    return rules.day_number(date.fromisoformat(text))


def page(client: Client, query: str = "", status: int = 200) -> str:
    response = client.get(f"/map/{query}")
    assert response.status_code == status, response.content.decode()[:400]
    return html.unescape(response.content.decode())


def bars_of(text: str) -> list[tuple[str, str, int]]:
    found = re.findall(r'data-since="(.*?)" data-until="(.*?)" data-placed="(\d+)"', text)
    return [(since, until, int(n)) for since, until, n in found]


@pytest.fixture
def dumps(unit: object) -> Topic:
    """Give a topic that publishes each report."""
    return make.make_topic("dumps")


@pytest.fixture
def quiet(unit: object) -> Topic:
    """Give a topic that publishes only counts of five and more, by month."""
    return make.make_topic("quiet", publishes=Publishes.COUNTS, smallest_count=5)


# ------------------------------------------------------------------ the page


def test_what_the_map_says_is_what_the_list_counts(client: Client, dumps: Topic, officer: User) -> None:
    for n in range(12):
        place = n % 4 != 0
        report = make.make_report(
            topic=dumps,
            categories=[["first"], ["second", "first"]][n % 2],
            latitude=42.38 + n / 1000 if place else None,
            longitude=20.43 if place else None,
        )
        publish_report(report_id=report.pk, title=f"Heap {n}", text="", actor=officer, now=make.NOW)
    while count_batch(clock.now()):
        pass
    text = page(client)
    assert "12 reports: 9 on the map + 3 without a place." in text
    assert "Without a place: 3." in text
    assert "12 reports<" in client.get("/reports/").content.decode()
    text = page(client, "?topic=dumps")
    # A report counts once, under the first of its kinds.
    assert re.findall(r">(First|Second)</a></th><td class=\"number\">(\d+)<", text) == [("First", "6"), ("Second", "6")]
    assert "6 reports: 3 on the map + 3 without a place." in page(client, "?topic=dumps&category=first")


def test_what_is_withheld_is_said_and_the_sum_still_adds_up(client: Client, quiet: Topic) -> None:
    add({(quiet.pk, "first", CELL, day("2026-01-01")): 7}, is_drawn=True)
    add({(quiet.pk, "first", NO_PLACE, day("2026-02-01")): 5}, is_drawn=True)
    add({(quiet.pk, SEVERAL, NO_PLACE, day("2026-01-01")): 6}, is_drawn=True)
    text = page(client, "?topic=quiet")
    assert "18 reports: 7 on the map + 5 without a place + 6 too few to tell where." in text
    assert "Too few to tell where: 6." in text and "Numbers from fewer than 5 senders" in text
    assert "up to a month behind" in text and "Several kinds, told together" in text
    assert "so there is no list" in text and "report-row" not in text and "As a list" not in text
    assert "only numbers of these are public" in page(client) and "Quiet (numbers only)" in page(client)


def test_nothing_of_a_topic_that_is_only_counted_moves_before_its_month_is_over(
    client: Client, quiet: Topic, officer: User
) -> None:
    def everything() -> list[str]:
        # The header's form has a token of its own in each answer.
        return [
            page(client, query).split("<main")[1] for query in ("", "?topic=quiet", "?topic=quiet&measure=contacts")
        ]

    before = everything()
    for _ in range(7):
        report = make.make_report(topic=quiet, categories=["first"], now=clock.now())
        publish_report(report_id=report.pk, title="On the bus", text="", actor=officer, now=clock.now())
    while count_batch(clock.now()):
        pass
    assert everything() == before


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?topic=none", "no such topic"),
        ("?category=first", "Choose the topic first"),
        ("?topic=dumps&category=none", "no such kind"),
        ("?since=2026-02-30", "year-month-day"),
        ("?since=2026-02-02&until=2026-02-01", "Swap them"),
        ("?measure=guesses", "cannot count like that"),
        ("?lat=north", "view of this map"),
        ("?lat=nan", "view of this map"),
        ("?lon=181", "view of this map"),
        ("?zoom=1e400", "view of this map"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_sentence(
    client: Client, dumps: Topic, query: str, sentence: str
) -> None:
    assert sentence in page(client, query, status=400)


def test_a_beat_is_not_a_filter_of_the_map_and_the_page_says_so(client: Client, dumps: Topic) -> None:
    assert "cannot be narrowed to a beat" in page(client, "?beat=3")
    assert "cannot be narrowed to a beat" not in page(client)


def test_queries_do_not_grow_with_rows(client: Client, dumps: Topic, quiet: Topic) -> None:
    add({(dumps.pk, "first", CELL, 20_000): 1})
    page(client)
    with CaptureQueriesContext(connection) as few:
        page(client, "?topic=dumps")
    add({(dumps.pk, category, CELL, 20_000 + at): 1 for at in range(300) for category in ("first", "second")})
    with CaptureQueriesContext(connection) as many:
        page(client, "?topic=dumps")
    assert len(many) == len(few) < 14


def test_bars_are_links_that_work_without_a_script_and_add_up(client: Client, dumps: Topic) -> None:
    add({(dumps.pk, "first", CELL, day("2026-01-05") + at): at + 1 for at in range(20)})
    add({(dumps.pk, "", NO_PLACE, day("2026-01-09")): 4})
    text = page(client, "?topic=dumps")
    bars = bars_of(text)
    assert len(bars) == 20 and sum(n for _, _, n in bars) == 210
    assert bars[0] == ("2026-01-05", "2026-01-05", 1)
    first = re.search(r'<ol class="bars">\s*<li><a href="(.*?)"', text)
    assert first is not None and parse_qs(urlsplit(first[1]).query)["topic"] == ["dumps"]
    alone = page(client, urlsplit(first[1])._replace(path="").geturl())
    assert "1 report: 1 on the map + 0 without a place." in alone and 'aria-current="true"' in alone
    # The table tells the same.
    assert re.findall(r'<tr><th scope="row">Sum</th><td class="number">(\d+)</td><td class="number">(\d+)', text) == [
        ("214", "210")
    ]


def test_the_view_moves_by_links_and_stays_when_the_filter_changes(client: Client, dumps: Topic) -> None:
    text = page(client, "?topic=dumps&lat=42.4&lon=20.5&zoom=14&as=picture")
    picture = parse_qs(re.findall(r'src="/map/picture.png\?(.*?)"', text)[0])
    assert picture["topic"] == ["dumps"] and picture["zoom"] == ["14"] and picture["language"] == ["en"]
    moves = dict(re.findall(r'<li><a href="(/map/\?[^"]*)">(\w[\w ]*)</a></li>', text))
    to = {name: parse_qs(urlsplit(href).query) for href, name in moves.items()}
    assert float(to["North"]["lat"][0]) > 42.4 > float(to["South"]["lat"][0])
    assert float(to["East"]["lon"][0]) > 20.5 > float(to["West"]["lon"][0])
    assert (to["Closer"]["zoom"], to["Further away"]["zoom"]) == (["15"], ["13"])
    assert all(parts["topic"] == ["dumps"] and parts["as"] == ["picture"] for parts in to.values())
    assert 'name="lat" value="42.4"' in text and "<script" not in text.split("<main")[1]
    # Unless asked, nothing of a view is written into the form.
    assert 'name="lat"' not in page(client)


def test_tiles_are_asked_for_with_the_same_filter(client: Client, dumps: Topic) -> None:
    add({(dumps.pk, "first", CELL, 20_000): 1})
    text = page(client, "?topic=dumps&category=first&since=2026-01-01&measure=monthly")
    address, query = re.findall(r'data-tiles="(.*?)" data-query="(.*?)"', text)[0]
    assert address == "/tiles/dumps"
    assert parse_qs(query) == {
        "category": ["first"], "since": ["2026-01-01"], "measure": ["monthly"], "v": [str(tally().number)]
    }  # fmt: skip
    assert "reports per month" in text and 'data-least="0.1"' in text
    assert re.findall(r'data-tiles="(.*?)" data-query="(.*?)"', page(client))[0] == (
        "/tiles/all",
        f"v={tally().number}",
    )


def test_imported_reports_are_told_apart_but_not_of_a_topic_that_is_only_counted(
    client: Client, dumps: Topic, quiet: Topic
) -> None:
    def said(query: str = "") -> list[str]:
        return re.findall(r"(\d+) of these w\w+ imported", page(client, query))

    make.make_publication(report=make.make_report(topic=dumps, categories=["first"]), title="Of this desk")
    assert said() == []
    batch = ImportBatch.objects.create(source="town", topic=dumps, started_at=make.NOW)
    for categories in (["first", "second"], ["second"], ["first"]):
        brought = make.make_publication(report=make.make_report(topic=dumps, categories=categories), title="Brought")
        Publication.objects.filter(pk=brought.pk).update(is_imported=True, import_batch=batch)
    hidden = make.make_publication(report=make.make_report(topic=quiet, categories=["first"]), title="Brought")
    Publication.objects.filter(pk=hidden.pk).update(is_imported=True, import_batch=batch)
    assert said() == said("?topic=dumps") == ["3"] and said("?topic=quiet") == []
    # Each under the first of its kinds, as it is counted.
    assert said("?topic=dumps&category=second") == ["1"]
    ImportBatch.objects.update(withdrawn_at=make.NOW)
    assert said() == []


@pytest.mark.parametrize(("days", "dated"), [(1, 1), (13, 2), (14, 3), (27, 3), (28, 5), (60, 5)])
def test_days_stand_under_their_own_bars_and_the_ends_always(
    client: Client, dumps: Topic, days: int, dated: int
) -> None:
    add({(dumps.pk, "first", CELL, day("2026-01-05") + at): 1 for at in range(days)})
    items = re.findall(r"<li><a href=[^>]*data-since.*?</li>", page(client, "?topic=dumps"))
    under = [re.search(r'title="(.*?): 1".*class="bar-day".*?>(.*?)<', item) for item in items]
    assert len(items) == days and under[0] is not None and under[-1] is not None
    assert [found[1] for found in under if found] == [found[2] for found in under if found]
    assert sum(found is not None for found in under) == dated


def test_the_picture_is_kept_under_a_name(client: Client, dumps: Topic) -> None:
    named = re.findall(r' download="(.*?)" data-map-picture', page(client, "?topic=dumps&since=2026-01-01"))
    assert len(named) == 1 and named[0].endswith("map-dumps-2026-01-01.png")


def test_a_zoom_that_no_map_has_is_the_nearest_one(client: Client, dumps: Topic) -> None:
    assert 'data-zoom="2"' in page(client, "?zoom=-5") and 'data-zoom="19"' in page(client, "?zoom=99")


@pytest.mark.parametrize("language", ["sq", "ar"])
def test_in_other_languages(client: Client, dumps: Topic, language: str) -> None:
    add({(dumps.pk, "first", CELL, 20_000 + at): 3 for at in range(100)})
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    text = page(client, "?topic=dumps")
    assert f'<html lang="{language}"' in text and len(bars_of(text)) == 15


# ------------------------------------------------------------------ the numbers


def topic_of(pk: int, *, publishes: Publishes = Publishes.EACH, period: Period | None = None) -> Any:
    definition = Definition(name={"en": "T"}, publishes=publishes, period=period, smallest_count=5)
    return type("T", (), {"pk": pk, "definition": definition, "code": f"t{pk}"})()


def summed(rows: list[tuple[int, str, int, int, int]]) -> Tally:
    sums: Counter[tuple[int, str, int, int]] = Counter()
    for *key, n in rows:
        sums[tuple(key)] += n  # type: ignore[index]
    return _tally(1, (), sums)


ROWS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["a", ""]), st.integers(19_000, 20_700), st.integers(0, 2),
              st.integers(1, 9)),
    max_size=40,
)  # fmt: skip
DAYS = st.one_of(st.none(), st.integers(18_900, 20_800).map(rules.day_of))


@given(rows=ROWS, since=DAYS, until=DAYS, alone=st.booleans())
def test_bars_add_up_to_the_total_whatever_is_chosen(
    rows: list[tuple[int, str, int, int, int]], since: date | None, until: date | None, alone: bool
) -> None:
    if since and until and until < since:
        since, until = until, since
    topics = [topic_of(1), topic_of(2, period=Period.WEEK), topic_of(3, publishes=Publishes.COUNTS)]
    kinds = {1: Period.DAY, 2: Period.WEEK, 3: Period.MONTH}
    rows = [(topic, name, rules.period_start(at, kinds[topic]), kind, n) for topic, name, at, kind, n in rows]
    choice = Choice(topics[2] if alone else None, "", since, until)
    found = figures(summed(rows), topics, choice, today=TODAY)
    bars = [bar.totals for bar in found.bars]
    assert Totals(*(sum(bar[at] for bar in bars) for at in range(3))) == found.totals
    assert len(bars) <= MOST_BARS and sum(found.by_topic.values()) == found.totals.total
    for first, second in zip(found.bars, found.bars[1:], strict=False):
        assert first.since <= first.until and second.since == first.until + timedelta(days=1)
    if bars and since:
        assert found.bars[0].since >= since or found.bars[0].until >= since
    # A bar is what its own link would show.
    for bar in found.bars[:3]:
        alike = figures(summed(rows), topics, Choice(choice.topic, "", bar.since, bar.until), today=TODAY)
        assert alike.totals == bar.totals


def test_bars_become_coarser_where_time_is_long_and_never_finer_than_a_topic_counts() -> None:
    def step(first: int, last: int, **kind: Any) -> Step:
        topic = topic_of(1, **kind)
        return figures(summed([(1, "", first, 0, 1), (1, "", last, 0, 1)]), [topic], Choice(), today=TODAY).step

    assert step(20_000, 20_059) is Step.DAY
    assert step(20_000, 20_061) is Step.WEEK
    assert step(19_000, 20_000) is Step.MONTH
    assert step(10_000, 20_000) is Step.YEAR
    month = rules.period_start(20_000, Period.MONTH)
    assert step(month, month, publishes=Publishes.COUNTS) is Step.MONTH


def compared(rows: dict[str, int], *, since: str = "", until: str = "", **kind: Any) -> Comparison | None:
    read = [(1, "", day(at), 0, n) for at, n in rows.items()]
    choice = Choice(None, "", *(date.fromisoformat(text) if text else None for text in (since, until)))
    return figures(summed(read), [topic_of(1, **kind)], choice, today=TODAY).comparison


def test_the_same_weeks_a_year_before() -> None:
    # 24 November 2026 is a Tuesday: the last whole week ends on the 22nd, twelve weeks begin on 31 August.
    rows = {"2025-01-01": 1, "2025-09-01": 20, "2025-11-23": 20, "2025-08-31": 500, "2025-11-24": 500}
    found = compared(rows | {"2026-08-31": 30, "2026-11-22": 30, "2026-08-30": 900, "2026-11-23": 900})
    assert found is not None and (found.since, found.until) == (date(2026, 8, 31), date(2026, 11, 22))
    assert (found.now, found.before, found.percent) == (60, 40, 50)
    said = " ".join(comparison_sentences(found, "en"))
    assert "60 reports. In the same weeks a year before: 40. That is 50% more." in said
    half = compared({"2024-01-01": 1, "2025-11-02": 100, "2026-11-02": 50}, since="2026-10-28", until="2026-11-10")
    assert half is not None and (half.since, half.until, half.percent) == (date(2026, 11, 2), date(2026, 11, 8), None)


def test_a_comparison_is_honest_where_there_is_none() -> None:
    begun = compared({"2026-03-01": 5, "2026-11-01": 40})
    assert begun is not None and begun.before is None
    assert "cannot be told: these counts begin on March 1, 2026" in comparison_sentences(begun, "en")[1]
    few = compared({"2025-01-01": 1, "2025-10-01": 4, "2026-10-01": 8})
    assert few is not None and few.percent is None and "too few" in comparison_sentences(few, "en")[2]
    assert compared({}) is None
    # Two days hold no whole week.
    assert compared({"2025-01-01": 1}, since="2026-11-03", until="2026-11-04") is None


def test_topics_that_count_by_month_are_compared_by_month() -> None:
    found = compared({"2024-01-01": 1, "2025-10-01": 50, "2026-10-01": 40}, publishes=Publishes.COUNTS)
    assert found is not None and (found.since, found.until) == (date(2026, 8, 1), date(2026, 10, 31))
    assert (found.now, found.before, found.percent) == (40, 50, -20)
    assert "In the same months a year before: 50. That is 20% less." in " ".join(comparison_sentences(found, "en"))


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [("2026-03-04", "2026-03-04", "Mar 4, 2026"), ("2026-03-01", "2026-03-31", "March 2026"),
     ("2026-01-01", "2026-12-31", "2026"), ("2026-03-02", "2026-03-08", "Mar 2 – 8, 2026")],
)  # fmt: skip
def test_spans_are_written_as_short_as_they_may_be(since: str, until: str, said: str) -> None:
    written = span_text(date.fromisoformat(since), date.fromisoformat(until), "en")
    assert re.sub(r"\s", " ", written) == said


def test_a_view_goes_round_the_world_and_stops_at_its_edges() -> None:
    chance = random.Random(1)
    for _ in range(200):
        view = View(chance.uniform(-85, 85), chance.uniform(-180, 180), chance.randint(2, 19))
        for moved in (view.moved(0.5, 0), view.moved(-0.5, 0), view.moved(0, 0.5), view.moved(0, -0.5)):
            assert -85.06 < moved.latitude < 85.06 and -180 <= moved.longitude <= 180
            assert read_view(moved.params()).zoom == view.zoom
    assert View(0, 0, 19).zoomed(1).zoom == 19 and View(0, 0, 2).zoomed(-1).zoom == 2
    assert read_view({"lat": "٤٢٫٣".replace("٫", "."), "lon": "20", "zoom": "99"}).zoom == 19
