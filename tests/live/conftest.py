"""A site on disk for the lean half, which opens the database by itself."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from commonbeat.config.options import Options

HERE = Path(__file__).parent


@contextmanager
def models_on(file: Path) -> Iterator[None]:
    """Let the models of this thread read and write another SQLite file."""
    usual: Any = connections["default"]
    other = type(usual)({**usual.settings_dict, "NAME": file}, "default")
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = usual


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """Give an SQLite file with every table, to be copied."""
    file = tmp_path_factory.mktemp("site") / "commonbeat.sqlite3"
    with django_db_blocker.unblock(), models_on(file):
        call_command("migrate", verbosity=0, skip_checks=True)
    return file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL, mark what uses a site as writing for real; asking for transactional_db later is too late."""
    for item in items:
        uses_site = "site" in getattr(item, "fixturenames", ()) and HERE in item.path.parents
        if connection.vendor == "postgresql" and uses_site:
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Options]:
    """Give a site whose database both the lean half and the models of this thread open."""
    options = dataclasses.replace(settings.COMMONBEAT, data_dir=tmp_path)
    if connection.vendor == "postgresql":
        s = connection.settings_dict
        url = f"postgresql://{s['USER']}:{s['PASSWORD']}@{s['HOST']}:{s['PORT']}/{s['NAME']}"
        yield dataclasses.replace(options, database_url=url)
        return
    # A file, for an in-memory database knows no WAL; a copy, so that no table has to be emptied afterwards.
    shutil.copy(request.getfixturevalue("migrated_file"), options.database_path)
    with request.getfixturevalue("django_db_blocker").unblock(), models_on(options.database_path):
        yield options


def run_sql(site: Options, sql: str, *values: object) -> int:
    """Run one statement by a connection of its own, as another process would, and commit; give its first value.

    Inside an event loop Django's own connections are others than outside.
    """
    if site.database_url:
        with psycopg.connect(site.database_url) as other:
            row = other.execute(sql.replace("?", "%s"), values).fetchone()
            return int(row[0]) if row else 0
    file = sqlite3.connect(site.database_path)
    try:
        with file:
            row = file.execute(sql, values).fetchone()
            return int(row[0]) if row else 0
    finally:
        file.close()


def stored_now(site: Options) -> int:
    """Count the stored messages."""
    return run_sql(site, "SELECT count(*) FROM messaging_inbound")
