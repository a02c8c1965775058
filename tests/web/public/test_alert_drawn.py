"""Draw an area instead of choosing places: kept coarsely, shown to its owner alone, changed and ended like others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from commonbeat.alerts.actions.drafts import Drawn
from commonbeat.alerts.actions.subscribing import Where, subscribe
from commonbeat.alerts.models import Subscription
from commonbeat.intake.world import SiteWorld
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Contact, Outbound
from tests import make
from tests.alerts.going_out import alert_out, draft_of, fan_out
from tests.web.public.signups import MANAGE, NOW, NUMBER, START, code_sent, press, send, type_code, walked
from tests.web.public.walker import Walker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("moment")]
LON, LAT = make.LONGITUDE, make.LATITUDE
RING = [[LON, LAT], [LON + 0.01234, LAT + 0.0001], [LON + 0.011, LAT + 0.01], [LON, LAT]]


def geojson(ring: Any = RING) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def drawing(client: Client | None = None) -> Walker:
    return press(Walker(client or Client(), START, wanted="novalidate"), go="draw")


def signed_up(client: Client, label: str = "park") -> Walker:
    walker = press(drawing(client), go="drawn", drawn=geojson(), label=label)
    press(walker)
    press(walker)
    press(walker, how="phone", phone=NUMBER)
    press(walker)
    send(walker)
    type_code(walker, code_sent())
    return walker


@pytest.fixture
def owner() -> Client:
    client = Client()
    signed_up(client)
    return client


def test_an_area_is_drawn_checked_and_confirmed() -> None:
    walker = press(drawing(), go="drawn", drawn=geojson(), label="park")
    assert "park: An area that you drew" in walker.text
    press(walker)
    press(walker)
    press(walker, how="phone", phone=NUMBER)
    press(walker)
    assert "park: An area that you drew" in walker.text
    send(walker)
    type_code(walker, code_sent())
    row = Subscription.objects.get()
    assert (row.shape, row.label, row.confirmed_at, row.latitude, row.beat_id) == ("area", "park", NOW, None, None)
    assert row.area is not None
    for lon, lat in row.area["coordinates"][0]:
        assert (round(lon, 3), round(lat, 3)) == (lon, lat)


def test_an_alert_that_touches_it_comes(owner: Client, officer) -> None:
    alert = alert_out(officer, now=NOW)
    assert fan_out(alert).queued == 1
    far = make.square(latitude=LAT + 1, half=0.01)
    other = alert_out(officer, draft=draft_of(drawn=Drawn(polygons=[far])), now=NOW)
    assert fan_out(other).matched == 0


def test_what_was_said_before_travels_through_the_drawing() -> None:
    walker = press(Walker(Client(), START, wanted="novalidate"), go="add", place_text="42.4, 20.5")
    press(walker, go="draw")
    press(walker, go="drawn", drawn=geojson())
    assert walker.text.count('name="place"') == 2
    press(walker, go="draw")
    press(walker, go="back")
    assert walker.text.count('name="place"') == 2
    # It is taken off the list like any other.
    press(walker, go="drop:1")
    assert "An area that you drew" not in walker.text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "Draw one area on the map."),
        ("x", "Draw one area on the map."),
        ("[" * 4_000, "Draw one area on the map."),
        ("null", "Draw one area on the map."),
        (geojson([[LON, LAT]] * 4), "too small"),
        (geojson([[LON, LAT], [LON + 0.01, LAT + 0.01], [LON + 0.01, LAT], [LON, LAT + 0.01]]), "crosses or touches"),
        (geojson([[LON + n / 1_000, LAT] for n in range(62)]), "more than 60 corners"),
        (geojson([[LON, LAT], [LON + 40, LAT], [LON, LAT + 1]]), "reaches too far away"),
        (geojson([[LON, LAT], [1e999, LAT], [LON, LAT + 1]]), "off the map"),
    ],
)
def test_what_is_no_area_is_told_on_the_map_and_not_kept(given: str, sentence: str) -> None:
    walker = press(drawing(), go="drawn", drawn=given, label="park")
    assert walker.response.status_code == 422
    assert sentence in walker.text
    assert 'href="#id_drawn"' in walker.text
    # The map is there again, with what was drawn and what it was called.
    assert "data-alert-draw" in walker.text
    assert 'value="park"' in walker.text
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "place", ["area|x y,1 2,3 4|", "area||", "area|1 2|", "area|1 2 3,4 5,6 7|x", "area|nan 1,1 1,2 2|x"]
)
def test_a_forged_place_is_refused_and_nobody_is_written_to(place: str) -> None:
    form = walked().form
    fields = {name: value for name, value in form.fields if name != "place"}
    answer = Client().post(form.action, {**fields, "place": place})
    assert answer.status_code == 422
    assert not Subscription.objects.exists()
    assert not Outbound.objects.exists()


def test_without_a_script_the_page_says_what_else_there_is() -> None:
    walker = drawing()
    said = walker.text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "Drawing needs JavaScript" in said
    assert "several places, or beats, or one place" in said
    assert "Choose places instead" in walker.text
    # What only a script can do stands in what only a script shows.
    assert "data-tools hidden" in walker.text


def test_its_owner_sees_changes_and_ends_it(owner: Client) -> None:
    row = Subscription.objects.get()
    page = owner.get(MANAGE).content.decode()
    assert "park: An area that you drew" in page
    assert '<svg class="alert-outline"' in page
    address = f"{MANAGE}{row.pk}/"
    page = owner.get(address).content.decode()
    assert "data-drawn=" in page
    assert "How far around it" not in page
    area = row.area
    answer = owner.post(address, {"kind": ["water"], "least": "3", "label": "garden", "speaks": "sq", "quiet": "none"})
    assert answer.headers["Location"] == MANAGE
    row.refresh_from_db()
    assert (row.kinds, row.least_severity, row.label, row.language, row.area) == (["water"], 3, "garden", "sq", area)
    owner.post(MANAGE, {"go": f"end:{row.pk}"})
    assert not Subscription.objects.exists()


def test_nobody_else_sees_it(owner: Client, outsider_client: Client, officer_client: Client) -> None:
    row = Subscription.objects.get()
    other = Client()
    type_code(send(walked(other, phone="+383 44 111 222")), code_sent())
    for client in (Client(), other, outsider_client, officer_client):
        assert client.get(f"{MANAGE}{row.pk}/").status_code == 302
        assert "park" not in client.get(MANAGE).content.decode()
    for entry in Entry.objects.filter(kind__startswith="alerts."):
        assert "park" not in str(entry.data)
        assert "20." not in str(entry.data)
    for path in ("/alerts/", "/alerts/areas.geojson", "/alerts/near/", "/live/alerts.json"):
        assert "park" not in Client().get(path).content.decode()


def test_by_message_it_is_an_area_that_you_drew() -> None:
    signed_up(Client(), label="")
    contact = Contact.objects.get()
    (place,) = SiteWorld(contact, now=NOW).alerts().places
    assert (place.label, place.is_drawn) == ("", True)


def test_what_found_no_room_is_told_behind_the_code() -> None:
    client = Client()
    signed_up(client)
    contact = Contact.objects.get()
    for step in range(9):
        where = Where(latitude=42 + step / 100, longitude=LON, radius=500)
        subscribe(contact=contact, where=where, language="en", is_confirmed=True, now=NOW)
    page = type_code(send(walked()), code_sent()).content.decode()
    assert "Not all of it could be added" in page
    assert "You get alerts for 10 places already." in page
    assert Subscription.objects.count() == 10
