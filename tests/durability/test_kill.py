"""kill -9 at any moment loses nothing that was acknowledged, and stores nothing twice."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability.site import Gateway, People, Site, sender_of

# `make test` kills three times, .ci/run two hundred times.
KILLS = int(os.environ.get("COMMONBEAT_TEST_KILLS", "3"))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a site that was begun, to be copied: making it takes seconds."""
    folder = tmp_path_factory.mktemp("begun") / "data"
    gateway = Gateway()
    Site(folder, gateway).begin()
    gateway.close()
    return folder


@pytest.fixture
def site(tmp_path: Path, gateway: Gateway, begun: Path) -> Iterator[Site]:
    shutil.copytree(begun, tmp_path / "data")
    site = Site(tmp_path / "data", gateway)
    yield site
    if site.process is not None and site.process.poll() is None:
        site.kill()


def wait_until_quiet(site: Site, seconds: float) -> None:
    """Wait until everything is understood, reacted to, sent and recorded."""
    until = time.monotonic() + seconds
    waiting = (
        "SELECT (SELECT count(*) FROM messaging_inbound WHERE state = 'new')"
        " + (SELECT count(*) FROM messaging_outbound WHERE state IN ('queued', 'leased'))"
        " + (SELECT (SELECT max(id) FROM journal_entry) - coalesce(max(position), 0) FROM journal_cursor"
        " WHERE name = 'reactions')"
    )
    quiet_since = None
    while quiet_since is None or time.monotonic() - quiet_since < 0.5:
        assert time.monotonic() < until, f"still waiting: {site.rows(waiting)}"
        is_quiet = site.count(waiting) == 0
        quiet_since = (quiet_since or time.monotonic()) if is_quiet else None
        time.sleep(0.05)


@pytest.mark.kill
def test_nothing_that_was_acknowledged_is_lost_or_doubled(site: Site, gateway: Gateway) -> None:
    site.start()
    people = People(site, pause=0.06)
    for _ in range(KILLS):
        # Early and late moments alike: the first falls into the start of the loops, the last into full work.
        time.sleep(random.choice([0.02, 0.1, 0.3, 0.6]) * random.random() * 2)
        site.kill()
        site.start()
    people.finish()
    messages = people.acknowledged
    wait_until_quiet(site, 30 + len(messages) / 10)
    site.stop()

    assert site.rows("PRAGMA integrity_check") == [("ok",)]
    # Every acknowledged message is stored, once, and none was given up.
    assert site.rows("SELECT state, count(*) FROM messaging_inbound GROUP BY state") == [("understood", len(messages))]
    assert site.count("SELECT count(*) FROM journal_entry WHERE kind = 'messaging.received'") == len(messages)
    assert site.count("SELECT count(*) FROM messaging_contact") == len(messages)
    # One report per message.
    assert site.count("SELECT count(*) FROM reports_report") == len(messages)
    assert site.count("SELECT count(DISTINCT contact_id) FROM reports_report") == len(messages)
    assert site.count("SELECT count(*) FROM journal_entry WHERE kind = 'reports.submitted'") == len(messages)

    # Every reply was sent and recorded, and the gateway got nothing else.
    sent = {str(key): str(state) for key, state in site.rows("SELECT idempotency_key, state FROM messaging_outbound")}
    assert set(sent.values()) == {"sent"}
    assert set(gateway.taken) == set(sent)
    assert {recipient for calls in gateway.taken.values() for _, recipient, _ in calls} == {
        sender_of(number) for number in messages
    }
    for key, calls in gateway.taken.items():
        # A repeat says the same to the same person, and comes from another process than the one before.
        assert len({(recipient, text) for _, recipient, text in calls}) == 1, key
        lives = [life for life, _, _ in calls]
        assert len(set(lives)) == len(lives), f"{key} was repeated without a kill"


@pytest.mark.kill
def test_a_reply_leaves_within_the_second_and_stopping_is_quick(site: Site, gateway: Gateway) -> None:
    site.start()
    assert site.call(0, "Garbage was dumped beside the road")
    wait_until_quiet(site, 30)
    gateway.taken.clear()
    begun = time.monotonic()
    assert site.call(1, "Garbage was dumped beside the road")
    while not gateway.taken:
        assert time.monotonic() - begun < 1.0
        time.sleep(0.005)
    assert site.stop() < 3.0


@pytest.mark.kill
def test_what_is_under_way_is_stored_when_an_operator_stops_the_site(site: Site) -> None:
    site.start()
    people = People(site, writers=4, pause=0.0)
    time.sleep(0.2)
    site.stop()
    site.start()
    people.finish()
    wait_until_quiet(site, 30 + len(people.acknowledged) / 10)
    stored = site.rows("SELECT state, count(*) FROM messaging_inbound GROUP BY state")
    assert stored == [("understood", len(people.acknowledged))]
