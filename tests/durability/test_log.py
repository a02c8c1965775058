"""kill -9 between an entry and its place in the log changes nothing: one place each, and the same tree."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability.site import COMMAND, Gateway, People, Site

KILLS = int(os.environ.get("COMMONBEAT_TEST_KILLS", "3"))
# Logs everything that is in a site's journal, and dies in the middle of a transaction as often as it is told to.
DYING = """
import os, sys, django
django.setup()
from commonbeat.journal.actions import log
from django.conf import settings
from commonbeat.journal.site_key import blinding_key
left = int(sys.argv[1])
store = log._store
def stored(tiles):
    global left
    store(tiles)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)
log._store = stored
while log.sequence(blinding=blinding_key(settings.COMMONBEAT.secret), limit=7):
    pass
from commonbeat.journal.log_queries import stored_subtree, tree_size
print(tree_size(), stored_subtree()(0, tree_size()).hex())
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    gateway = Gateway()
    site = Site(tmp_path / "data", gateway)
    site.begin()
    yield site
    if site.process is not None and site.process.poll() is None:
        site.kill()
    gateway.close()


def verified(site: Site) -> tuple[int, str]:
    """Run `commonbeat verify site`."""
    done = subprocess.run(
        [*COMMAND, "verify", "site"], env=site.environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def logging(site: Site, dies_after: int = 0) -> tuple[int, str]:
    """Log what is in the journal, in a process of its own."""
    environment = {**site.environment, "DJANGO_SETTINGS_MODULE": "commonbeat.config.settings"}
    command = [COMMAND[0], "-c", DYING, str(dies_after)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.strip()


@pytest.mark.kill
def test_each_entry_has_one_place_however_often_the_site_is_killed(site: Site) -> None:
    site.start()
    # So many people that what they write is understood within a minute of the last kill.
    people = People(site, pause=0.2)
    for _ in range(max(3, KILLS // 4)):
        time.sleep(random.choice([0.3, 1.0, 1.6]) * random.random() * 2)
        site.kill()
        site.start()
    people.finish()
    until = time.monotonic() + 60
    behind = (
        "SELECT (SELECT count(*) FROM journal_entry WHERE id > (SELECT coalesce(max(position), 0) FROM journal_cursor"
        " WHERE name = 'log')) + (SELECT count(*) FROM messaging_inbound WHERE state = 'new')"
    )
    while site.count(behind):
        assert time.monotonic() < until
        time.sleep(0.1)
    site.stop()
    code, said = verified(site)
    assert code == 0, said
    found = re.search(r"All ([\d,]+) entries", said)
    assert found is not None
    assert int(found[1].replace(",", "")) == site.count("SELECT count(*) FROM journal_entry")


@pytest.mark.kill
def test_a_tree_that_was_broken_off_is_the_one_that_was_not(site: Site) -> None:
    for number in range(3):
        assert logging(site, dies_after=number + 1)[0] in (-9, 0)
    code, broken = logging(site)
    assert code == 0 and int(broken.split()[0]) == site.count("SELECT count(*) FROM journal_entry") > 10
    with sqlite3.connect(site.database) as database:
        database.execute("DELETE FROM journal_tile")
        database.execute("DELETE FROM journal_cursor WHERE name = 'log'")
    database.close()
    assert logging(site) == (0, broken)
