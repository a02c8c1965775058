"""The desk hears at once, hears only what is its own, and a stream costs nobody else anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import pytest

from commonbeat.config.options import Options
from commonbeat.live import hub as hub_module
from commonbeat.live import streams as streams_module
from commonbeat.live.app import LiveApp
from commonbeat.live.session import Viewer
from commonbeat.people.models import Unit
from commonbeat.reports.models import Report
from tests import make
from tests.live.asgi import Call, ask
from tests.live.conftest import run_sql

Scene = Callable[[LiveApp], Awaitable[None]]


@pytest.fixture
def near(site: Options) -> Unit:
    return make.make_unit(name="Near", is_fallback=True)


@pytest.fixture
def far(site: Options) -> Unit:
    return make.make_unit(name="Far")


def play(site: Options, scene: Scene, viewers: Mapping[str, Viewer]) -> None:
    async def run() -> None:
        app = LiveApp(site, find_viewer=lambda headers: viewers.get(headers.get("cookie", "")))
        app.start()
        try:
            await scene(app)
        finally:
            app.stop()

    asyncio.run(run())


def note(site: Options, report: Report, kind: str = "reports.submitted") -> int:
    """Write an entry of the journal, as another process would."""
    sql = "INSERT INTO journal_entry (at, kind, subject_id, data) VALUES (?, ?, ?, '{}') RETURNING id"
    return run_sql(site, sql, "2026-03-14 12:00:00", kind, report.pk)


class Listening:
    """A page that listens."""

    def __init__(self, app: LiveApp, cookie: str = "officer", **headers: str) -> None:
        self.call = Call("/live/desk", headers={"cookie": cookie, **headers})
        self.task = asyncio.ensure_future(app(self.call.scope, self.call.receive, self.call.send))

    async def __aenter__(self) -> Listening:
        await self.call.until(b"retry: 3000\n\n")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.call.hung_up.set()
        await asyncio.wait_for(self.task, 2)

    def hints(self) -> list[tuple[int, dict[str, object]]]:
        found = []
        for block in self.call.answer.body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if fields.get("event") == "hint":
                found.append((int(fields["id"]), json.loads(fields["data"])))
        return found

    async def until_hint(self, entry_id: int) -> None:
        await self.call.until(b"id: %d\n" % entry_id)


def test_a_hint_says_what_and_never_how(site: Options, near: Unit) -> None:
    report = make.make_report(unit=near)

    async def scene(app: LiveApp) -> None:
        async with Listening(app) as page:
            assert page.call.answer.headers["content-type"].startswith("text/event-stream")
            assert page.call.answer.headers["cache-control"] == "no-store"
            await asyncio.sleep(0.15)
            number = note(site, report)
            await page.until_hint(number)
            assert page.hints() == [(number, {"topic": "report", "id": report.pk, "kind": "reports.submitted"})]

    play(site, scene, {"officer": Viewer(near.pk)})


def test_only_the_own_desk_is_heard_of_unless_one_sees_all(site: Options, near: Unit, far: Unit) -> None:
    ours, theirs = make.make_report(unit=near), make.make_report(unit=far)

    async def scene(app: LiveApp) -> None:
        async with (
            Listening(app) as officer,
            Listening(app, "far officer") as stranger,
            Listening(app, "supervisor") as supervisor,
        ):
            await asyncio.sleep(0.15)
            first, second = note(site, ours), note(site, theirs)
            note(site, ours, "messaging.received")
            await asyncio.gather(officer.until_hint(first), stranger.until_hint(second), supervisor.until_hint(second))
            assert [number for number, _ in officer.hints()] == [first]
            assert [number for number, _ in stranger.hints()] == [second]
            assert [number for number, _ in supervisor.hints()] == [first, second]

    play(site, scene, {"officer": Viewer(near.pk), "far officer": Viewer(far.pk), "supervisor": Viewer(None)})


def test_both_desks_hear_of_a_report_that_moves(site: Options, near: Unit, far: Unit) -> None:
    report = make.make_report(unit=near)

    async def scene(app: LiveApp) -> None:
        async with Listening(app) as old, Listening(app, "far officer") as new:
            await asyncio.sleep(0.15)
            first = note(site, report)
            await old.until_hint(first)
            run_sql(site, "UPDATE reports_report SET unit_id = ? WHERE id = ? RETURNING 1", far.pk, report.pk)
            moved = note(site, report, "reports.placed")
            await asyncio.gather(old.until_hint(moved), new.until_hint(moved))
            later = note(site, report, "reports.noted")
            await new.until_hint(later)
            assert [number for number, _ in old.hints()] == [first, moved]

    play(site, scene, {"officer": Viewer(near.pk), "far officer": Viewer(far.pk)})


def test_a_stranger_is_refused(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        answer = await ask(app, "/live/desk")
        assert answer.status == 403
        assert answer.body.decode().strip().endswith(".")
        assert (await ask(app, "/live/desk", method="POST")).status == 405

    play(site, scene, {})


def test_a_stream_resumes_where_it_ended(site: Options, near: Unit) -> None:
    report = make.make_report(unit=near)
    numbers = [note(site, report) for _ in range(5)]

    async def scene(app: LiveApp) -> None:
        async with Listening(app, **{"last-event-id": str(numbers[2])}) as page:
            await page.until_hint(numbers[4])
            assert [number for number, _ in page.hints()] == numbers[3:]
        # What is still in memory is given from there.
        async with Listening(app) as other:
            await asyncio.sleep(0.15)
            number = note(site, report)
            await other.until_hint(number)
            async with Listening(app, **{"last-event-id": str(numbers[4])}) as page:
                await page.until_hint(number)
                assert [seen for seen, _ in page.hints()] == [number]

    play(site, scene, {"officer": Viewer(near.pk)})


@pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30, "½", "999999999"])
def test_an_odd_last_event_id_starts_now(site: Options, near: Unit, odd: str) -> None:
    report = make.make_report(unit=near)
    note(site, report)

    async def scene(app: LiveApp) -> None:
        async with Listening(app, **{"last-event-id": odd}) as page:
            await asyncio.sleep(0.15)
            number = note(site, report)
            await page.until_hint(number)
            assert [seen for seen, _ in page.hints()] == [number]

    play(site, scene, {"officer": Viewer(near.pk)})


def test_who_was_away_too_long_is_told_to_look_at_everything(site: Options, near: Unit, monkeypatch) -> None:
    monkeypatch.setattr(hub_module, "_CATCH_UP", 3)
    report = make.make_report(unit=near)
    numbers = [note(site, report) for _ in range(6)]

    async def scene(app: LiveApp) -> None:
        async with Listening(app, **{"last-event-id": str(numbers[0])}) as page:
            await page.until_hint(numbers[-1])
            assert [hint["topic"] for _, hint in page.hints()] == ["all"]

    play(site, scene, {"officer": Viewer(near.pk)})


def test_more_than_the_ring_holds_is_read_from_the_database(site: Options, near: Unit, monkeypatch) -> None:
    monkeypatch.setattr(hub_module, "_RING", 2)
    report = make.make_report(unit=near)

    async def scene(app: LiveApp) -> None:
        async with Listening(app) as page:
            await asyncio.sleep(0.15)
            numbers = [note(site, report) for _ in range(8)]
            await page.until_hint(numbers[-1])
            assert [seen for seen, _ in page.hints()] == numbers

    play(site, scene, {"officer": Viewer(near.pk)})


def test_leaving_ends_the_stream(site: Options, near: Unit) -> None:
    async def scene(app: LiveApp) -> None:
        page = await Listening(app).__aenter__()
        assert len(app.hub.listeners) == 1
        page.call.hung_up.set()
        await asyncio.wait_for(page.task, 1)
        assert len(app.hub.listeners) == 0

    play(site, scene, {"officer": Viewer(near.pk)})


def test_stopping_ends_every_stream_at_once(site: Options, near: Unit) -> None:
    async def scene(app: LiveApp) -> None:
        pages = [await Listening(app).__aenter__() for _ in range(20)]
        app.close_streams()
        await asyncio.wait_for(asyncio.gather(*(page.task for page in pages)), 1)
        assert all(page.call.is_complete for page in pages)
        assert (await ask(app, "/live/desk", headers={"cookie": "officer"})).status == 503

    play(site, scene, {"officer": Viewer(near.pk)})


def test_a_reader_who_does_not_read_is_cut_off_and_the_others_hear_on(site: Options, near: Unit, monkeypatch) -> None:
    monkeypatch.setattr(hub_module, "STUCK_SECONDS", 0.2)
    report = make.make_report(unit=near)

    async def scene(app: LiveApp) -> None:
        slow = await Listening(app).__aenter__()
        async with Listening(app) as quick:
            await asyncio.sleep(0.15)
            slow.call.reads.clear()
            await quick.until_hint(note(site, report))
            await asyncio.wait_for(slow.task, 4)
            assert len(app.hub.listeners) == 1
            await quick.until_hint(note(site, report))

    play(site, scene, {"officer": Viewer(near.pk)})


def test_a_silent_stream_is_kept_alive_and_ends_after_its_time(site: Options, near: Unit, monkeypatch) -> None:
    for module in (hub_module, streams_module):
        monkeypatch.setattr(module, "KEEP_ALIVE_SECONDS", 0.5)
    monkeypatch.setattr(hub_module, "LIFETIME_SECONDS", 1.5)

    async def scene(app: LiveApp) -> None:
        page = await Listening(app).__aenter__()
        await page.call.until(b"\n\n:\n\n")
        await asyncio.wait_for(page.task, 4)
        assert page.call.is_complete

    play(site, scene, {"officer": Viewer(near.pk)})


def test_too_many_listeners_are_refused(site: Options, near: Unit, monkeypatch) -> None:
    monkeypatch.setattr(hub_module, "LISTENERS_LIMIT", 1)

    async def scene(app: LiveApp) -> None:
        async with Listening(app):
            answer = await ask(app, "/live/desk", headers={"cookie": "officer"})
            assert (answer.status, answer.headers["retry-after"]) == (503, "10")

    play(site, scene, {"officer": Viewer(near.pk)})


def test_a_closed_account_and_another_desk_count_in_an_open_stream(
    site: Options, near: Unit, far: Unit, monkeypatch
) -> None:
    monkeypatch.setattr(streams_module, "RECHECK_SECONDS", 0.0)
    report, theirs = make.make_report(unit=near), make.make_report(unit=far)
    viewers = {"closed": Viewer(near.pk), "moved": Viewer(near.pk)}

    async def scene(app: LiveApp) -> None:
        closed = await Listening(app, "closed").__aenter__()
        async with Listening(app, "moved") as moved:
            await asyncio.sleep(0.15)
            del viewers["closed"]
            viewers["moved"] = Viewer(far.pk)
            first = note(site, report)
            await asyncio.wait_for(closed.task, 2)
            assert closed.call.is_complete and closed.hints() == []
            second = note(site, theirs)
            # The hub wakes it for its old desk until it has looked again.
            for listener in app.hub.listeners:
                listener.wake()
            await moved.until_hint(second)
            assert first not in [number for number, _ in moved.hints()]

    play(site, scene, viewers)
