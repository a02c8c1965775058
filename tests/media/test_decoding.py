"""The decoder's process: what it has, what it may take, and that nothing of its end reaches us."""

from __future__ import annotations

import io
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from commonbeat.media import decoding
from commonbeat.media.decoding import READY, REQUEST, DecoderUnavailable, Limits
from commonbeat.media.images import NotAPicture, PictureTooLarge, PublicCopies, make_public_copies

JPEG, PNG, GIF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"
SIGNATURES = [JPEG, PNG, GIF, b"GIF87a", b"RIFF\x20\0\0\0WEBPVP8 ", b"RIFF\x20\0\0\0WEBPVP8L"]


def encoded(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def outcome(data: bytes, limits: Limits = decoding.LIMITS) -> PublicCopies | None:
    try:
        return make_public_copies(data, limits=limits)
    except (NotAPicture, PictureTooLarge):
        return None


@pytest.fixture
def job() -> Iterator[tuple[socket.socket, int]]:
    """Give a child that waits for its picture: our end of its socket, and its number."""
    decoder = decoding._running()
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            request = REQUEST.pack(1000, 100, 10, 1 << 29, 5, 20.0)
            socket.send_fds(decoder.control, [request], [theirs.fileno()])
        ours.settimeout(10)
        assert ours.recv(1) == READY
        children = Path(f"/proc/{decoder.process.pid}/task/{decoder.process.pid}/children").read_text().split()
        yield ours, int(children[-1])


def test_the_child_inherits_no_descriptor_and_no_secret(job: tuple[socket.socket, int]) -> None:
    _ours, child = job
    assert os.environ["COMMONBEAT_SECRET_KEY"]
    open_files = {file.name: str(file.readlink()) for file in Path(f"/proc/{child}/fd").iterdir()}
    assert sorted(open_files) == ["0", "1", "2"]
    assert open_files["0"] == open_files["1"]
    assert open_files["0"].startswith("socket:")
    assert open_files["2"] == "/dev/null"
    environment = Path(f"/proc/{child}/environ").read_bytes().rstrip(b"\0").split(b"\0")
    assert {line.partition(b"=")[0] for line in environment} == {b"OPENBLAS_NUM_THREADS", b"GLIBC_TUNABLES"}
    assert Path(f"/proc/{child}/cwd").readlink() == Path("/")


def test_the_child_has_its_limits(job: tuple[socket.socket, int]) -> None:
    _ours, child = job
    lines = Path(f"/proc/{child}/limits").read_text().splitlines()[1:]
    limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert limits["Max open files"] == ["3", "3"]
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max cpu time"] == ["5", "5"]
    assert limits["Max address space"] == [str(1 << 29)] * 2
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines() if "\t" in line
    )
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_a_child_that_is_killed_says_nothing_more(job: tuple[socket.socket, int]) -> None:
    ours, child = job
    os.kill(child, signal.SIGKILL)
    assert ours.recv(1) == b""
    assert outcome(encoded()) is not None


