"""GET /map/picture.png: a map that anybody can look at, print and post, and nothing in it but published buckets."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as st
from PIL import Image

import commonbeat
from commonbeat.foundation import cells
from commonbeat.maps.models import Bucket
from commonbeat.people.models import User
from commonbeat.reactions.counting import count_batch
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.queries.filters import FilterError
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from commonbeat.web.public import picture
from commonbeat.web.public.picture import alt_text, picture_address
from commonbeat.web.public.picture_asked import NoSuchTopic
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
HERE = {"lat": str(make.LATITUDE), "lon": str(make.LONGITUDE), "zoom": "13"}
SMALL = {**HERE, "width": "320", "height": "320", "legend": "0"}


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    picture._kept.clear()


@pytest.fixture
def lamps(unit: object) -> Topic:
    """Give a topic that publishes each report."""
    return make.make_topic("street-light", public_resolution=10)


@pytest.fixture
def harassment(unit: object) -> Topic:
    """Give a topic that publishes only counts of five and more, by month."""
    return make.make_topic("harassment", publishes=Publishes.COUNTS, smallest_count=5, public_resolution=8)


def publish(topic: Topic, officer: User, number: int = 1) -> None:
    for _ in range(number):
        report = make.make_report(topic=topic, now=NOW, categories=["first"])
        publish_report(report_id=report.pk, title="A lamp", text="It is dark.", actor=officer, now=NOW)


def count_until(days: int = 0) -> None:
    while count_batch(NOW + timedelta(days=days)):
        pass


def ask(client: Client, status: int = 200, /, **params: str) -> bytes:
    response = client.get("/map/picture.png", params)
    assert response.status_code == status, response.content.decode()[:600]
    return bytes(response.content)


def image_of(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    assert image.format == "PNG"
    image.load()
    return image


@pytest.mark.parametrize("size", [(320, 320), (640, 480), (800, 600), (1600, 1600)])
@pytest.mark.parametrize("legend", ["0", "1"])
def test_a_picture_has_the_size_that_was_asked_for(
    client: Client, lamps: Topic, size: tuple[int, int], legend: str
) -> None:
    data = ask(client, **HERE, width=str(size[0]), height=str(size[1]), legend=legend)
    assert image_of(data).size == size


def test_a_picture_needs_nothing_in_its_address(client: Client, lamps: Topic) -> None:
    assert image_of(ask(client)).size == (800, 600)
    response = client.head("/map/picture.png")
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"", "image/png")
    assert client.post("/map/picture.png").status_code == 405


def test_a_published_report_is_seen_at_its_place_and_only_there(client: Client, lamps: Topic, officer: User) -> None:
    before = image_of(ask(client, **SMALL)).convert("RGB")
    publish(lamps, officer)
    count_until()
    after = image_of(ask(client, **SMALL)).convert("RGB")
    assert before.getpixel((160, 160)) != after.getpixel((160, 160))
    changed = [
        at for at in range(320 * 320) if before.getpixel((at % 320, at // 320)) != after.getpixel((at % 320, at // 320))
    ]
    assert all(120 < at % 320 < 200 and 120 < at // 320 < 200 for at in changed)


def test_each_filter_narrows_what_is_drawn(client: Client, lamps: Topic, officer: User) -> None:
    other = make.make_topic("stolen-goods")
    publish(lamps, officer)
    count_until()
    day = NOW.date().isoformat()
    empty = ask(client, **SMALL, topic=other.code)
    seen = ask(client, **SMALL)
    assert seen != empty
    for params in ({"topic": lamps.code}, {"since": day, "until": day}, {"topic": lamps.code, "category": "first"}):
        assert ask(client, **SMALL, **params) == seen, params
    tomorrow = (NOW + timedelta(days=1)).date().isoformat()
    for params in ({"since": tomorrow}, {"topic": lamps.code, "category": "second"}):
        assert ask(client, **SMALL, **params) == empty, params


def test_a_single_report_of_a_sensitive_topic_cannot_be_seen(client: Client, harassment: Topic, officer: User) -> None:
    empty = ask(client, **SMALL, topic="harassment")
    everything = ask(client, **SMALL)
    publish(harassment, officer, 4)
    for days in (0, 40, 400):
        count_until(days)
        for measure in ("", "monthly", "contacts"):
            assert ask(client, **SMALL, topic="harassment", measure=measure) == empty
            assert ask(client, **SMALL, measure=measure) == everything
    assert "No reports" in alt_text({**HERE, "topic": "harassment"})


def test_counts_are_seen_once_their_month_is_over(client: Client, harassment: Topic, officer: User) -> None:
    empty = ask(client, **SMALL, topic="harassment")
    publish(harassment, officer, 6)
    count_until()
    assert ask(client, **SMALL, topic="harassment") == empty
    count_until(40)
    assert ask(client, **SMALL, topic="harassment") != empty
    assert "6 reports" in alt_text({**HERE, "topic": "harassment"})


def test_an_exact_place_makes_no_other_picture_than_its_cell(client: Client, lamps: Topic, officer: User) -> None:
    here = {**SMALL, "zoom": "20", "width": "400"}
    latitude, longitude = cells.centre(cells.cell_of(make.LATITUDE, make.LONGITUDE, 10))
    empty = ask(client, **here)
    publish(lamps, officer)
    count_until()
    first = ask(client, **{**here, "lat": f"{make.LATITUDE}", "lon": f"{make.LONGITUDE}"})
    # At the nearest zoom the whole picture is within the public cell: one colour wherever one looks.
    second = ask(client, **{**here, "lat": f"{latitude:.6f}", "lon": f"{longitude:.6f}"})
    assert first == second != empty


@pytest.mark.parametrize(
    "params",
    [
        {"width": "319"}, {"width": "1601"}, {"height": "100000000"}, {"height": "1e3.5"}, {"width": "640.5"},
        {"lat": "nan"}, {"lat": "91"}, {"lon": "200"}, {"lon": "-180.01"}, {"lon": "inf"}, {"zoom": "-1"},
        {"zoom": "21"}, {"zoom": "x"}, {"legend": "yes"}, {"measure": "likes"}, {"language": "xx"},
        {"since": "yesterday"}, {"since": "2026-03-02", "until": "2026-03-01"}, {"category": "first"},
        {"topic": "street-light", "category": "third"},
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_a_sentence(client: Client, lamps: Topic, params: dict[str, str]) -> None:
    text = ask(client, 400, **params).decode()
    assert "This picture cannot be drawn" in text
    with pytest.raises(FilterError):
        alt_text(params)


def test_a_topic_that_there_is_not_is_not_found(client: Client, lamps: Topic) -> None:
    ask(client, 404, topic="nothing")
    with pytest.raises(NoSuchTopic):
        alt_text({"topic": "nothing"})


@pytest.mark.parametrize(
    "place", [("90", "0", "5"), ("-90", "180", "0"), ("0", "180", "3"), ("0", "-180", "20"), ("85.06", "0", "20")]
)
def test_the_ends_of_the_world_can_be_drawn(client: Client, lamps: Topic, place: tuple[str, str, str]) -> None:
    latitude, longitude, zoom = place
    assert image_of(ask(client, lat=latitude, lon=longitude, zoom=zoom, width="480", height="320")).size == (480, 320)


numbers = st.one_of(
    st.floats().map(str), st.integers(-200, 2_000).map(str), st.text(max_size=6), st.sampled_from(["", "٤٢", "1e400"])
)


@how(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "lat": numbers, "lon": numbers, "zoom": numbers, "legend": numbers, "since": numbers, "until": numbers,
            "topic": st.sampled_from(["", "street-light", "x", "\x00"]), "category": numbers, "measure": numbers,
            "language": st.sampled_from(["", "en", "ar", "sq", "\x00"]),
        },
    ),
    st.sampled_from(["", "0", "-1", "320", "NaN", "1e9", "٣٢٠"]),
)  # fmt: skip
@example({"lat": "-0.0", "lon": "-0.0", "zoom": "0.0"}, "320")
def test_no_address_breaks_the_site(client: Client, lamps: Topic, params: dict[str, str], width: str) -> None:
    response = client.get(
        "/map/picture.png?" + urlencode({**params, "width": width, "height": "320"}, errors="replace")
    )
    assert response.status_code in (200, 400, 404)
    if response.status_code == 200:
        assert image_of(response.content).height == 320


def test_the_language_is_the_readers_or_the_addresss(client: Client, lamps: Topic) -> None:
    english = client.get("/map/picture.png", HERE, headers={"accept-language": "en"})
    arabic = client.get("/map/picture.png", HERE, headers={"accept-language": "ar"})
    named = client.get("/map/picture.png", {**HERE, "language": "ar"}, headers={"accept-language": "en"})
    assert english["Content-Language"] == "en" and arabic["Content-Language"] == named["Content-Language"] == "ar"
    assert english.content != arabic.content == named.content
    assert "Accept-Language" in english["Vary"] and "Vary" not in named


def test_what_has_not_changed_is_not_sent_again(client: Client, lamps: Topic, officer: User) -> None:
    first = client.get("/map/picture.png", SMALL)
    assert "max-age" in first["Cache-Control"] and "Set-Cookie" not in first
    again = client.get("/map/picture.png", SMALL, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    publish(lamps, officer)
    count_until()
    changed = client.get("/map/picture.png", SMALL, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


def test_a_town_map_in_the_data_folder_is_drawn(client: Client, lamps: Topic) -> None:
    plain = ask(client, **SMALL)
    folder = settings.COMMONBEAT.data_dir / "maps"
    folder.mkdir(exist_ok=True)
    town = folder / "town.pmtiles"
    try:
        town.write_bytes((Path(commonbeat.__file__).parent / "cli/demo/town.pmtiles").read_bytes())
        assert ask(client, **SMALL) != plain
        town.write_bytes(b"PMTiles\x03 and then nothing")
        assert image_of(ask(client, **SMALL)).size == (320, 320)
    finally:
        town.unlink()


def test_who_draws_too_much_must_wait(client: Client, lamps: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "PICTURES", picture.PICTURES._replace(most=2))
    for longitude in ("1", "2"):
        ask(client, **{**SMALL, "lon": longitude})
    ask(client, 429, **{**SMALL, "lon": "3"})
    # What was drawn already costs nothing.
    ask(client, **{**SMALL, "lon": "2"})


def test_a_crowd_sees_the_picture_of_a_moment_ago_or_is_told_to_come_again(
    client: Client, lamps: Topic, officer: User
) -> None:
    old = client.get("/map/picture.png", {**SMALL, "width": "330"})
    publish(lamps, officer)
    count_until()
    taken = [picture._waiting.acquire(blocking=False) for _ in range(picture._MOST_WAITING)]
    try:
        response = client.get("/map/picture.png", SMALL)
        assert response.status_code == 503 and response["Retry-After"] == "5"
        again = client.get("/map/picture.png", {**SMALL, "width": "330"})
        assert (again.status_code, again.content, again["ETag"]) == (200, old.content, old["ETag"])
    finally:
        for _ in taken:
            picture._waiting.release()
    assert ask(client, **{**SMALL, "width": "330"}) != old.content


def test_the_number_of_queries_does_not_grow(client: Client, lamps: Topic, officer: User) -> None:
    found = []
    for number in (1, 12):
        publish(lamps, officer, number)
        count_until()
        with CaptureQueriesContext(connection) as queries:
            ask(client, **HERE, width="400", height="400", topic=lamps.code)
        found.append(len(queries))
    # Topics, the revision for the tag, and the sums.
    assert found[0] == found[1] <= 5


def test_the_words_for_those_who_cannot_see_it(lamps: Topic, officer: User) -> None:
    publish(lamps, officer, 3)
    count_until()
    params = {**HERE, "topic": lamps.code, "category": "first", "since": "2026-03-01", "until": "2026-03-31"}
    text = alt_text(params)
    assert text == "Map: Street light · First · March 2026. 3 reports in the areas shown. Most in one area: 3."
    assert alt_text({**params, "lon": "-70"}).endswith("No reports are counted here.")
    assert "a month" in alt_text({**params, "measure": "monthly"})
    assert "3 senders" in alt_text({**params, "measure": "contacts"})


@pytest.mark.parametrize("zoom", ["13", "2"])
def test_few_contacts_are_told_as_many_as_reports(lamps: Topic, officer: User, zoom: str) -> None:
    phone = make.make_contact()
    publish(lamps, officer, 1)
    for _ in range(2):
        report = make.make_report(topic=lamps, now=NOW, categories=["first"], contact=phone)
        publish_report(report_id=report.pk, title="A lamp", text="It is dark.", actor=officer, now=NOW)
    count_until()
    assert Bucket.objects.get().senders == 2
    assert "3 senders" in alt_text({**HERE, "zoom": zoom, "measure": "contacts"})


def test_the_address_of_a_picture_holds_only_what_was_chosen() -> None:
    address = picture_address({"topic": "street-light", "since": "", "as": "picture"}, zoom="14", legend="0")
    assert address == "/map/picture.png?topic=street-light&zoom=14&legend=0"
    assert picture_address({}) == "/map/picture.png"
