"""A site with a few lamps, and its files of open data made here or by processes of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, cast

import pytest

from commonbeat.config.options import Options
from commonbeat.live.app import LiveApp
from commonbeat.live.bucket_store import open_bucket_store
from commonbeat.live.data.making import Making, Makings
from commonbeat.live.data.process import Ended, Errand, make_file
from commonbeat.topics.models import Topic
from tests import make
from tests.live.test_tiles import publish


@pytest.fixture
def lamps(site: Options) -> Topic:
    topic = make.make_topic("street-light", public_resolution=11)
    for days in (0, 0, 40):
        publish(topic, days=days, categories=["second"] if days else ["first"])
    publish(topic, latitude=None, longitude=None, categories=["first"])
    return topic


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make files in this process, for starting one takes most of a test's time."""

    async def run(self: Makings, errand: Errand, one: Making) -> Ended:
        store = open_bucket_store(self._site)
        told: list[Any] = []
        with os.fdopen(os.dup(errand.descriptor), "wb") as out:
            make_file(errand, store, out, told.append)
        store.close()
        one.begun.set_result(told[0])
        return cast(Ended, told[1])

    monkeypatch.setattr(Makings, "_run", run)


@pytest.fixture
def app(here: None, apart: LiveApp) -> LiveApp:
    return apart


@pytest.fixture
def apart(site: Options, lamps: Topic) -> Iterator[LiveApp]:
    """Give the real thing: each file is made by a process of its own."""
    app = LiveApp(site)
    yield app
    for one in app.files.makings._kept.values():
        one.file.close()
