"""Rows of alerts as CAP, the pages that give it to other systems, and how many queries they take."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from capvalidator.validate import Validator
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import etree

from commonbeat.alerts import feeds
from commonbeat.alerts.cap import element_of
from commonbeat.alerts.cap_queries import message as chain_of
from commonbeat.alerts.cap_reading import parse, read
from commonbeat.alerts.cap_rows import site_of, to_cap
from commonbeat.alerts.cap_signing import verified
from commonbeat.alerts.feed_reading import read_feed
from commonbeat.alerts.models import Alert, AlertState, AlertText, Source
from commonbeat.foundation import clock
from commonbeat.foundation.ids import new_token
from tests.alerts.cap_messages import schema
from tests.make import LATITUDE, LONGITUDE, NOW, square

pytestmark = pytest.mark.django_db
XSD = schema()
ATOM, CAP = "{http://www.w3.org/2005/Atom}", "{urn:oasis:names:tc:emergency:cap:1.2}"


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    # A key that another test made at the real time is not valid at this noon.
    (settings.COMMONBEAT.data_dir / "keys" / "cap.pem").unlink(missing_ok=True)


def released(
    *, languages: tuple[str, ...] = ("en", "sq"), headline: str = "A child is missing", **changes: Any
) -> Alert:
    """Make a row that is out, an hour ago and for six more."""
    fields: dict[str, Any] = {
        "identifier": f"cb-{new_token()}",
        "kind": "missing_child",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "expires_at": NOW + timedelta(hours=6),
        "area": square(),
        "south": LATITUDE - 0.05,
        "north": LATITUDE + 0.05,
        "west": LONGITUDE - 0.05,
        "east": LONGITUDE + 0.05,
        "state": AlertState.RELEASED,
        "created_at": NOW - timedelta(hours=1),
        "changed_at": NOW - timedelta(hours=1),
        "released_at": NOW - timedelta(hours=1),
    }
    alert = Alert.objects.create(**{**fields, **changes})
    for language in languages:
        AlertText.objects.create(
            alert=alert, language=language, headline=f"{headline} ({language})", description="Blue jacket.",
            instruction="Look around.", area_desc="Old town",
        )  # fmt: skip
    return alert


def test_a_row_is_a_valid_signed_message_at_a_stable_address(client: Client) -> None:
    alert = released()
    answer = client.get(f"/alerts/cap/{alert.identifier}.xml")
    assert answer.headers["Content-Type"] == "application/cap+xml"
    assert "max-age" in answer.headers["Cache-Control"] and "Cookie" not in answer.headers.get("Vary", "")
    assert XSD.validate(etree.fromstring(answer.content)), XSD.error_log
    outside = Validator(answer.content)
    assert outside.schema()[0] and outside.signature()[0]
    certificate = client.get("/alerts/cap/certificate.pem").content.decode()
    assert "PRIVATE" not in certificate
    verified(parse(answer.content, 1_000_000), certificate, NOW)
    found = read(answer.content)
    assert (found.identifier, found.sender) == (alert.identifier, site_of(settings.COMMONBEAT).sender)
    assert [info.language for info in found.info] == ["en", "sq"]
    first = found.info[0]
    assert first.eventCode == (("commonbeat", "missing_child"),) and first.category == ("Rescue",)
    assert first.web == f"{settings.COMMONBEAT.site_url}/alerts/{alert.pk}/"
    # The site's zone, an hour ahead of UTC in March.
    assert b"<sent>2026-03-14T12:00:00+01:00</sent>" in answer.content
    again = client.get(f"/alerts/cap/{alert.identifier}.xml", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.content


def test_updates_and_cancels_refer_to_all_that_came_before(client: Client) -> None:
    first = released()
    second = released(msg_type="Update", root=first, previous=first, released_at=NOW - timedelta(minutes=30))
    released(msg_type="Update", root=first, previous=second, state="waiting", released_at=None)
    end = released(
        msg_type="Cancel", root=first, previous=second, released_at=NOW, expires_at=NOW - timedelta(minutes=1)
    )
    found = read(client.get(f"/alerts/cap/{end.identifier}.xml").content)
    assert [each.identifier for each in found.references] == [first.identifier, second.identifier]
    assert found.info[0].expires is not None and found.info[0].expires > found.sent
    assert found.info[0].responseType == ("AllClear",)
    earlier = read(client.get(f"/alerts/cap/{first.identifier}.xml").content)
    assert (found.references[0].sender, found.references[0].sent) == (earlier.sender, earlier.sent)
    assert not earlier.references


@pytest.mark.parametrize("state", ["draft", "waiting", "discarded"])
def test_nothing_is_told_of_what_is_not_out(client: Client, outsider_client: Client, state: str) -> None:
    hidden = released(state=state)
    released(source=Source.objects.create(name="Weather", url="https://w.example/"), headline="Of others")
    for browser in (client, outsider_client):
        assert browser.get(f"/alerts/cap/{hidden.identifier}.xml").status_code == 404
        for name in ("feed.atom", "feed.rss", "look-outs.atom"):
            content = browser.get(f"/alerts/{name}?tests=1").content
            assert b"A child is missing" not in content and b"Of others" not in content


def test_odd_addresses_are_not_found(client: Client) -> None:
    for name in ("x", "%00", "..%2f..%2fetc", "a" * 3000, "%D8%B9"):
        assert client.get(f"/alerts/cap/{name}.xml").status_code == 404
    assert client.get("/alerts/feed.atom?language=xx").status_code == 400
    assert client.post("/alerts/feed.atom").status_code == 405


def test_tests_are_marked_and_not_in_the_feeds_unless_asked_for(client: Client) -> None:
    test = released(status="Test")
    found = read(client.get(f"/alerts/cap/{test.identifier}.xml").content)
    assert found.status == "Test" and found.note
    assert [info.headline[:5] for info in found.info] == ["TEST:", "PROVË"]
    assert test.identifier not in client.get("/alerts/feed.atom").content.decode()
    with_tests = client.get("/alerts/feed.atom?tests=1").content
    assert b"TEST: A child" in with_tests and b"<cap:status>Test" in with_tests


@pytest.mark.parametrize("name", ["feed.atom", "feed.rss"])
def test_feeds_lead_to_the_messages(client: Client, name: str) -> None:
    alert = released(headline="Cats & <dogs>")
    answer = client.get(f"/alerts/{name}?language=sq")
    assert answer.headers["Content-Language"] == "sq"
    assert "Cats &amp; &lt;dogs&gt; (sq)" in answer.content.decode()
    (entry,) = read_feed(answer.content, "http://127.0.0.1:8000/").entries
    assert entry.address == f"{settings.COMMONBEAT.site_url}/alerts/cap/{alert.identifier}.xml"
    assert read(client.get(entry.address.partition("8000")[2]).content).identifier == alert.identifier
    root = etree.fromstring(answer.content)
    if name == "feed.atom":
        assert root.findtext(f"{ATOM}entry/{ATOM}id") == entry.address
        assert re.fullmatch(r"\S+Z", root.findtext(f"{ATOM}updated"))
    else:
        assert root.findtext("channel/item/guid") == entry.address


def test_a_feed_holds_the_newest_of_each_chain_until_a_day_after_its_end(client: Client) -> None:
    def shown() -> list[str]:
        root = etree.fromstring(client.get("/alerts/feed.atom").content)
        return [node.text for node in root.iter(f"{CAP}identifier")]

    active = released(released_at=NOW - timedelta(hours=2))
    first = released(ended_at=NOW - timedelta(hours=2), outcome="over")
    end = released(msg_type="Cancel", root=first, released_at=NOW - timedelta(hours=2), expires_at=NOW + timedelta(1))
    long_over = released(ended_at=NOW - timedelta(hours=25), outcome="over")
    released(msg_type="Cancel", root=long_over, released_at=NOW - timedelta(hours=25))
    expired = released(expires_at=NOW - timedelta(hours=3), released_at=NOW - timedelta(hours=4))
    released(expires_at=NOW - timedelta(hours=25), released_at=NOW - timedelta(hours=30))
    assert set(shown()) == {end.identifier, active.identifier, expired.identifier}
    assert shown()[-1] == expired.identifier
    changed = released(msg_type="Update", root=active, previous=active, released_at=NOW)
    released(msg_type="Update", root=active, previous=active, state="waiting", released_at=None)
    assert shown()[0] == changed.identifier and active.identifier not in shown()


def test_look_outs_are_those_for_partners(client: Client) -> None:
    released(headline="Only people")
    released(headline="Taxis too", to_partners=True)
    content = client.get("/alerts/look-outs.atom").content
    assert b"Taxis too" in content and b"Only people" not in content


def test_a_feed_stays_small_and_keeps_what_is_urgent(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_BYTES", 20_000)
    urgent = released(headline="Urgent and old", released_at=NOW - timedelta(hours=5))
    for number in range(40):
        released(
            headline=f"Road {number}", urgency="Expected", severity="Minor", languages=("en",),
            released_at=NOW - timedelta(minutes=number),
        )  # fmt: skip
    for name in ("feed.atom", "feed.rss"):
        content = client.get(f"/alerts/{name}").content
        assert len(content) <= 20_000
        assert urgent.identifier.encode() in content and b"Road 0 " in content and b"Road 39 " not in content


def test_the_limit_itself_is_kept() -> None:
    row = released(languages=("en",))
    item = feeds.Item(to_cap(row, earlier=(), site=site_of(settings.COMMONBEAT)), "https://x.example/" + "a" * 900, "p")
    many = [feeds.Item(item.message, f"{item.address}{number}", item.page) for number in range(1_000)]
    about = feeds.About("t", "https://x.example/feed", "https://x.example/", "a", "en")
    for make in (feeds.atom, feeds.rss):
        assert 500_000 < len(make(many, about)) <= 900_000


def test_feeds_are_kept_until_something_changes_and_take_few_queries(client: Client) -> None:
    asked = []
    for more in (1, 30):
        for _each in range(more):
            released()
        for _round in range(2):
            with CaptureQueriesContext(connection) as queries:
                answer = client.get("/alerts/feed.atom")
            asked.append(len(queries))
    assert asked == [3, 1, 3, 1]
    etag = answer.headers["ETag"]
    assert client.get("/alerts/feed.atom", headers={"If-None-Match": etag}).status_code == 304
    released()
    assert client.get("/alerts/feed.atom", headers={"If-None-Match": etag}).status_code == 200


def test_an_empty_feed_is_a_feed(client: Client) -> None:
    for name in ("feed.atom", "feed.rss", "look-outs.atom"):
        assert read_feed(client.get(f"/alerts/{name}").content, "https://x.example/").entries == ()


def test_holes_and_circles_are_written_as_cap_can_say_them() -> None:
    site = site_of(settings.COMMONBEAT)
    ring = square()["coordinates"][0]
    hole = square(half=0.01)["coordinates"][0][::-1]
    holed = released(area={"type": "Polygon", "coordinates": [ring, hole]})
    assert len(to_cap(holed, earlier=(), site=site).info[0].area[0].polygon) == 2
    circle = released(area_parts={"circles": [[LATITUDE, LONGITUDE, 1500]], "polygons": [], "beats": []})
    area = to_cap(circle, earlier=(), site=site).info[0].area[0]
    assert not area.polygon and area.circle[0].radius == 1.5
    both = released(area_parts={"circles": [[LATITUDE, LONGITUDE, 1500]], "polygons": [{}], "beats": []})
    assert to_cap(both, earlier=(), site=site).info[0].area[0].polygon
    for row in (holed, circle, both):
        assert XSD.validate(element_of(to_cap(row, earlier=chain_of(row.identifier)[1], site=site)))


def test_times_are_of_the_sites_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    row = released(released_at=datetime(2026, 7, 1, 10, 0, 0, 123_456, tzinfo=ZoneInfo("UTC")))
    row.expires_at = datetime(2026, 7, 1, 20, tzinfo=ZoneInfo("UTC"))
    site = site_of(settings.COMMONBEAT)
    assert to_cap(row, earlier=(), site=site).sent.isoformat() == "2026-07-01T12:00:00+02:00"
