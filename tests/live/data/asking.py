"""Ask for files of open data, and read them."""

from __future__ import annotations

import asyncio
import csv
import io

from commonbeat.live.app import LiveApp
from tests.live.asgi import Answer, ask

FILE = "/data/street-light.csv"


def get(app: LiveApp, path: str = FILE, query: str = "", *, method: str = "GET", **more: str) -> Answer:
    headers = {key.replace("_", "-"): value for key, value in more.items()}
    return asyncio.run(ask(app, path, query=query.encode(), headers=headers, method=method))


def rows(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline="")))


def total(answer: Answer) -> int:
    return sum(int(row["reports"]) for row in rows(answer))


def fresh(app: LiveApp) -> None:
    """Let time pass until files may be made anew."""
    app.files._known = app.files._known._replace(until=0.0)
    for one in app.files.makings._kept.values():
        one.fresh_until = 0.0
