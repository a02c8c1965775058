"""The bridge between ASGI and Django's pages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from commonbeat.config.bridge import Bridge, Limits, empty_folder, environ_of
from tests.live.asgi import Answer, Call

Start = Callable[..., Any]
FORM = {"content-type": "text/plain"}


def echo(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/plain"), ("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [body]


def ask(pages: Any, *calls: Call, threads: int = 2, folder: Path | None = None, **limits: Any) -> list[Answer]:
    async def run() -> list[Answer]:
        bridge = Bridge(pages, threads=threads, folder=folder, limits=Limits(**limits))
        async with asyncio.timeout(10):
            await asyncio.gather(*(bridge(call.scope, call.receive, call.send) for call in calls))
        bridge.stop()
        assert bridge._busy == bridge._held == 0
        return [call.answer for call in calls]

    return asyncio.run(run())


def post(*parts: bytes, **headers: str) -> Call:
    named = headers or {"content-length": str(sum(map(len, parts)))}
    return Call("/", method="POST", headers={k.replace("_", "-"): v for k, v in named.items()}, body=parts)


def test_a_body_arrives_whole_and_its_length_is_told() -> None:
    (answer,) = ask(echo, post(b"one ", b"two"))
    assert (answer.status, answer.body) == (200, b"one two")
    assert (answer.headers["x-length"], answer.headers["content-length"]) == ("7", "7")


def test_a_body_in_chunks_gets_its_length_and_one_without_has_none() -> None:
    chunked, none = ask(echo, post(b"one ", b"two", transfer_encoding="chunked"), Call("/"))
    assert (chunked.body, chunked.headers["x-length"]) == (b"one two", "7")
    assert (none.body, none.headers["x-length"]) == (b"", "none")


def test_a_large_body_lies_in_a_file_that_nobody_can_find(tmp_path: Path) -> None:
    seen: list[Any] = []

    def look(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        seen.append((environ["wsgi.input"]._rolled, list(tmp_path.iterdir())))
        return echo(environ, start)

    (answer,) = ask(look, post(b"x" * 90, b"y" * 90), folder=tmp_path, memory_bytes=100)
    assert answer.body == b"x" * 90 + b"y" * 90
    assert seen == [(True, [])]


@pytest.mark.parametrize(
    "call",
    [post(b"x" * 11), post(b"x" * 6, b"y" * 6, transfer_encoding="chunked"), post(b"x", content_length="9" * 40)],
    ids=["declared", "chunked", "absurd"],
)
def test_too_large_a_body_is_refused_before_it_takes_a_thread(call: Call) -> None:
    (answer,) = ask(_never, call, body_bytes=10)
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


def test_all_bodies_together_have_a_limit() -> None:
    (answer,) = ask(_never, post(b"x" * 11), held_bytes=10)
    assert (answer.status, "retry-after" in answer.headers) == (503, True)


def test_a_silent_sender_is_told_and_takes_no_thread() -> None:
    # The call hangs after its first byte, as its second part never comes.
    call = Call("/", method="POST", headers={"content-length": "9"})
    call.receive = _first_byte_only()  # type: ignore[method-assign]
    (answer,) = ask(_never, call, patience_seconds=0.05)
    assert answer.status == 408


def test_a_site_that_stops_waits_for_no_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.config.bridge._STOP_SECONDS", 0.01)

    async def run() -> int:
        bridge = Bridge(_never, threads=1, folder=None)
        call = Call("/", method="POST", headers={"content-length": "9"})
        call.receive = _first_byte_only()  # type: ignore[method-assign]
        task = asyncio.create_task(bridge(call.scope, call.receive, call.send))
        await asyncio.sleep(0)
        bridge.close()
        async with asyncio.timeout(5):
            await task
        return call.answer.status

    assert asyncio.run(run()) == 503


def test_a_sender_who_drips_is_told() -> None:
    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    call = Call("/", method="POST", headers={"content-length": "10000"})
    call.receive = drip  # type: ignore[method-assign]
    (answer,) = ask(_never, call, patience_seconds=0.1, bytes_per_second=1000.0)
    assert answer.status == 408


def test_a_sender_who_leaves_gets_no_answer() -> None:
    call = post(b"x")
    call.parts = []
    call.hung_up.set()
    (answer,) = ask(_never, call)
    assert answer.status == 0


def test_who_takes_nothing_holds_no_thread() -> None:
    async def run() -> None:
        bridge = Bridge(echo, threads=1, folder=None)
        stuck = [Call("/") for _ in range(20)]
        for call in stuck:
            call.reads.clear()
        tasks = [asyncio.create_task(bridge(call.scope, call.receive, call.send)) for call in stuck]
        other = post(b"still here")
        async with asyncio.timeout(5):
            await bridge(other.scope, other.receive, other.send)
        assert other.answer.body == b"still here"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        bridge.stop()

    asyncio.run(run())


def test_too_many_waiting_are_sent_away_at_once() -> None:
    go = threading.Event()

    def wait(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        go.wait(5)
        return echo(environ, start)

    async def run() -> list[int]:
        bridge = Bridge(wait, threads=1, folder=None, limits=Limits(waiting_per_thread=2))
        calls = [_from(f"192.0.{n}.1") for n in range(5)]
        tasks = [asyncio.create_task(bridge(call.scope, call.receive, call.send)) for call in calls]
        while sum(call.is_complete for call in calls) < 2:
            await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)
        bridge.stop()
        return [call.answer.status for call in calls]

    assert asyncio.run(run()) == [200, 200, 200, 503, 503]


@pytest.mark.parametrize(("proxies", "crowd"), [(0, "192.0.2.9"), (1, "198.51.100.7")])
def test_one_network_does_not_take_the_room_of_all(proxies: int, crowd: str) -> None:
    go = threading.Event()

    def wait(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        go.wait(5)
        return echo(environ, start)

    def call_from(address: str) -> Call:
        # Behind a proxy all come from its address, and it says for whom.
        return _from("127.0.0.1", {"x-forwarded-for": f"203.0.113.1, {address}"}) if proxies else _from(address)

    async def run() -> tuple[list[int], int]:
        bridge = Bridge(wait, threads=1, folder=None, limits=Limits(waiting_per_thread=15), proxies=proxies)
        many = [call_from(crowd) for _ in range(20)]
        tasks = [asyncio.create_task(bridge(call.scope, call.receive, call.send)) for call in many]
        while sum(call.is_complete for call in many) < 12:
            await asyncio.sleep(0)
        other = call_from("203.0.113.77")
        tasks.append(asyncio.create_task(bridge(other.scope, other.receive, other.send)))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)
        bridge.stop()
        assert not bridge._busy_by_network
        return [call.answer.status for call in many], other.answer.status

    statuses, other = asyncio.run(run())
    assert (statuses.count(200), statuses.count(503), other) == (8, 12, 200)


def _from(address: str, headers: dict[str, str] | None = None) -> Call:
    call = Call("/", headers=headers)
    call.scope["client"] = (address, 1)
    return call


def test_a_reader_who_leaves_frees_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.config.bridge._WATCH_AFTER_SECONDS", 0.01)
    left, closed = threading.Event(), threading.Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"row\n"
                left.wait(0.01)

        def close(self) -> None:
            closed.set()

    def pages(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return Endless()

    call = Call("/")
    call.parts = []
    call.hung_up.set()
    (answer,) = ask(pages, call)
    assert closed.is_set()
    assert answer.status == 0


def test_a_long_answer_comes_in_pieces_and_is_closed() -> None:
    closed = []

    class Rows:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"%07d\n" % number for number in range(100_000))

        def close(self) -> None:
            closed.append(True)

    def pages(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/csv")])
        return Rows()

    (answer,) = ask(pages, Call("/"), memory_bytes=1000)
    assert len(answer.body) == 800_000 and answer.body.endswith(b"0099999\n")
    assert answer.headers["content-length"] == "800000"
    assert closed == [True]


@pytest.mark.parametrize(
    ("method", "status", "length", "body"),
    [("GET", 200, "4", b"page"), ("HEAD", 200, "4", b""), ("GET", 204, None, b""), ("GET", 304, None, b"")],
)
def test_answers_without_a_body(method: str, status: int, length: str | None, body: bytes) -> None:
    def pages(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start(f"{status} Words", [("Content-Length", "4")])
        return [b"page"]

    (answer,) = ask(pages, Call("/", method=method))
    assert (answer.status, answer.headers.get("content-length"), answer.body) == (status, length, body)


def test_what_a_failing_page_says_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    def pages(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        yield b"half"
        raise ValueError("a name and a number")

    (answer,) = ask(pages, Call("/"))
    assert answer.status == 500
    assert b"half" not in answer.body
    assert "ValueError" in caplog.text and "number" not in caplog.text


def test_an_address_that_wsgi_cannot_carry_is_refused() -> None:
    assert ask(_never, Call("/", query="q=ë".encode()))[0].status == 400


def scope(*headers: tuple[bytes, bytes], **more: Any) -> dict[str, Any]:
    return {"method": "GET", "path": "/", "query_string": b"", "headers": list(headers), **more}


def test_a_header_with_an_underscore_is_no_other_header() -> None:
    environ = environ_of(
        scope((b"x_forwarded_for", b"9.9.9.9"), (b"x-forwarded-for", b"1.1.1.1"), (b"content_length", b"7")), None, None
    )
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1"
    assert "CONTENT_LENGTH" not in environ and "HTTP_CONTENT_LENGTH" not in environ


def test_repeated_headers_are_one_list() -> None:
    environ = environ_of(
        scope(
            (b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")
        ),
        None,
        None,
    )
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_path_keeps_its_bytes() -> None:
    environ = environ_of(scope(raw_path=b"/k%C3%ABrko/%FF", path="/kërko/\ufffd"), None, None)
    assert environ["PATH_INFO"].encode("latin-1") == b"/k\xc3\xabrko/\xff"


def test_what_was_left_in_the_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "tmpabc123").write_bytes(b"a picture")
    folder = empty_folder(tmp_path / "tmp")
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def _never(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    raise AssertionError("this must not reach a page")


def _first_byte_only() -> Any:
    parts = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await asyncio.Event().wait()
        raise AssertionError

    return receive
