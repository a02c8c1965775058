"""Map files by byte ranges."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.config.options import Options
from commonbeat.live.app import LiveApp
from commonbeat.live.maps import Span, Unsatisfiable, read_range
from tests.live.asgi import Answer, ask

DATA = bytes(range(256)) * 4


@pytest.fixture
def folder(site: Options) -> Path:
    own, packaged = site.data_dir / "maps", site.data_dir / "packaged"
    own.mkdir()
    packaged.mkdir()
    (own / "town.pmtiles").write_bytes(DATA)
    (packaged / "world.pmtiles").write_bytes(b"the whole world")
    (packaged / "town.pmtiles").write_bytes(b"another town")
    (own / "empty.pmtiles").write_bytes(b"")
    (site.data_dir / "secret.pmtiles").write_bytes(b"secret")
    return packaged


def get(site: Options, folder: Path, name: str = "town", method: str = "GET", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    app = LiveApp(site, map_folders=[folder])
    return asyncio.run(ask(app, f"/map/{name}.pmtiles", method=method, headers=named))


def test_the_whole_file_and_its_head(site: Options, folder: Path) -> None:
    answer = get(site, folder)
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == "1024"
    head = get(site, folder, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "1024")
    assert get(site, folder, method="POST").status == 405
    assert get(site, folder, "empty").body == b""


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-9", DATA[:10], "bytes 0-9/1024"),
        ("bytes=1000-", DATA[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", DATA[-24:], "bytes 1000-1023/1024"),
        ("bytes=1000-99999", DATA[1000:], "bytes 1000-1023/1024"),
        ("bytes=-99999", DATA, "bytes 0-1023/1024"),
    ],
)
def test_a_part(site: Options, folder: Path, asked: str, content: bytes, told: str) -> None:
    answer = get(site, folder, range=asked)
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, content, told)
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_what_lies_outside_is_said(site: Options, folder: Path, asked: str) -> None:
    answer = get(site, folder, range=asked)
    assert (answer.status, answer.body, answer.headers["content-range"]) == (416, b"", "bytes */1024")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-2", "bytes=-", "bytes", "", "bytes=½-"])
def test_odd_ranges_are_ignored(site: Options, folder: Path, asked: str) -> None:
    assert get(site, folder, range=asked).status == 200


def test_a_changed_file_is_not_mixed_with_the_old_one(site: Options, folder: Path) -> None:
    tag = get(site, folder).headers["etag"]
    assert get(site, folder, range="bytes=0-1", if_range=tag).status == 206
    assert get(site, folder, if_none_match=tag).status == 304
    (site.data_dir / "maps" / "town.pmtiles").write_bytes(DATA + b"more")
    answer = get(site, folder, range="bytes=0-1", if_range=tag)
    assert (answer.status, len(answer.body)) == (200, 1028)
    assert get(site, folder, if_none_match=tag).status == 200


def test_the_deployers_map_comes_before_the_packaged_one(site: Options, folder: Path) -> None:
    assert get(site, folder, "town").body == DATA
    assert get(site, folder, "world").body == b"the whole world"


@pytest.mark.parametrize("name", ["../secret", "..", "", "Town", "town.pmtiles", "a/b", "x" * 90, "t\x00wn", "none"])
def test_odd_names_find_nothing(site: Options, folder: Path, name: str) -> None:
    assert get(site, folder, name).status == 404


@given(st.text(max_size=40), st.integers(0, 5000))
def test_any_range_is_inside_the_file(header: str, size: int) -> None:
    for asked in (header, f"bytes={header}"):
        try:
            span = read_range(asked, size)
        except Unsatisfiable:
            continue
        assert span is None or (isinstance(span, Span) and 0 <= span.start < span.end <= size)
