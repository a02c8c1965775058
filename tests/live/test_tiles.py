"""Tiles of the public map over HTTP: right, fresh, cached; and whatever is odd is refused with a sentence."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonbeat.config.options import Options
from commonbeat.foundation import cells
from commonbeat.journal.actions import append
from commonbeat.live.app import LiveApp
from commonbeat.maps import tiling
from commonbeat.maps.models import Counted
from commonbeat.reactions.counting import count_batch
from commonbeat.reports.models import Publication
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from tests import make
from tests.live.asgi import Answer, ask
from tests.maps.brute import layers

NOW = make.NOW
TOWN = (make.LATITUDE, make.LONGITUDE)


def address(zoom: int, kind: str = "mvt", topic: str = "street-light", point: tuple[float, float] = TOWN) -> str:
    size = 1 << zoom
    x, y = int(tiling.mercator_x(point[1]) * size), int(tiling.mercator_y(point[0]) * size)
    return f"/tiles/{topic}/{zoom}/{x}/{y}.{kind}"


@pytest.fixture
def lamps(site: Options) -> Topic:
    topic = make.make_topic("street-light", public_resolution=11)
    for index in range(3):
        publish(topic, categories=["first"] if index else ["second"])
    publish(topic, latitude=None, longitude=None)
    return topic


def publish(topic: Topic, *, days: int = 0, **more: Any) -> str:
    """Publish and count a report; give its public code."""
    at = NOW + timedelta(days=days)
    report = make.make_report(topic=topic, now=at, **more)
    publication = make.make_publication(report=report, now=at)
    append(kind="reports.published", subject_id=report.pk, now=at)
    while count_batch(at):
        pass
    return publication.code


@pytest.fixture
def app(site: Options, lamps: Topic) -> Iterator[LiveApp]:
    app = LiveApp(site)
    yield app
    app.buckets.stop()


def get(app: LiveApp, path: str, query: str = "", **more: str) -> Answer:
    headers = {key.replace("_", "-"): value for key, value in more.items()}
    return asyncio.run(ask(app, path, query=query.encode(), headers=headers))


def drawn(app: LiveApp, path: str, query: str = "") -> int:
    answer = get(app, path, query)
    assert answer.status == 200, answer.body
    return sum(int(feature["n"]) for feature in layers(answer.body).get("cells", []))


@pytest.mark.parametrize("zoom", [0, 5, 9, 13, 17, 20])
def test_a_tile_shows_what_is_there_at_every_zoom(app: LiveApp, zoom: int) -> None:
    answer = get(app, address(zoom))
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    (feature,) = layers(answer.body)["cells"]
    resolution = min(11, tiling.display_resolution(zoom))
    assert (feature["n"], feature["id"]) == (3, cells.parent(cells.cell_of(*TOWN, 11), resolution))
    assert drawn(app, address(zoom, topic="all")) == 3


def test_filters(app: LiveApp) -> None:
    path = address(12)
    assert drawn(app, path, "category=first") == 2
    assert drawn(app, path, "category=second") == 1
    assert drawn(app, path, "since=2026-03-14&until=2026-03-14") == 3
    assert drawn(app, path, "since=2026-03-15") == 0
    assert drawn(app, path, "until=2026-03-13") == 0
    assert drawn(app, address(12, topic="all"), "since=2026-03-14") == 3


def features(app: LiveApp, query: str, *, topic: str = "street-light", zoom: int = 12) -> list[dict[str, Any]]:
    answer = get(app, address(zoom, topic=topic), query)
    assert answer.status == 200, answer.body
    return layers(answer.body).get("cells", [])


def test_contacts_are_told_beside_reports_where_they_are_asked_for(site: Options, lamps: Topic) -> None:
    phone = make.make_contact()
    for _ in range(4):
        publish(lamps, contact=phone, categories=["first"])
    app = LiveApp(site)
    # Three without a contact, each of its own, and a phone: once per category.
    (feature,) = features(app, "measure=contacts")
    assert (feature["n"], feature["contacts"]) == (7, 4)
    (feature,) = features(app, "measure=contacts", topic="all", zoom=3)
    assert (feature["n"], feature["contacts"]) == (7, 4)
    (feature,) = features(app, "measure=contacts&category=second")
    assert (feature["n"], feature["contacts"]) == (1, 1)
    for query in ("", "measure=reports"):
        (feature,) = features(app, query)
        assert not {"contacts", "monthly"} & feature.keys()
    app.buckets.stop()


@pytest.mark.parametrize("is_read_before", [False, True])
def test_few_contacts_are_told_as_many_as_reports(site: Options, lamps: Topic, is_read_before: bool) -> None:
    app = LiveApp(site)
    if is_read_before:
        features(app, "measure=contacts")
    phone = make.make_contact()
    for _ in range(2):
        publish(lamps, contact=phone, categories=["second"])
    store = app.buckets.open_store()
    app.buckets.refresh(store)
    store.close()
    (feature,) = features(app, "measure=contacts&category=second")
    assert (feature["n"], feature["contacts"]) == (3, 3), "two senders of three reports: one of them wrote two"
    app.buckets.stop()


def test_contacts_follow_what_is_published(app: LiveApp, lamps: Topic) -> None:
    assert [feature["contacts"] for feature in features(app, "measure=contacts")] == [3]
    phone = make.make_contact()
    # With the two that are there, enough reports of enough senders that theirs may be told.
    for contact in (phone, phone, None):
        publish(lamps, contact=contact, categories=["first"])

    async def until_six() -> tuple[int, int]:
        for _ in range(50):
            answer = await ask(app, address(12), query=b"measure=contacts")
            (feature,) = layers(answer.body)["cells"]
            if feature["n"] == 6:
                break
            await asyncio.sleep(0.02)
        return feature["n"], feature["contacts"]

    assert asyncio.run(until_six()) == (6, 5)


def test_reports_per_month(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    # Three at a place on the 14th of March; sixteen months of the calendar later.
    monkeypatch.setattr("commonbeat.live.tiles.clock.now", lambda: datetime(2027, 7, 14, 12, 0, tzinfo=UTC))
    (feature,) = features(app, "measure=monthly")
    assert (feature["n"], feature["monthly"]) == (3, 0.2)
    (feature,) = features(app, "measure=monthly&since=2026-03-01&until=2026-04-30")
    assert feature["monthly"] == pytest.approx(3 / (18 / 31 + 1), abs=0.06)
    (feature,) = features(app, "measure=monthly&since=2026-03-14&until=2026-03-14")
    assert feature["monthly"] == 3.0
    (feature,) = features(app, "measure=monthly", topic="all")
    assert feature["monthly"] == 0.2


def test_a_new_day_makes_monthly_tiles_anew(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.live.tiles.clock.now", lambda: datetime(2026, 4, 14, 12, 0, tzinfo=UTC))
    assert [feature["monthly"] for feature in features(app, "measure=monthly")] == [3.0]
    monkeypatch.setattr("commonbeat.live.tiles.clock.now", lambda: datetime(2026, 9, 14, 12, 0, tzinfo=UTC))
    assert [feature["monthly"] for feature in features(app, "measure=monthly")] == [0.5]


def test_pictures_are_coloured_by_what_is_asked_for(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.live.tiles.clock.now", lambda: datetime(2026, 4, 14, 12, 0, tzinfo=UTC))
    bodies = {get(app, address(12, "png"), f"measure={code}").body for code in ("reports", "monthly")}
    assert len(bodies) == 2


def test_pins_at_street_zoom_alone(app: LiveApp, lamps: Topic) -> None:
    assert "pins" not in layers(get(app, address(14)).body)
    pins = layers(get(app, address(15)).body)["pins"]
    assert len({pin["code"] for pin in pins}) == 3
    assert {pin["topic"] for pin in pins} == {"street-light"}
    assert len(layers(get(app, address(16), "category=first").body)["pins"]) == 2
    assert "pins" not in layers(get(app, address(16), "since=2026-03-15").body)


def test_a_topic_that_turns_to_counts_has_no_pins_from_that_moment(app: LiveApp, lamps: Topic) -> None:
    stricter = msgspec.structs.replace(lamps.definition, publishes=Publishes.COUNTS, smallest_count=5)
    assert "pins" in layers(get(app, address(15)).body)
    # The reaction that hides its copies has not run yet; and the tile that was just made is kept no longer.
    revise_topic(topic_id=lamps.pk, definition=stricter, actor_id=None, now=NOW)
    app.buckets._refresh_by_itself()
    assert "pins" not in layers(get(app, address(15)).body)
    publish(lamps)
    assert not Counted.objects.filter(is_single=True, publication_id=Publication.objects.latest("pk").pk).exists()


def test_counts_alone_have_no_pins_and_show_late(site: Options) -> None:
    topic = make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8)
    for _ in range(5):
        publish(topic)
    app = LiveApp(site)
    assert get(app, address(16, topic="harassment")).body == b""
    while count_batch(NOW + timedelta(days=20)):
        pass
    app.buckets.stop()
    app = LiveApp(site)
    found = layers(get(app, address(16, topic="harassment")).body)
    assert [feature["n"] for feature in found["cells"]] == [5]
    assert set(found) == {"cells"}
    app.buckets.stop()


def test_what_is_published_is_seen_within_a_second(app: LiveApp, lamps: Topic) -> None:
    path = address(10)

    async def until_four() -> int:
        for _ in range(50):
            answer = await ask(app, path)
            n = int(sum(feature["n"] for feature in layers(answer.body)["cells"]))
            if n == 4:
                return n
            await asyncio.sleep(0.02)
        return n

    assert drawn(app, path) == 3
    publish(lamps)
    assert asyncio.run(until_four()) == 4


def test_pictures(app: LiveApp) -> None:
    full, empty = get(app, address(12, "png")), get(app, address(12, "png", point=(-40.0, 100.0)))
    assert full.headers["content-type"] == "image/png"
    assert full.body.startswith(b"\x89PNG")
    assert len(empty.body) < len(full.body)


def test_tags_and_caches(app: LiveApp) -> None:
    first = get(app, address(12))
    assert "max-age" in first.headers["cache-control"]
    again = get(app, address(12), if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert get(app, address(12), if_none_match=f'"other", W/{first.headers["etag"]}').status == 304
    assert get(app, address(12), "category=first").headers["etag"] != first.headers["etag"]
    head = asyncio.run(ask(app, address(12), method="HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert asyncio.run(ask(app, address(12), method="POST")).status == 405


def test_a_crowd_is_asked_to_wait(app: LiveApp) -> None:
    get(app, address(12))
    app.tiles.waiting = 300
    assert get(app, address(12)).status == 200, "what is kept costs nothing"
    assert get(app, address(13)).status == 503


def test_tilejson(app: LiveApp) -> None:
    about = json.loads(get(app, "/tiles/street-light.json").body)
    assert about["tilejson"] == "3.0.0"
    assert about["tiles"][0].endswith("/tiles/street-light/{z}/{x}/{y}.mvt")
    assert [layer["id"] for layer in about["vector_layers"]] == ["cells", "pins"]
    assert (about["smallest_count"], about["period"], about["categories"]) == (1, "day", ["first", "second"])
    assert [measure["code"] for measure in about["measures"]] == ["reports", "monthly", "contacts"]
    assert [measure["property"] for measure in about["measures"]] == ["n", "monthly", "contacts"]
    assert about["measures"][1]["classes"][1]["from"] == 0.1
    assert json.loads(get(app, "/tiles/all.json").body)["name"] == "All topics"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/tiles/unknown/3/1/1.mvt", "", 404),
        ("/tiles/unknown.json", "", 404),
        ("/tiles/street-light/21/0/0.mvt", "", 404),
        ("/tiles/street-light/3/8/0.mvt", "", 404),
        ("/tiles/street-light/3/-1/0.mvt", "", 404),
        ("/tiles/street-light/3/1/1.gif", "", 404),
        ("/tiles/street-light/3/٣/1.mvt", "", 404),
        ("/tiles/../../etc/passwd", "", 404),
        ("/tiles/", "", 404),
        ("/tiles/street-light/3/1/1.mvt", "since=2026-03-15&until=2026-03-14", 400),
        ("/tiles/street-light/3/1/1.mvt", "since=yesterday", 400),
        ("/tiles/street-light/3/1/1.mvt", "since=2026-02-30", 400),
        ("/tiles/street-light/3/1/1.mvt", "since=20260314", 400),
        ("/tiles/street-light/3/1/1.mvt", "category=nonsense", 400),
        ("/tiles/street-light/3/1/1.mvt", "category=*", 400),
        ("/tiles/street-light/3/1/1.mvt", "category=first&category=second", 400),
        ("/tiles/street-light/3/1/1.mvt", "category=" + "a" * 400, 400),
        ("/tiles/street-light/3/1/1.mvt", "category=%ff", 400),
        ("/tiles/all/3/1/1.mvt", "category=first", 400),
        ("/tiles/street-light/3/1/1.mvt", "measure=people", 400),
        ("/tiles/street-light/3/1/1.png", "measure=MONTHLY", 400),
    ],
)
def test_what_is_odd_is_refused_with_a_sentence(app: LiveApp, path: str, query: str, status: int) -> None:
    answer = get(app, path, query)
    assert answer.status == status
    assert answer.body.decode().endswith(".\n")


@given(path=st.text(max_size=30), query=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_no_address_breaks_it(app: LiveApp, path: str, query: bytes) -> None:
    for whole in (f"/tiles/{path}", address(4)):
        assert asyncio.run(ask(app, whole, query=query)).status in {200, 400, 404}


@given(day=st.dates(), other=st.dates())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_no_days_break_it(app: LiveApp, day: object, other: object) -> None:
    assert get(app, address(11), f"since={day}&until={other}").status in {200, 400}


@pytest.mark.gdal
@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's ogrinfo is absent (Debian: gdal-bin)")
def test_gdal_reads_a_tile(app: LiveApp, tmp_path: Path) -> None:
    file = tmp_path / "15.mvt"
    file.write_bytes(get(app, address(15)).body)
    zoom, x, y = address(15).removesuffix(".mvt").split("/")[3:]
    said = subprocess.run(
        ["ogrinfo", "-al", "-oo", f"Z={zoom}", "-oo", f"X={x}", "-oo", f"Y={y}", str(file)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "Layer name: cells" in said.stdout, said.stderr
    assert "Layer name: pins" in said.stdout
    assert "n (Integer) = 3" in said.stdout
    assert "POLYGON" in said.stdout
    assert said.stderr == ""
