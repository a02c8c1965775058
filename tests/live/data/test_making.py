"""How files of open data are made: who is slow, who goes away, and what fails."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from pathlib import Path

import pytest

from commonbeat.live.app import LiveApp
from commonbeat.live.data import making
from commonbeat.live.data.serving import CutShort
from commonbeat.maps.models import Bucket, Revision
from commonbeat.topics.models import Topic
from tests.live.asgi import Call, ask
from tests.live.data.asking import FILE, fresh, get, total


def many(topic: Topic, count: int) -> None:
    cell = Bucket.objects.filter(topic_id=topic.pk).exclude(cell=0).values_list("cell", flat=True)[0]
    Bucket.objects.bulk_create(
        [
            Bucket(topic_id=topic.pk, category="first", cell=cell, period=30_000 + n, is_drawn=False, n=1, sources=1)
            for n in range(count)
        ],
        batch_size=5_000,
    )
    Revision.objects.update(number=Revision.objects.get().number + 1)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    from commonbeat.live.data import serving

    monkeypatch.setattr(serving, "_PATIENCE_SECONDS", 0.0)


def test_a_file_is_sent_while_it_is_made(apart: LiveApp, lamps: Topic, no_patience: None) -> None:
    many(lamps, 30_000)
    answer = get(apart)
    assert "content-length" not in answer.headers
    assert total(answer) == 30_004
    fresh(apart)
    assert get(apart).body == answer.body
    packed = get(apart, "/data/street-light.geojson", accept_encoding="gzip")
    assert len(json.loads(gzip.decompress(packed.body))["features"]) == 30_003


def test_who_goes_away_stops_the_work(apart: LiveApp, lamps: Topic, no_patience: None) -> None:
    many(lamps, 60_000)

    async def story() -> int | None:
        call = Call("/data/street-light.geojson")
        request = asyncio.create_task(apart(call.scope, call.receive, call.send))
        await call.arrived.wait()
        (one,) = apart.files.makings._kept.values()
        assert not one.ended.done()
        call.hung_up.set()
        await request
        assert one.task is not None
        await asyncio.wait([one.task])
        await asyncio.sleep(0)
        assert one.task.cancelled() and one.file.closed
        return len(apart.files.makings._kept)

    assert asyncio.run(story()) == 0


def test_who_reads_nothing_holds_no_thread_and_nobody_up(apart: LiveApp, lamps: Topic, no_patience: None) -> None:
    many(lamps, 30_000)

    async def story() -> None:
        slow = Call(FILE)
        slow.reads.clear()
        waiting = [asyncio.create_task(apart(slow.scope, slow.receive, slow.send)) for _ in range(20)]
        quick = await ask(apart, FILE)
        assert total(quick) == 30_004
        health = await asyncio.wait_for(
            asyncio.get_running_loop().run_in_executor(apart._executor, os.getpid), timeout=2
        )
        assert health == os.getpid()
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(story())


def test_a_site_that_stops_waits_for_no_file(apart: LiveApp, lamps: Topic) -> None:
    many(lamps, 60_000)

    async def story() -> int:
        request = asyncio.create_task(ask(apart, "/data/street-light.geojson"))
        while not apart.files.makings._kept:
            await asyncio.sleep(0.01)
        (one,) = apart.files.makings._kept.values()
        await asyncio.wait([one.begun])
        apart.close_streams()
        return (await request).status

    assert asyncio.run(story()) == 503


def test_a_file_that_cannot_be_made_is_a_sentence(
    apart: LiveApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(making.sys, "executable", "/bin/false")
    answer = get(apart)
    assert answer.status == 503 and "later" in answer.body.decode()
    assert apart.files.makings._under_way == 0 and not apart.files.makings._kept
    assert "could not be made" in caplog.text
    monkeypatch.undo()
    assert get(apart).status == 200


def test_half_a_file_is_never_taken_for_a_whole(
    apart: LiveApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_patience: None
) -> None:
    broken = tmp_path / "broken"
    broken.write_text('#!/bin/sh\necho \'{"type":"begun","number":1}\'\nsleep 0.2\nexit 1\n')
    broken.chmod(0o700)
    monkeypatch.setattr(making.sys, "executable", str(broken))

    async def story() -> Call:
        call = Call("/data/street-light.parquet")
        with pytest.raises(CutShort):
            await apart(call.scope, call.receive, call.send)
        return call

    call = asyncio.run(story())
    assert call.answer.status == 200 and not call.is_complete


def test_too_many_files_at_once_are_refused(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_MOST_UNDER_WAY", 0)
    answer = get(app)
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")


def test_old_files_make_room(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_KEPT_BYTES", 1)
    get(app)
    assert not app.files.makings._kept
    monkeypatch.setattr(making, "_KEPT_BYTES", 10**9)
    get(app)
    get(app, query="category=first")
    first, second = app.files.makings._kept.values()
    monkeypatch.setattr(making, "_MOST_KEPT", 2)
    get(app, query="category=second")
    assert first.file.closed and not second.file.closed
