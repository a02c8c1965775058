"""Static files from the event loop."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from commonbeat.config.assets import Assets
from commonbeat.web.headers import SECURITY_HEADERS
from tests.config.test_static_files import collect
from tests.live.asgi import Answer
from tests.live.asgi import ask as ask_app

STYLE = "body { color: black; }\n" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    root.mkdir()
    collect(root, {"look.css": STYLE})
    (root / "world.pmtiles").write_bytes(bytes(range(100)))
    (tmp_path / "secret_key").write_text("secret")
    return root


def ask(folder: Path, name: str, method: str = "GET", host: str = "here.test:80", **headers: str) -> Answer:
    app = Assets(folder, url="/static/", hosts=["here.test"], security_headers=SECURITY_HEADERS)
    named: dict[str, Any] = {"host": host, **{key.replace("_", "-"): value for key, value in headers.items()}}
    try:
        return asyncio.run(ask_app(app, f"/static/{name}", method=method, headers=named))
    finally:
        app.stop()


def hashed(folder: Path) -> str:
    return next(file.name for file in folder.glob("look.*.css"))


def test_a_hashed_file_is_kept_for_ever_and_carries_the_security_headers(folder: Path) -> None:
    answer = ask(folder, hashed(folder))
    assert (answer.status, answer.body) == (200, STYLE.encode())
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name.lower()] == value
    assert "immutable" not in ask(folder, "look.css").headers["cache-control"]


def test_who_can_unpack_gets_the_compressed_copy(folder: Path) -> None:
    answer = ask(folder, hashed(folder), accept_encoding="br, gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "accept-encoding"
    assert gzip.decompress(answer.body) == STYLE.encode()
    plain = ask(folder, hashed(folder))
    assert plain.headers["vary"] == "accept-encoding"
    assert plain.headers["etag"] != answer.headers["etag"]


def test_what_is_kept_is_not_sent_again(folder: Path) -> None:
    tag = ask(folder, "look.css").headers["etag"]
    again = ask(folder, "look.css", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")


def test_a_map_comes_in_parts(folder: Path) -> None:
    answer = ask(folder, "world.pmtiles", range="bytes=10-19")
    assert (answer.status, answer.body) == (206, bytes(range(10, 20)))
    assert answer.headers["content-type"] == "application/vnd.pmtiles"


@pytest.mark.parametrize("name", ["../secret_key", "", "none.css", "staticfiles.json", "/etc/passwd", "look.css.gz"])
def test_nothing_else_is_there(folder: Path, name: str) -> None:
    answer = ask(folder, name)
    assert (answer.status, answer.headers["x-content-type-options"]) == (404, "nosniff")


def test_another_name_of_the_site_and_another_method_are_refused(folder: Path) -> None:
    assert ask(folder, "look.css", host="evil.test").status == 400
    assert ask(folder, "look.css", host="[::").status == 400
    assert ask(folder, "look.css", method="POST").status == 405
    head = ask(folder, "look.css", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(STYLE)))
