"""The program that decodes strangers' files; `commonbeat.media.decoding` starts it and says what it is given.

It reads no stranger's byte itself: it forks a child for each picture, and kills the one whose time is over.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import socket
import time
from pathlib import Path

from commonbeat.media import pixels
from commonbeat.media.confining import confine
from commonbeat.media.decoding import READY, REQUEST
from commonbeat.media.images import GOOD, NO_PICTURE, REPLY, TOO_LARGE, NotAPicture, PictureTooLarge

# Then it ends, and the next picture starts another: a site without pictures keeps no 40 MB for them.
IDLE_SECONDS = 600.0
_PIECE = 1 << 18


def main() -> None:
    """Fork a child for each request on descriptor 0, until that is closed or nobody asked for a while."""
    control = socket.socket(fileno=0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)
    os.close(null)
    # Where memory runs out, the kernel ends this before the site.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    gc.freeze()
    children: dict[int, float] = {}
    try:
        _serve(control, wake, children)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def _serve(control: socket.socket, wake: int, children: dict[int, float]) -> None:
    while True:
        wait = max(0.0, min(children.values()) - time.monotonic()) if children else IDLE_SECONDS
        ready, _, _ = select.select([control, wake], [], [], wait)
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
        _reap(children)
        if control in ready:
            request, descriptors, _flags, _address = socket.recv_fds(control, REQUEST.size, 1)
            if not request:
                return
            (job,) = descriptors
            _max_pixels, _full, _thumb, _memory, _cpu, seconds = REQUEST.unpack(request)
            child = os.fork()
            if child == 0:
                _decode(job, request)
            os.close(job)
            children[child] = time.monotonic() + seconds
        elif not ready and not children:
            return


def _reap(children: dict[int, float]) -> None:
    now = time.monotonic()
    for child, end in list(children.items()):
        # Not yet waited for, so that the number is still this child's.
        if os.waitpid(child, os.WNOHANG)[0] == child:
            del children[child]
        elif now >= end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            del children[child]


def _decode(job: int, request: bytes) -> None:
    """Be the child: take the limits, read the picture from descriptor 0, write the copies to 1, and end."""
    code = 1
    try:
        max_pixels, full, thumb, memory, cpu, _wall = REQUEST.unpack(request)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(job, 0)
        os.dup2(job, 1)
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        confine(memory=memory, cpu=cpu)
        _write(READY)
        _write(_answer(_read(), max_pixels, (full, thumb)))
        # The answer is complete before the kernel takes the memory back.
        os.closerange(0, 3)
        code = 0
    finally:
        # Nothing of the parent is tidied up here, and no traceback tells of the picture.
        os._exit(code)


def _answer(data: bytes, max_pixels: int, sides: tuple[int, int]) -> bytes:
    try:
        made = pixels.rebuild(data, max_pixels=max_pixels, sides=sides)
    except NotAPicture:
        return NO_PICTURE
    except PictureTooLarge:
        return TOO_LARGE
    numbers = REPLY.pack(made.width, made.height, made.phash, len(made.full), len(made.thumb))
    return GOOD + numbers + made.full + made.thumb


def _read() -> bytes:
    pieces = []
    while piece := os.read(0, _PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]
