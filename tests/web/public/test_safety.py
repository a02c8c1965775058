"""The pages and the file of safety scores: one set of numbers, nothing of a single person, bounded work."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commonbeat.foundation import cells, clock
from commonbeat.maps.models import Rated, RatingSum
from commonbeat.maps.rules import day_number
from commonbeat.maps.safety import Estimate
from commonbeat.maps.safety_sheet import WHOLE
from commonbeat.topics.actions import revise_topic
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from commonbeat.topics.ready_made import install_ready_made
from commonbeat.topics.scoring import rated_fields
from commonbeat.web.public import safety, safety_sheets
from commonbeat.web.public.safety_words import score_text
from tests import make

pytestmark = pytest.mark.django_db
CODES = ("lighting", "openness", "visibility", "people", "security", "walk_path", "public_transport", "gender_usage")
CELL = cells.cell_of(make.LATITUDE, make.LONGITUDE, 10)
ADDRESS = f"/map/safety/{CELL:x}/"


@pytest.fixture
def topic(db: None) -> Topic:
    """Give the ready-made audit, among the other ready-made topics."""
    install_ready_made(make.NOW)
    return Topic.objects.get(code="safety-audit")


def rate(
    topic: Topic, cell: int = CELL, *, n: int = 4, ratings: dict[str, float] | None = None, mean: float = 2
) -> None:
    """Store the published sums of n audits of one place."""
    today = day_number(clock.now().date())
    values = dict.fromkeys((*CODES, "feeling"), mean) | (ratings or {})
    whole = sum(values[code] for code in CODES) / len(CODES) / 3 * 100
    rows = [*((code, value) for code, value in values.items()), (WHOLE, whole)]
    RatingSum.objects.bulk_create(
        RatingSum(
            topic_id=topic.pk, cell=cell, period=today, parameter=code, is_drawn=True, n=n, total=n * value,
            squares=n * value * value, oldest=today, newest=today,
        )
        for code, value in rows
    )  # fmt: skip


def around(count: int) -> list[int]:
    """Give so many cells side by side."""
    found: list[int] = []
    step = 0
    while len(found) < count:
        cell = cells.cell_of(make.LATITUDE + 0.002 * (step // 100), make.LONGITUDE + 0.002 * (step % 100), 10)
        step += 1
        if cell not in found:
            found.append(cell)
    return found


def collection(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"/map/safety.geojson{query}")
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return str(response.content.decode())


def test_an_empty_site_says_so(client: Client) -> None:
    assert "Nobody can rate places here yet" in page(client, "/map/safety/")
    assert collection(client)["features"] == []
    assert client.get(ADDRESS).status_code == 404


def test_without_audits_the_page_leads_to_making_one(client: Client, topic: Topic) -> None:
    html = page(client, "/map/safety/")
    assert "No place has been rated yet" in html
    assert 'href="/report/safety-audit/"' in html
    assert "safety.js" not in html


@pytest.mark.parametrize("language", ["en", "sq", "ar"])
@pytest.mark.parametrize("layer", ["", "lighting", "street.lights", "feeling"])
def test_each_layer_in_each_language(client: Client, topic: Topic, language: str, layer: str) -> None:
    rate(topic)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    html = page(client, f"/map/safety/?layer={layer}")
    assert html.count("<h1") == 1
    assert html.count('aria-current="page"') >= 1
    page(client, ADDRESS)


def test_page_place_and_file_tell_the_same(client: Client, topic: Topic) -> None:
    make.make_place("Old Bazaar")
    rate(topic, ratings={"lighting": 0})
    for cell in around(6)[1:]:
        rate(topic, cell, mean=1.5)
    feature = next(one for one in collection(client)["features"] if one["id"] == f"{CELL:x}")
    told = feature["properties"]
    assert (told["audits"], told["helps"], told["name"]) == (4, "Lighting", "Near Old Bazaar")
    assert told["newest"] == clock.now().date().isoformat()
    shown = page(client, ADDRESS)
    assert told["text"] in shown
    assert told["text"] in page(client, "/map/safety/")
    assert f"\u2066{told['score']}\u00a0±\u00a0{told['margin']}\u2069" == told["text"]
    assert shown.count('class="bar"') == 9
    assert "Lighting costs this place most." in shown


def test_the_score_is_the_weighted_mean_of_the_ratings_that_one_sees(client: Client, topic: Topic) -> None:
    rate(topic, ratings={"lighting": 0, "people": 3, "feeling": 0})
    for cell in around(4)[1:]:
        rate(topic, cell, mean=1)
    place = safety_sheets.sheet_of(topic, now=clock.now()).places[CELL]
    assert place.overall is not None
    seen = [place.parameters[code].score for code in CODES]
    assert place.overall.score == pytest.approx(sum(seen) / len(seen))
    assert sum(place.losses.values()) == pytest.approx(100 - place.overall.score)


def test_a_place_with_too_few_audits_shows_its_area_and_none_of_its_answers(client: Client, topic: Topic) -> None:
    far = around(5)[1:]
    for cell in far:
        rate(topic, cell, mean=2)
    Rated.objects.create(
        publication_id=1, topic_id=topic.pk, cell=CELL, day=20_000, ratings=dict.fromkeys(CODES, 0), is_single=False
    )
    feature = next(one for one in collection(client)["features"] if one["id"] == f"{CELL:x}")
    told = feature["properties"]
    # The mean of the area: two of three in everything.
    assert (told["score"], told["audits"], told["waiting"], told["sure"], told["helps"]) == (67, 0, 1, False, "")
    shown = page(client, ADDRESS)
    assert "Too few audits here" in shown
    assert 'class="bar"' not in shown
    assert "1 audit waits until 3 people have rated the same place" in shown
    lines = re.findall(r'scope="row"><a href="([^"]+)"', page(client, "/map/safety/"))
    assert lines[-1] == ADDRESS, "what is only guessed comes last"


def test_reported_lamps_lower_the_score_of_street_lights_alone(client: Client, topic: Topic) -> None:
    rate(topic)
    for cell in around(5)[1:]:
        rate(topic, cell)
    before = collection(client, "?layer=street.lights")["features"]
    today = day_number(clock.now().date())
    lamps = Topic.objects.get(code="street-light")
    RatingSum.objects.create(
        topic_id=lamps.pk, cell=CELL, period=today, parameter="lighting", is_drawn=False, n=3, total=0, squares=0,
        oldest=today, newest=today,
    )  # fmt: skip
    after = {one["id"]: one["properties"] for one in collection(client, "?layer=street.lights")["features"]}
    old = {one["id"]: one["properties"] for one in before}
    assert after[f"{CELL:x}"]["score"] < old[f"{CELL:x}"]["score"]
    assert after[f"{CELL:x}"]["lamps"] == 3
    for layer in ("", "lighting"):
        found = {one["id"]: one["properties"] for one in collection(client, f"?layer={layer}")["features"]}
        assert found[f"{CELL:x}"]["score"] == 67
    assert "3 lamps are reported here and not repaired yet." in page(client, ADDRESS)


def test_a_topic_that_turns_to_counts_shows_no_score(client: Client, topic: Topic) -> None:
    rate(topic)
    page(client, ADDRESS)
    counts = msgspec.structs.replace(topic.definition, publishes=Publishes.COUNTS, smallest_count=5)
    revise_topic(topic_id=topic.pk, definition=counts, actor_id=None, now=make.NOW)
    assert client.get(ADDRESS).status_code == 404
    assert collection(client)["features"] == []


def test_old_sums_follow_a_topic_that_shows_its_places_coarser(client: Client, topic: Topic) -> None:
    rate(topic)
    rate(topic, around(2)[1])
    coarse = msgspec.structs.replace(topic.definition, public_resolution=7)
    revise_topic(topic_id=topic.pk, definition=coarse, actor_id=None, now=make.NOW)
    found = collection(client)["features"]
    assert {cells.resolution_of(int(one["id"], 16)) for one in found} == {7}
    assert sum(one["properties"]["audits"] for one in found) == 8


@pytest.mark.parametrize(
    "query",
    [
        "layer=nothing",
        "topic=nothing",
        "bbox=1,2,3",
        "bbox=a,b,c,d",
        "bbox=nan,0,1,1",
        "bbox=0,9,1,8",
        "bbox=0,0,1e9,1",
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(client: Client, topic: Topic, query: str) -> None:
    rate(topic)
    response = client.get(f"/map/safety.geojson?{query}")
    assert response.status_code == 400
    assert json.loads(response.content)["error"].endswith(".")


@pytest.mark.parametrize("query", ["layer=nothing", "topic=nothing", "page=0", "page=x", "page=99999999", "page=²"])
def test_a_page_that_cannot_be_asked_for_is_refused(client: Client, topic: Topic, query: str) -> None:
    rate(topic)
    assert client.get(f"/map/safety/?{query}").status_code == 400


def test_a_place_that_nobody_rated_is_not_found(client: Client, topic: Topic) -> None:
    rate(topic)
    assert client.get(f"/map/safety/{around(2)[1]:x}/").status_code == 404
    assert client.get("/map/safety/fffffffffffffff/").status_code == 404
    assert client.get(f"{ADDRESS}?topic=nothing").status_code == 404


def test_only_cells_in_view_are_given(client: Client, topic: Topic) -> None:
    some = around(6)
    for cell in some:
        rate(topic, cell)
    latitude, longitude = cells.centre(some[2])
    for size in (0.0004, 0.0006):
        box = f"{longitude - size},{latitude - size},{longitude + size},{latitude + size}"
        assert [one["id"] for one in collection(client, f"?bbox={box}")["features"]] == [f"{some[2]:x}"]
    assert collection(client, "?bbox=170,-10,-170,10")["features"] == []


def test_a_view_has_a_limit_and_says_so(client: Client, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "MOST_FEATURES", 3)
    for number, cell in enumerate(around(5)):
        rate(topic, cell, n=3 + number)
    found = collection(client)
    assert [one["properties"]["audits"] for one in found["features"]] == [7, 6, 5]
    assert found["note"] == "3 of 5 places are drawn; move closer to see the rest."


def test_the_table_goes_on_over_pages(client: Client, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "PAGE_SIZE", 2)
    for number, cell in enumerate(around(3)):
        rate(topic, cell, mean=number)
    assert 'href="/map/safety/?page=2"' in page(client, "/map/safety/")
    second = page(client, "/map/safety/?page=2")
    assert second.count('scope="row">') == 1


def test_queries_do_not_grow_with_places(client: Client, topic: Topic) -> None:
    def queries(address: str) -> int:
        page(client, address)
        with CaptureQueriesContext(
            connection,
        ) as found:
            page(client, address)
        return len(found)

    addresses = ("/map/safety/", "/map/safety.geojson", ADDRESS)
    rate(topic)
    before = [queries(address) for address in addresses]
    for cell in around(40)[1:]:
        rate(topic, cell)
    assert [queries(address) for address in addresses] == before


def test_an_outsider_and_staff_see_the_same(
    topic: Topic, client: Client, outsider_client: Client, officer_client: Client
) -> None:
    rate(topic)
    answers = {each.get("/map/safety.geojson").content for each in (client, outsider_client, officer_client)}
    assert len(answers) == 1


def test_the_ready_made_audit_weighs_what_explains_the_feeling(topic: Topic) -> None:
    weights = {field.code: field.weight for field in rated_fields(topic.definition)}
    assert weights == dict.fromkeys(CODES, 1) | {"feeling": 0}


def test_a_score_reads_from_left_to_right_everywhere() -> None:
    assert score_text(Estimate(61.6, 9.2)) == "\u206662\u00a0±\u00a09\u2069"
    assert score_text(None) == ""


@pytest.mark.django_db(transaction=True)
def test_a_crowd_is_answered_from_what_was_scored_a_moment_ago(client: Client) -> None:
    install_ready_made(make.NOW)
    topic = Topic.objects.get(code="safety-audit")
    safety_sheets._kept.clear()
    rate(topic)
    assert len(collection(client)["features"]) == 1
    RatingSum.objects.all().delete()
    assert len(collection(client)["features"]) == 1
    revise_topic(
        topic_id=topic.pk,
        definition=msgspec.structs.replace(topic.definition, smallest_count=4),
        actor_id=None,
        now=make.NOW,
    )
    assert collection(client)["features"] == [], "another version of the topic is scored anew"
    safety_sheets._kept.clear()
