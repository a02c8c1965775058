"""The lists for programs."""

from __future__ import annotations

import json
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client

from tests import make

pytestmark = pytest.mark.django_db


def test_rss_can_be_read_and_leads_to_the_page(client: Client) -> None:
    report = make.make_report()
    make.make_publication(
        report=report, code="one1", title="Lamps & <wires>", text="Dark\nsince Monday", place_name="Stone bridge"
    )
    response = client.get("/reports.rss")
    assert response.headers["Content-Type"].startswith("application/rss+xml")
    channel = ElementTree.fromstring(response.content).find("channel")
    assert channel is not None
    item = channel.find("item")
    assert item is not None
    assert item.findtext("title") == "Lamps & <wires>"
    address = item.findtext("link") or ""
    assert address.endswith("/reports/one1/") and address.startswith("http")
    assert client.get("/reports/one1/").status_code == 200
    assert "GMT" in (item.findtext("pubDate") or "")
    assert item.findtext("{http://www.georss.org/georss}point")


def test_geojson_pages_through_everything(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from commonbeat.open import feeds

    monkeypatch.setattr(feeds, "GEOJSON_SIZE", 4)
    topic = make.make_topic("light")
    for number in range(10):
        report = make.make_report(topic=topic, latitude=42.38 if number % 2 else None)
        make.make_publication(report=report, title=f"R{number}", now=make.NOW + timedelta(minutes=number))
    seen = []
    address = "/reports.geojson?topic=light"
    while address:
        body = json.loads(client.get(address).content)
        assert body["type"] == "FeatureCollection"
        seen += [feature["properties"]["title"] for feature in body["features"]]
        for feature in body["features"]:
            assert feature["geometry"] is None or feature["geometry"]["type"] == "Point"
        address = body.get("next", "").partition("8000")[2]
    assert seen == [f"R{number}" for number in reversed(range(10))]


def test_feeds_tell_days_and_marks(client: Client) -> None:
    make.make_publication(is_verified=True, is_resolved=True, occurred_on=date(2026, 3, 1))
    properties = json.loads(client.get("/reports.geojson").content)["features"][0]["properties"]
    assert properties["verified"] and properties["resolved"] and properties["day"] == "2026-03-01"


def test_a_list_names_its_feeds(client: Client) -> None:
    make.make_topic("light")
    html = client.get("/reports/").content.decode()
    assert 'type="application/rss+xml"' in html and "/reports.rss?topic=light" in html


def test_an_empty_site_has_empty_feeds(client: Client) -> None:
    assert json.loads(client.get("/reports.geojson").content)["features"] == []
    assert b"<item>" not in client.get("/reports.rss").content
