"""Give up all but computing: for a process that is about to read a stranger's file."""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_FILTER = 38, 22, 2
_KILL, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Where struct seccomp_data holds the number of the call, the architecture and the lower half of the first argument.
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
_CLONE_THREAD = 0x0001_0000
_CLONE3 = 435
# The same numbers on every architecture: signals by descriptor, io_uring, and another process's descriptors.
_EVERYWHERE = (424, 425, 426, 427, 434, 438)
# By architecture: its number, the call "clone", and the calls that reach another process, program or machine.
_CALLS = {
    "x86_64": (
        0xC000_003E,
        56,
        # socket, connect, sendto, sendmsg, bind, listen, socketpair; fork, vfork, execve; kill, ptrace, tkill, tgkill;
        # two sigqueueinfo; unshare, perf_event_open, two process_vm, bpf, execveat, userfaultfd
        (41, 42, 44, 46, 49, 50, 53, 57, 58, 59, 62, 101, 200, 234, 129, 297, 272, 298, 310, 311, 321, 322, 323),
    ),
    "aarch64": (
        0xC000_00B7,
        220,
        # socket, socketpair, bind, listen, connect, sendto, sendmsg; execve; kill, tkill, tgkill, ptrace; two
        # sigqueueinfo; unshare, perf_event_open, two process_vm, bpf, execveat, userfaultfd
        (198, 199, 200, 201, 203, 206, 211, 221, 129, 130, 131, 117, 138, 240, 97, 241, 270, 271, 280, 281, 282),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


_libc = ctypes.CDLL(None, use_errno=True)


def confine(*, memory: int, cpu: int) -> None:
    """Limit this process for good: no new descriptor or process, no signal to another, so much memory and CPU time."""
    for limit, most in (
        # 0, 1 and 2 are taken: whatever needs a descriptor fails, a file as well as a socket.
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_FSIZE, 0),
        # A core would be the picture again, in the clear.
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory),
    ):
        resource.setrlimit(limit, (most, most))
    if not _filter_calls(platform.machine()):
        # Without the filter no new process either, but then no thread; HEIC takes one and is refused.
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _filter_calls(machine: str) -> bool:
    """Let the kernel refuse calls that reach beyond this process; False where it cannot."""
    if sys.platform != "linux" or machine not in _CALLS:
        return False
    code = _program(*_CALLS[machine])
    program = _Program(len(code) // 8, code)
    steps = ((_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(program)))
    # As wide as the kernel reads them: prctl takes what it is given.
    nothing = ctypes.c_ulong(0)
    return all(
        _libc.prctl(option, ctypes.c_ulong(first), ctypes.c_ulong(second), nothing, nothing) == 0
        for option, first, second in steps
    )


def _program(architecture: int, clone: int, refused: tuple[int, ...]) -> bytes:
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        # The second table of numbers of x86-64.
        (_AT_LEAST, 0, 1, 0x4000_0000),
        refuse,
        # glibc then asks for a thread by the older call, whose argument a filter can read.
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for number in (*_EVERYWHERE, *refused):
        steps += [(_EQUAL, 0, 1, number), refuse]
    steps += [
        (_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, _FIRST),
        # A thread of this process is allowed, another process is not.
        (_HAS_BITS, 1, 0, _CLONE_THREAD),
        refuse,
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
