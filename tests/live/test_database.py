"""A site on SQLite does not carry the driver of PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg

from commonbeat.live.database import database_errors

LOADED = "import commonbeat.config.asgi, sys; print('psycopg' in sys.modules, 'signxml' in sys.modules)"


def test_errors_of_both_databases_are_named() -> None:
    assert database_errors() == (sqlite3.Error, psycopg.Error)


def test_a_site_on_sqlite_loads_no_other_driver(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMMONBEAT_")}
    environment = {
        **kept,
        "COMMONBEAT_DATA_DIR": str(tmp_path),
        "COMMONBEAT_SECRET_KEY": "a key for tests only, of sufficient length",
    }
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "False"], done.stderr
