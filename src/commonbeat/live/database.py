"""Errors of the database that a site has, without loading the driver of the one that it has not: 12 MB."""

from __future__ import annotations

import sqlite3
import sys


def database_errors() -> tuple[type[Exception], ...]:
    """Name what either database raises; a driver that nothing has loaded raises nothing."""
    driver = sys.modules.get("psycopg")
    return (sqlite3.Error,) if driver is None else (sqlite3.Error, driver.Error)
