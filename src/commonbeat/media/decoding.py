"""Ask the decoder: a process apart that reads strangers' files, for this process never does.

A Python with Pillow takes 0.2 s to start. So one is kept that has read nothing, and that forks a child for each
picture (2 ms); the child takes its limits, decodes, answers and ends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# What goes to the decoder with one end of a pair of sockets: pixels, two sides, bytes, CPU and wall seconds.
REQUEST = struct.Struct("!QIIQId")
# The child's first byte: whatever goes wrong after it is the picture's doing.
READY = b"R"
_AT_ONCE = threading.BoundedSemaphore(2)
# Two JPEGs of 1600 and 320 pixels are below 4 MB at the quality that the decoder uses.
_MOST_REPLY = 16_000_000
_MARGIN_SECONDS = 2.0
_PIECE = 1 << 18
_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = f"import sys; sys.path.insert(0, {_ROOT!r}); from commonbeat.media.decoder import main; main()"

# One thread, so that a fork takes all of it along; and memory in pages of 2 MB where there are such: a new process
# touches all that it uses for the first time, and 12 megapixels then take 100 ms instead of 122.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class DecoderUnavailable(RuntimeError):
    """No decoder starts: a fault of the site, not of a picture."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the decoding of one picture may take; address space in bytes, all of a process."""

    memory: int = 1 << 30
    cpu_seconds: int = 10
    wall_seconds: float = 20.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Decoder:
    process: subprocess.Popen[bytes]
    control: socket.socket


_lock = threading.Lock()
_decoder: _Decoder | None = None


def decode(data: bytes, *, max_pixels: int, sides: tuple[int, int], limits: Limits = LIMITS) -> bytes:
    """Return what the decoder says of some bytes; nothing when it was killed or broke down over them.

    At most two pictures at once: others wait, and each is bounded in time.
    """
    request = REQUEST.pack(max_pixels, *sides, limits.memory, limits.cpu_seconds, limits.wall_seconds)
    with _AT_ONCE:
        # The decoder ends when nobody needed it for a while, or may have been killed: then a new one is asked.
        for _attempt in range(2):
            said = _ask(data, request, limits.wall_seconds + _MARGIN_SECONDS)
            if said.startswith(READY):
                return said[len(READY) :]
    raise DecoderUnavailable("the decoder of pictures does not start")


def stop() -> None:
    """End this process's decoder, if there is one; the next picture starts another."""
    global _decoder
    with _lock:
        ended, _decoder = _decoder, None
    if ended is not None:
        _end(ended)


def pid() -> int | None:
    """Return the process id of the decoder that waits, if there is one."""
    return _decoder.process.pid if _decoder is not None else None


def _ask(data: bytes, request: bytes, seconds: float) -> bytes:
    end = time.monotonic() + seconds
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            decoder = _running()
            try:
                with _lock:
                    socket.send_fds(decoder.control, [request], [theirs.fileno()])
            except OSError:
                _drop(decoder)
                return b""
        said = _converse(ours, data, end)
    if not said:
        _drop(decoder)
    return said


def _converse(ours: socket.socket, data: bytes, end: float) -> bytes:
    said = bytearray()
    # A child that is killed while it reads breaks the pipe; what it said before is read all the same.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        ours.settimeout(max(0.1, end - time.monotonic()))
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionResetError, TimeoutError):
        while len(said) <= _MOST_REPLY:
            ours.settimeout(max(0.1, end - time.monotonic()))
            piece = ours.recv(_PIECE)
            if not piece:
                return bytes(said)
            said += piece
    # Cut short: only that it had begun is of use.
    return bytes(said[: len(READY)])


def _running() -> _Decoder:
    global _decoder
    with _lock:
        if _decoder is None:
            _decoder = _start()
        return _decoder


def _start() -> _Decoder:
    ours, theirs = socket.socketpair()
    with theirs:
        # No secret of the site in the environment, no descriptor but one end of the pair, no folder, no terminal.
        try:
            process = subprocess.Popen(  # noqa: S603  # this Python, with a line of our own
                [sys.executable, "-IB", "-c", _PROGRAM],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise DecoderUnavailable("the decoder of pictures does not start") from error
    return _Decoder(process, ours)


def _drop(decoder: _Decoder) -> None:
    global _decoder
    with _lock:
        if _decoder is decoder:
            _decoder = None
    _end(decoder)


def _end(decoder: _Decoder) -> None:
    decoder.control.close()
    # Our own child, not yet waited for: its number can be nobody else's.
    decoder.process.kill()
    decoder.process.wait()


def _forget() -> None:
    # A fork of this process shares the other's decoder, and would wait for somebody else's child.
    global _decoder, _lock, _AT_ONCE
    _decoder, _lock, _AT_ONCE = None, threading.Lock(), threading.BoundedSemaphore(2)


atexit.register(stop)
os.register_at_fork(after_in_child=_forget)
