"""Alerts near me: the device finds out by itself, and nothing that it sends tells where it is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from commonbeat.alerts.near import NearRow, entry_of, listing
from commonbeat.foundation import clock
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
NEAR_JS = "/static/commonbeat/js/near_geometry.js"


@pytest.fixture
def listened(page: Page) -> list[str]:
    """Collect everything that the browser sends: addresses, headers and bodies."""
    sent: list[str] = []
    page.on("request", lambda r: sent.append(f"{r.method} {r.url} {json.dumps(r.headers)} {r.post_data or ''}"))
    return sent


def serve_near(page: Page, entries: list[tuple[int, dict[str, Any]]], *, by_cell: bool = False) -> list[str]:
    """Answer what the lean half answers, which the test server does not run; collect what was asked for."""
    asked: list[str] = []
    expires = int((clock.now() + timedelta(hours=1)).timestamp())
    made = [
        entry_of(NearRow(pk, "water", "Actual", "Severe", expires, area, {"en": (f"Alert {pk}", "Old town")}))
        for pk, area in entries
    ]
    cells = sorted({cell for one in made for cell in one.cells or ()})

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        asked.append(path)
        bodies = [one.body for one in made]
        if by_cell:
            name = path.removeprefix("/live/alerts").removesuffix(".json").strip("/")
            bodies = [one.body for one in made if name and int(name, 16) in (one.cells or ())]
        whole = path == "/live/alerts.json"
        body = listing(bodies, places=cells if by_cell and whole else None)
        route.fulfill(status=200, content_type="application/json", body=body.decode())

    page.route("**/live/alerts**", answer)
    return asked


def near_me(page: Page, origin: str, at: tuple[float, float], metres: str = "5000") -> None:
    page.context.grant_permissions(["geolocation"], origin=origin)
    page.context.set_geolocation({"latitude": at[0], "longitude": at[1]})
    page.goto(f"{origin}/alerts/near/")
    page.select_option("select[name=metres]", metres)
    page.click("text=Look around me")


def test_the_device_finds_what_is_near_and_sends_no_position(page: Page, live_server: Any, listened: list[str]) -> None:
    at = (42.381234, 20.431234)
    asked = serve_near(
        page,
        [
            (1, make.square(42.38, 20.43, 0.01)),
            (2, make.square(42.40, 20.43, 0.005)),
            (3, make.square(42.70, 20.43, 0.01)),
        ],
    )
    near_me(page, live_server.url, at)
    rows = page.locator("[data-near-list] a")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Alert 1")
    expect(rows.nth(0)).to_contain_text("here")
    expect(rows.nth(1)).to_contain_text("kilometers away")
    assert rows.nth(0).get_attribute("href") == "/alerts/1/"
    assert asked == ["/live/alerts.json"]
    for sent in listened:
        assert "42.38" not in sent and "20.43" not in sent and "4238" not in sent
    assert (
        page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])").count("42.38") == 0
    )


def test_where_there_is_much_only_cells_around_are_asked_for(page: Page, live_server: Any, listened: list[str]) -> None:
    here, far = make.square(42.38, 20.43, 0.01), make.square(-33.9, 151.2, 0.01)
    asked = serve_near(page, [(1, here), (2, far)], by_cell=True)
    near_me(page, live_server.url, (42.381234, 20.431234))
    expect(page.locator("[data-near-list] a")).to_have_count(1)
    assert asked[0] == "/live/alerts.json"
    entry = entry_of(NearRow(1, "water", "Actual", "Severe", 0, here, {}))
    names = {f"/live/alerts/{cell:x}.json" for cell in entry.cells or ()}
    assert set(asked[1:]) == names
    assert not any("42.38" in sent or "20.43" in sent for sent in listened)


def test_nothing_near_and_no_position_are_said(page: Page, live_server: Any) -> None:
    serve_near(page, [(1, make.square(10.0, 10.0, 0.01))])
    near_me(page, live_server.url, (42.38, 20.43))
    expect(page.locator("[data-near] [role=status]")).to_have_text("No alert stands near you.")
    page.context.clear_permissions()
    page.click("text=Look around me")
    expect(page.locator("[data-near] [role=status]")).to_contain_text("Your position could not be found")


def test_distances_of_the_device_are_those_of_the_globe(page: Page, live_server: Any) -> None:
    import random

    from shapely.geometry import Point, shape
    from shapely.ops import nearest_points

    from commonbeat.foundation.cells import distance_m

    page.goto(f"{live_server.url}/alerts/near/")
    chance = random.Random(3)
    cases = []
    for _ in range(200):
        lat, lon = chance.uniform(-70, 70), chance.choice([chance.uniform(-179, 179), 179.99, -179.99])
        area = make.square(lat, lon, chance.uniform(0.001, 0.3))
        point = (lat + chance.uniform(-0.6, 0.6), lon + chance.uniform(-0.6, 0.6))
        cases.append((area["coordinates"], point))
    found = page.evaluate(
        f"""async (cases) => {{
          const near = await import('{NEAR_JS}');
          return cases.map(([area, point]) => near.metresTo([area], point));
        }}""",
        cases,
    )
    for (coordinates, (lat, lon)), metres in zip(cases, found, strict=True):
        outline, here = shape({"type": "Polygon", "coordinates": coordinates}), Point(lon, lat)
        if outline.covers(here):
            assert metres == 0
            continue
        closest = nearest_points(outline, here)[0]
        expected = distance_m(lat, lon, closest.y, closest.x)
        # Degrees and metres disagree about which point is nearest: the device's is at most as far.
        assert metres <= expected * 1.02 + 1
        assert metres >= expected * 0.2


def test_across_180_degrees_near_is_near(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/alerts/near/")
    area = [[[[179.9, -17.0], [180.0, -17.0], [180.0, -16.9], [179.9, -16.9], [179.9, -17.0]]]]
    found = page.evaluate(
        f"""async (area) => {{
          const near = await import('{NEAR_JS}');
          return [near.metresTo(area, [-16.95, -179.999]), near.metresTo(area, [-16.95, 179.95])];
        }}""",
        area,
    )
    assert 50 < found[0] < 150 and found[1] == 0


def test_holes_expiry_and_doubles(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/alerts/near/")
    ring = make.square(42.0, 20.0, 0.1)["coordinates"][0]
    hole = make.square(42.0, 20.0, 0.05)["coordinates"][0]
    alerts = [
        {"id": 1, "area": [[ring, hole]], "expires": 2_000},
        {"id": 1, "area": [[ring, hole]], "expires": 2_000},
        {"id": 2, "area": [[ring]], "expires": 1_000},
        {"id": 3, "area": [[ring]], "expires": 2_000},
    ]
    found = page.evaluate(
        f"""async (alerts) => {{
          const near = await import('{NEAR_JS}');
          const within = (metres) => near.nearest(alerts, [42.0, 20.0], metres, 1_500_000).map((a) => a.id);
          return [10_000, 1_000].map(within);
        }}""",
        alerts,
    )
    assert found == [[3, 1], [3]]