def test_nothing_but_computing_is_left(tmp_path: Path) -> None:
    code = (
        "import os, socket, sys\n"
        "from commonbeat.media.confining import confine\n"
        "confine(memory=1 << 30, cpu=1)\n"
        "new, true = (lambda: open(sys.argv[1], 'w')), (lambda: os.execv('/bin/true', ['true']))\n"
        "parent, much = (lambda: os.kill(os.getppid(), 0)), (lambda: bytearray(2 << 30))\n"
        "for attempt in (lambda: open(os.devnull), new, socket.socket, os.pipe, os.fork, true, parent, much):\n"
        "    try:\n"
        "        attempt()\n"
        "        os.write(1, b'done ')\n"
        "    except OSError: os.write(1, b'refused ')\n"
        "    except MemoryError: os.write(1, b'memory ')\n"
        "while True: pass\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "new")], stdout=subprocess.PIPE, timeout=60)
    assert run.stdout.split() == [b"refused"] * 7 + [b"memory"]
    assert run.returncode in (-signal.SIGKILL, -signal.SIGXCPU)
    assert not list(tmp_path.iterdir())


def test_a_picture_whose_child_is_killed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    converse = decoding._converse
    decoding.stop()

    def killed(ours: socket.socket, data: bytes, end: float) -> bytes:
        assert ours.recv(1) == READY
        decoder = decoding.pid()
        (child,) = Path(f"/proc/{decoder}/task/{decoder}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        return READY + converse(ours, data, end)

    monkeypatch.setattr(decoding, "_converse", killed)
    with pytest.raises(NotAPicture, match="We cannot read this picture"):
        make_public_copies(encoded())


def test_a_decoder_that_was_killed_is_started_again() -> None:
    assert outcome(encoded()) is not None
    first = decoding.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert outcome(encoded()) is not None
    assert decoding.pid() not in (None, first)


def test_a_decoder_ends_with_its_site() -> None:
    decoder = decoding._start()
    decoder.control.close()
    assert decoder.process.wait(timeout=20) == 0


def test_a_decoder_that_nobody_needs_ends_and_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    decoding.stop()
    program = decoding._PROGRAM.replace("import main;", "import main; main.__globals__['IDLE_SECONDS'] = 0.0;")
    monkeypatch.setattr(decoding, "_PROGRAM", program)
    for _time in range(2):
        assert outcome(encoded()) is not None
        decoder = decoding._decoder
        assert decoder is not None and decoder.process.wait(timeout=20) == 0


def test_no_decoder_is_no_fault_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    decoding.stop()
    monkeypatch.setattr(decoding, "_PROGRAM", "raise SystemExit(1)")
    with pytest.raises(DecoderUnavailable):
        make_public_copies(encoded())
    assert decoding.pid() is None


def test_time_is_limited() -> None:
    data = encoded("PNG", (3000, 2000))
    begun = time.monotonic()
    with pytest.raises(NotAPicture, match="We cannot read this picture"):
        make_public_copies(data, limits=Limits(wall_seconds=0.02))
    assert time.monotonic() - begun < 5
    assert outcome(encoded()) is not None


def test_memory_is_limited() -> None:
    data = png(6000, 6000)
    assert outcome(data, Limits(memory=160_000_000)) is None
    assert outcome(data) is not None


def test_many_ask_at_once() -> None:
    data = encoded()
    results: list[PublicCopies | None] = []
    threads = [threading.Thread(target=lambda: results.append(outcome(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len({result.full for result in results if result}) == 1


def test_what_a_decoder_says_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = struct.Struct("!IIqII")
    page = b"<!doctype html><script>alert(1)</script>"
    small = b"\xff\xd8\xff\xd9"
    for reply in (
        b"",
        b"G",
        b"X",
        b"G" + numbers.pack(10, 10, 0, len(page), len(small)) + page + small,
        b"G" + numbers.pack(9_000, 10, 0, len(small), len(small)) + small * 2,
        b"G" + numbers.pack(0, 10, 0, len(small), len(small)) + small * 2,
        b"G" + numbers.pack(10, 10, 0, 1 << 31, len(small)) + small * 2,
        b"G" + numbers.pack(10, 10, 0, len(small), len(small)) + small * 2 + b"more",
    ):
        monkeypatch.setattr(decoding, "decode", lambda *_given, reply=reply, **_named: reply)
        with pytest.raises(NotAPicture):
            make_public_copies(JPEG)


# ------------------------------------------------------------------ files that mean harm


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes) -> bytes:
    rows = zlib.compress(bytes(height * (1 + 3 * width)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_packed_chunks_are_not_unpacked_without_end() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    text = chunk(b"zTXt", b"Comment\0\0" + bomb)
    profile = chunk(b"iCCP", b"p\0\0" + bomb)
    for data in (png(8, 8, text), png(8, 8, text, text, text), png(8, 8, profile)):
        begun = time.monotonic()
        copies = outcome(data)
        assert copies is None or copies.width == 8
        assert time.monotonic() - begun < 10


def test_more_rows_than_the_header_says_are_left_out() -> None:
    rows = zlib.compress(bytes(300_000_000), 9)
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    data = PNG + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    copies = outcome(data)
    assert copies is None or (copies.width, copies.height) == (16, 16)


def test_a_gif_of_fifty_thousand_pixels_a_side_is_refused() -> None:
    data = GIF + struct.pack("<HHBBB", 50_000, 50_000, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff;"
    with pytest.raises((PictureTooLarge, NotAPicture)):
        make_public_copies(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_file_that_is_two_things_leaves_one(kind: str) -> None:
    other = b"PK\x03\x04evil.zip<html><script>alert(1)</script>%PDF-1.7 evil"
    copies = make_public_copies(encoded(kind) + other)
    for copy in (copies.full, copies.thumb):
        assert not any(word in copy for word in (b"PK\x03\x04", b"script", b"%PDF", b"evil"))
        assert Image.open(io.BytesIO(copy)).format == "JPEG"


@settings(max_examples=60)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=4_000))
def test_any_bytes_are_refused_or_shown(signature: bytes, rest: bytes) -> None:
    copies = outcome(signature + rest)
    assert copies is None or copies.full.startswith(JPEG)


@settings(max_examples=30)
@given(st.sampled_from([encoded(kind) for kind in ("PNG", "GIF", "WEBP")]), st.data())
def test_chunks_in_any_order_are_refused_or_shown(whole: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(12, len(whole)), min_size=1, max_size=4)))
    pieces = [whole[a:b] for a, b in zip([12, *cuts], [*cuts, len(whole)], strict=True)]
    order = data.draw(st.permutations(pieces))
    copies = outcome(whole[:12] + b"".join(order))
    assert copies is None or np.asarray(Image.open(io.BytesIO(copies.full))).ndim == 3
