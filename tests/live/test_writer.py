"""Many at a time, each once, answered after COMMIT."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.live import writer as writer_module
from commonbeat.live.store import open_store
from commonbeat.live.writer import NotStored, QueueFull, Writer
from commonbeat.messaging.models import Inbound, InboundState
from tests.live.conftest import stored_now


def row(number: int) -> tuple[str, str, bytes]:
    return ("smsgate_sms", f"id-{number}", b"\x01sealed %d" % number)


def test_rows_read_back_through_the_models(site: Options) -> None:
    at = datetime(2026, 3, 14, 12, 0, 7, 123456, tzinfo=UTC)
    store = open_store(site)
    store.write([row(1), row(2)], at)
    store.close()
    rows = list(Inbound.objects.order_by("id"))
    assert [r.provider_id for r in rows] == ["id-1", "id-2"]
    assert rows[0].received_at == at
    assert bytes(rows[0].body_sealed) == b"\x01sealed 1"
    assert (rows[0].state, rows[0].attempts, rows[0].contact_id, rows[0].due_at) == (InboundState.NEW, 0, None, None)
    entries = list(Entry.objects.order_by("id"))
    assert [(e.kind, e.subject_id, e.at, e.data, e.actor_id) for e in entries] == [
        ("messaging.received", r.pk, at, {}, None) for r in rows
    ]
    assert Inbound.objects.filter(received_at__lte=at, received_at__gt=at - timedelta(seconds=1)).count() == 2


def test_a_repeated_message_is_one_row_and_one_entry(site: Options) -> None:
    store = open_store(site)
    store.write([row(1), row(1), row(2)], clock.now())
    store.write([row(2), row(3), row(1)], clock.now())
    store.close()
    assert Inbound.objects.count() == 3
    assert Entry.objects.filter(kind="messaging.received").count() == 3
    assert set(Entry.objects.values_list("subject_id", flat=True)) == set(Inbound.objects.values_list("id", flat=True))


def test_the_same_id_on_two_channels_is_two_messages(site: Options) -> None:
    store = open_store(site)
    store.write([("smsgate_sms", "1", b"x"), ("kannel_sms", "1", b"x")], clock.now())
    store.close()
    assert Inbound.objects.count() == 2


def test_what_was_answered_is_committed_and_shared_commits_are_few(site: Options, monkeypatch) -> None:
    commits: list[int] = []
    opened = open_store(site)

    class Counting:
        def write(self, rows, now) -> None:
            opened.write(rows, now)
            commits.append(len(rows))

        def close(self) -> None:
            opened.close()

    monkeypatch.setattr(writer_module, "open_store", lambda _site: Counting())

    async def play() -> None:
        writer = Writer(site)
        writer.start()
        await asyncio.gather(*(writer.store([row(n)]) for n in range(300)))
        assert stored_now(site) == 300
        writer.stop()

    asyncio.run(play())
    assert sum(commits) == 300
    assert len(commits) < 30


def test_a_full_queue_is_refused_and_empties_again(site: Options) -> None:
    async def play() -> None:
        writer = Writer(site, queue_limit=5)
        writer.start()
        first = [writer.store([row(n)]) for n in range(5)]
        with pytest.raises(QueueFull):
            writer.store([row(9)])
        await asyncio.gather(*first)
        await writer.store([row(10)])
        writer.stop()
        with pytest.raises(QueueFull):
            writer.store([row(11)])

    asyncio.run(play())
    assert Inbound.objects.count() == 6


def test_stopping_stores_what_is_queued(site: Options) -> None:
    async def play() -> None:
        writer = Writer(site)
        writer.start()
        futures = [writer.store([row(n)]) for n in range(50)]
        writer.stop()
        await asyncio.gather(*futures)

    asyncio.run(play())
    assert Inbound.objects.count() == 50


def test_a_database_that_fails_is_said_and_the_writer_goes_on(site: Options, monkeypatch) -> None:
    failing = [True]
    real = open_store

    def broken(of: Options):
        if failing[0]:
            raise OSError("disk")
        return real(of)

    monkeypatch.setattr(writer_module, "open_store", broken)

    async def play() -> None:
        writer = Writer(site)
        writer.start()
        with pytest.raises(NotStored):
            await writer.store([row(1)])
        failing[0] = False
        await writer.store([row(1)])
        writer.stop()

    asyncio.run(play())
    assert Inbound.objects.count() == 1


def test_half_of_a_batch_is_never_stored(site: Options) -> None:
    store = open_store(site)
    bad: list[tuple[str, str, bytes]] = [row(1), ("smsgate_sms", None, b"x")]  # type: ignore[list-item]
    with pytest.raises(Exception, match=r"(?i)null"):
        store.write(bad, clock.now())
    store.write([row(2)], clock.now())
    store.close()
    assert list(Inbound.objects.values_list("provider_id", flat=True)) == ["id-2"]


def test_a_site_without_a_database_gets_none_made(site: Options) -> None:
    if site.database_url:
        pytest.skip("only a file can be missing, not in CI with PostgreSQL")
    elsewhere = dataclasses.replace(settings.COMMONBEAT, data_dir=site.data_dir / "nothing")
    with pytest.raises(Exception, match="unable to open"):
        open_store(elsewhere)
