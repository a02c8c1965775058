"""A site for one drill: a folder, and with PostgreSQL a database, that hold nobody and are deleted afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from commonbeat.config.options import PREFIX, Options

# Of the real site's settings the drill's knows these and no others: no gateway, no password, no key.
KNOWN = ("region", "languages", "time_zone", "site_name")
DATABASE_PREFIX = "commonbeat_drill_"


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where a drill runs."""

    folder: Path
    # Empty: SQLite in the folder.
    database_url: str
    environment: Mapping[str, str]
    # Why it is SQLite although the site has PostgreSQL; empty otherwise.
    remark: str = ""


@contextmanager
def scratch_site(options: Options, *, keep: bool) -> Iterator[Scratch]:
    """Make such a site, and delete it at the end, whatever happens meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="commonbeat-drill-"))
    name, remark = "", ""
    try:
        if options.database_url:
            name, remark = _made_database(options.database_url)
        address = urlsplit(options.database_url)._replace(path=f"/{name}").geturl() if name else ""
        yield Scratch(folder, address, environment_of(options, folder, address), remark)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
            if name:
                _drop_database(options.database_url, name)


def environment_of(options: Options, folder: Path, database_url: str) -> dict[str, str]:
    """Give the environment of a drill's process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name in KNOWN:
        value = getattr(options, name)
        environment[PREFIX + name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    environment[PREFIX + "DATA_DIR"] = str(folder)
    # Never that of the site: what is sealed there cannot be opened here.
    environment[PREFIX + "SECRET_KEY"] = secrets.token_urlsafe(32)
    environment[PREFIX + "SITE_URL"] = "https://drill.invalid"
    # A drill by night is to show how fast it goes.
    environment[PREFIX + "QUIET_HOURS"] = ""
    if database_url:
        environment[PREFIX + "DATABASE_URL"] = database_url
    return environment


def _made_database(address: str) -> tuple[str, str]:
    import psycopg

    name = DATABASE_PREFIX + secrets.token_hex(6)
    try:
        with psycopg.connect(address, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"')
    except psycopg.errors.InsufficientPrivilege:
        return "", "The site's database account may make no database, so the drill runs on SQLite."
    return name, ""


def _drop_database(address: str, name: str) -> None:
    import psycopg

    # Only ever one that this drill has made itself.
    assert name.startswith(DATABASE_PREFIX)
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
