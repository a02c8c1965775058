"""Active alerts for devices over HTTP: right, fresh, packed once; and whatever is odd is refused with a sentence."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from commonbeat.alerts.models import Alert
from commonbeat.config.options import Options
from commonbeat.foundation import cells, clock
from commonbeat.live import alerts as module
from commonbeat.live.app import LiveApp
from tests import make
from tests.alerts.rows import alert_row, follow_up
from tests.live.asgi import Answer, ask

NOW = make.NOW
HERE = cells.cell_of(make.LATITUDE, make.LONGITUDE, 4)


@pytest.fixture
def moment(monkeypatch) -> list[Any]:
    held = [NOW + timedelta(minutes=1)]
    monkeypatch.setattr(clock, "now", lambda: held[0])
    # Each request looks again, so that nothing has to be waited for.
    monkeypatch.setattr(module, "_LOOK_SECONDS", -1.0)
    monkeypatch.setattr(module, "_OLDEST_SECONDS", -1.0)
    return held


@pytest.fixture
def app(site: Options, moment: list[Any]) -> Iterator[LiveApp]:
    live = LiveApp(site)
    yield live
    live.alerts.stop()


def get(app: LiveApp, path: str = "/live/alerts.json", **more: Any) -> Answer:
    return asyncio.run(ask(app, path, **more))


def told(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def ids(answer: Answer) -> list[int]:
    return [one["id"] for one in told(answer)["alerts"]]


def test_an_active_alert_is_told_with_its_area_in_every_language(app: LiveApp) -> None:
    alert = alert_row(severity="Severe")
    answer = get(app)
    (one,) = told(answer)["alerts"]
    assert (one["id"], one["url"], one["severity"]) == (alert.pk, f"/alerts/{alert.pk}/", "Severe")
    assert set(one["headline"]) == {"en", "sq", "ar"}
    assert one["expires"] == int(alert.expires_at.timestamp())
    assert len(one["area"][0][0]) == 5
    assert told(answer)["cells"] is None
    assert "max-age" in answer.headers["cache-control"]


def test_nothing_is_told_of_what_is_not_out_or_over(app: LiveApp) -> None:
    assert ids(get(app)) == []
    alert_row(state="draft")
    alert_row(state="waiting")
    alert_row(state="discarded")
    alert_row(now=NOW - timedelta(days=1), hours=1)
    alert_row(ended_at=NOW, outcome="over")
    cancelled = alert_row()
    follow_up(cancelled, now=NOW, msg_type="Cancel")
    assert ids(get(app)) == []


def test_of_a_chain_the_newest_message_is_told_under_the_first_ones_address(app: LiveApp) -> None:
    root = alert_row()
    follow_up(root, now=NOW, severity="Extreme", texts={"en": ("Boil it for ten minutes", "More oil was found.")})
    follow_up(root, now=NOW, state="draft", severity="Minor")
    (one,) = told(get(app))["alerts"]
    assert (one["id"], one["severity"], one["headline"]) == (root.pk, "Extreme", {"en": "Boil it for ten minutes"})


def test_an_update_that_shortens_it_ends_it(app: LiveApp, moment: list[Any]) -> None:
    root = alert_row(hours=6)
    follow_up(root, now=NOW, hours=1)
    assert ids(get(app)) == [root.pk]
    moment[0] = NOW + timedelta(hours=2)
    assert ids(get(app)) == []


def test_what_is_released_ended_or_expired_meanwhile_is_seen(app: LiveApp, moment: list[Any]) -> None:
    first = alert_row(hours=6)
    before = get(app)
    second = alert_row(hours=1)
    assert ids(get(app)) == [first.pk, second.pk]
    moment[0] = NOW + timedelta(hours=2)
    assert ids(get(app)) == [first.pk]
    Alert.objects.filter(pk=first.pk).update(ended_at=moment[0], outcome="found_safe")
    after = get(app)
    assert ids(after) == []
    assert before.headers["etag"] != after.headers["etag"]


def test_a_cell_tells_what_touches_it_and_a_far_one_nothing(app: LiveApp) -> None:
    near = alert_row()
    alert_row(area=make.square(10.0, 10.0, 0.02))
    assert ids(get(app, f"/live/alerts/{HERE:x}.json")) == [near.pk]
    assert ids(get(app, f"/live/alerts/{cells.cell_of(-33.9, 151.2, 4):x}.json")) == []
    assert len(ids(get(app))) == 2


def test_where_there_is_much_the_list_names_cells_and_tells_only_what_is_everywhere(app: LiveApp, monkeypatch) -> None:
    monkeypatch.setattr(module, "_WHOLE_BYTES", 600)
    near, far = alert_row(), alert_row(area=make.square(10.0, 10.0, 0.02))
    country = alert_row(area=make.square(45.0, 15.0, 5.0))
    answer = get(app)
    assert ids(answer) == [country.pk]
    named = {int(name, 16) for name, _lat, _lon in told(answer)["cells"]}
    assert {HERE, cells.cell_of(10.0, 10.0, 4)} <= named
    assert ids(get(app, f"/live/alerts/{HERE:x}.json")) == [near.pk]
    everything = {pk for cell in named for pk in ids(get(app, f"/live/alerts/{cell:x}.json"))}
    assert everything == {near.pk, far.pk}


def test_it_is_packed_for_those_who_unpack_and_said_once(app: LiveApp) -> None:
    for _ in range(5):
        alert_row()
    plain = get(app)
    packed = get(app, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert "accept-encoding" in packed.headers["vary"]
    again = get(app, headers={"If-None-Match": packed.headers["etag"], "Accept-Encoding": "gzip"})
    assert (again.status, again.body) == (304, b"")
    assert get(app, method="HEAD").body == b""


def test_the_bytes_are_kept_until_the_active_set_changes(app: LiveApp) -> None:
    alert_row()
    get(app)
    first = app.alerts._known
    get(app)
    assert app.alerts._known is first
    alert_row()
    get(app)
    assert app.alerts._known is not first


def test_a_crowd_that_asks_at_once_looks_once(app: LiveApp, monkeypatch) -> None:
    alert_row()
    monkeypatch.setattr(module, "_LOOK_SECONDS", 60.0)
    monkeypatch.setattr(module, "_OLDEST_SECONDS", 60.0)
    looked: list[float] = []
    refresh = app.alerts.refresh

    def look() -> None:
        looked.append(time.monotonic())
        refresh()

    monkeypatch.setattr(app.alerts, "refresh", look)

    async def crowd() -> list[Answer]:
        return list(await asyncio.gather(*(ask(app, "/live/alerts.json") for _ in range(50))))

    answers = asyncio.run(crowd())
    assert {answer.status for answer in answers} == {200}
    assert len(looked) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/live/alerts",
        "/live/alerts/",
        "/live/alerts/x.json",
        "/live/alerts/841fb47ffffffff",
        "/live/alerts/8b1fb46622dcfff.json",
        "/live/alerts/ffffffffffffffff.json",
        "/live/alerts/42.38,20.43.json",
        "/live/alertsx.json",
    ],
)
def test_what_is_no_cell_is_refused(app: LiveApp, path: str) -> None:
    answer = get(app, path)
    assert answer.status == 404
    assert answer.body.endswith(b".\n")


def test_nobody_posts_a_position(app: LiveApp) -> None:
    assert get(app, method="POST").status == 405


def test_a_database_that_is_away_is_said_so_and_asked_again(app: LiveApp, monkeypatch) -> None:
    import sqlite3

    def broken(_site: Options) -> Any:
        raise sqlite3.OperationalError("secret")

    with monkeypatch.context() as patch:
        patch.setattr(module, "open_alert_store", broken)
        answer = get(app)
    assert (answer.status, b"secret" in answer.body) == (503, False)
    assert get(app).status == 200
