"""The open data's page and its description for programs: from buckets alone."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from commonbeat.foundation import cells
from commonbeat.maps import extents as module
from commonbeat.maps.extents import Extent, extents
from commonbeat.maps.models import Bucket, Counted
from commonbeat.maps.open_data import COLUMNS, kinds_of, labels_of
from commonbeat.maps.rules import day_number
from commonbeat.topics.definition import Definition, Option, Period, Publishes
from commonbeat.topics.models import Topic
from tests import make

pytestmark = pytest.mark.django_db

MARCH = day_number(date(2026, 3, 1))
CELL = cells.cell_of(make.LATITUDE, make.LONGITUDE, 8)


def bucket(topic: Topic, n: int, *, period: int = MARCH, category: str = "first", cell: int = CELL) -> None:
    is_drawn = topic.definition.publishes is Publishes.COUNTS
    Bucket.objects.create(
        topic_id=topic.pk, category=category, cell=cell, period=period, is_drawn=is_drawn, n=n, sources=n
    )


@pytest.fixture
def lamps() -> Topic:
    topic = make.make_topic("street-light", name={"en": "Street light", "sq": "Drita <rruge>"})
    bucket(topic, 3)
    bucket(topic, 1, period=MARCH + 12, category="second")
    return topic


@pytest.fixture
def harassment() -> Topic:
    topic = make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8)
    bucket(topic, 7)
    # Counted, but its period is not over: nobody outside may learn of it.
    for number in range(100, 190):
        Counted.objects.create(
            publication_id=number, topic_id=topic.pk, category="first", cell=CELL, period=MARCH + 31, is_single=False
        )
    return topic


def package(client: Client) -> dict[str, Any]:
    answer = client.get("/data/datapackage.json")
    assert answer.status_code == 200
    return dict(json.loads(answer.content))


def test_the_page_offers_each_topic_in_three_forms(client: Client, lamps: Topic) -> None:
    page = client.get("/data/").content.decode()
    for kind in ("csv", "geojson", "parquet"):
        assert f'href="/data/street-light.{kind}"' in page
        assert f'formaction="/data/street-light.{kind}"' in page
    assert "4 reports" in page and "Rows: 2, from Mar 1, 2026 to Mar 13, 2026." in page
    assert all(f">{column.name}</code>" in page for column in COLUMNS)
    assert settings.COMMONBEAT.licence.url in page and 'rel="license"' in page
    assert 'href="/data/datapackage.json"' in page


def test_the_page_speaks_the_readers_language(client: Client, lamps: Topic) -> None:
    client.cookies["language"] = "sq"
    page = client.get("/data/").content.decode()
    assert "Drita &lt;rruge&gt;" in page and "<rruge>" not in page


def test_an_outsider_learns_only_of_what_is_drawn(client: Client, harassment: Topic) -> None:
    page = client.get("/data/").content.decode()
    said = page[page.index('id="harassment"') : page.index("</article>")]
    assert "7 reports" in said and "97" not in said and "90" not in said
    assert "Rows: 1, from Mar 1, 2026 to Mar 31, 2026." in said and "Apr" not in said
    assert "Only numbers from 5 on" in page
    (csv, *_) = [each for each in package(client)["resources"] if each["topic"] == "harassment"]
    assert (csv["reports"], csv["rows"], csv["lastDay"]) == (7, 1, "2026-03-31")
    assert (csv["period"], csv["smallestCount"]) == ("month", 5)


def test_the_description_is_a_data_package(client: Client, lamps: Topic) -> None:
    found = package(client)
    assert found["$schema"].startswith("https://datapackage.org/profiles/2.0/")
    licence = settings.COMMONBEAT.licence
    assert found["licenses"] == [{"name": "CC-BY-4.0", "title": licence.title, "path": licence.url}]
    assert {each["name"] for each in found["resources"]} == {
        "street-light-csv",
        "street-light-geojson",
        "street-light-parquet",
    }
    csv = next(each for each in found["resources"] if each["format"] == "csv")
    assert csv["path"] == f"{settings.COMMONBEAT.site_url}/data/street-light.csv"
    assert (csv["mediatype"], csv["encoding"], csv["type"]) == ("text/csv", "utf-8", "table")
    assert [each["name"] for each in csv["schema"]["fields"]] == [column.name for column in COLUMNS]
    assert {each["type"] for each in csv["schema"]["fields"]} <= {"string", "integer", "number", "date"}
    assert all(each["description"] for each in csv["schema"]["fields"])
    assert (csv["period"], csv["smallestCount"], csv["firstDay"], csv["lastDay"]) == (
        "day",
        1,
        "2026-03-01",
        "2026-03-13",
    )


def test_programs_elsewhere_may_read_the_description(client: Client) -> None:
    answer = client.get("/data/datapackage.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer.headers["Cache-Control"]
    assert client.post("/data/datapackage.json").status_code == 405
    assert client.post("/data/").status_code == 405


def test_a_topic_that_is_no_longer_offered_stays_in_the_data(client: Client, lamps: Topic) -> None:
    Topic.objects.filter(pk=lamps.pk).update(enabled=False)
    make.make_topic("never-used")
    Topic.objects.filter(code="never-used").update(enabled=False)
    page = client.get("/data/").content.decode()
    assert "/data/street-light.csv" in page and "never-used" not in page


@pytest.mark.parametrize("address", ["/data/", "/data/datapackage.json"])
def test_the_same_queries_whatever_there_is(
    client: Client, lamps: Topic, django_assert_max_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    client.get(address)
    for number in range(5):
        topic = make.make_topic(f"more-{number}")
        for period in range(10):
            bucket(topic, 2, period=MARCH + period)
    # Of these, one is for the topics and one for their extents.
    with django_assert_max_num_queries(3):
        client.get(address)


def test_extents_are_sums_over_buckets(lamps: Topic, harassment: Topic) -> None:
    assert extents() == {
        lamps.pk: Extent(2, 4, MARCH, MARCH + 12),
        harassment.pk: Extent(1, 7, MARCH, MARCH),
    }


@pytest.mark.django_db(transaction=True)
def test_extents_are_not_added_up_for_each_reader(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(module, "_known", None)
    topic = make.make_topic("street-light")
    bucket(topic, 3)
    assert extents()[topic.pk].reports == 3
    with django_assert_num_queries(1):
        extents()
    bucket(topic, 2, period=MARCH + 1)
    # Another state of the counts, and time enough has passed since.
    assert module._known is not None
    monkeypatch.setattr(module, "_known", module._known._replace(revision=-1, until=0.0))
    assert extents()[topic.pk].reports == 5
    monkeypatch.setattr(module, "_known", None)


def test_the_periods_and_words_of_former_versions_count() -> None:
    lamps = Definition(name={"en": "A"}, categories=[Option("dark", {"en": "Dark"})])
    counts = Definition(name={"en": "A"}, publishes=Publishes.COUNTS, categories=[Option("gone", {"en": "Gone"})])
    weekly = Definition(name={"en": "A"}, publishes=Publishes.COUNTS, period=Period.WEEK)
    assert kinds_of([lamps]) == (Period.DAY,)
    assert kinds_of([counts]) == (Period.MONTH,)
    assert kinds_of([weekly, counts]) == (Period.MONTH, Period.WEEK)
    assert set(kinds_of([counts, lamps])) == {Period.DAY, Period.MONTH}
    assert labels_of([lamps, counts], "en") == {"dark": "Dark", "gone": "Gone"}
