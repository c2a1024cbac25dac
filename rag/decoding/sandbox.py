"""Confines a worker process before it opens its first file: bounded memory, no network, no writing, no programs.

Knows the kernel; knows no job. Limits are setrlimit(2), unshare(2) and landlock(7); the numbers of the system calls are those of
Linux on x86-64 and aarch64. Elsewhere what is missing is named. Programs are confined further in `program_sandbox.py`.
"""

from __future__ import annotations

import ctypes
import fcntl
import math
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

OPEN_FILES = 256
WRITTEN_BYTES = 64_000_000  # to what was open before, stderr
_CPU_SECONDS = 1_800  # for one answer, and as much again for every 180 MB of its file: a decoder left alone ends all the same

NO_NEW_PRIVS = 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
LANDLOCK_CREATE, LANDLOCK_RESTRICT_SELF, LANDLOCK_VERSION = 444, 446, 1
# Executing a program, and everything that changes a file system: write, remove, make, and from ABI 2 and 3 on refer and truncate.
# Reading stays free, and with it loading a library.
CHANGING = {1: 0x1FF3, 2: 0x3FF3, 3: 0x7FF3}
_FIRST_TO_GO = "1000"  # proc(5), oom_score_adj: the system, short of memory, ends a reader before the process that writes
TCP = 0x3  # bind and connect, from ABI 4 on


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64))


def confine(memory: int) -> tuple[str, ...]:
    """Removes the rights a worker does not need; returns in words what could not be removed.

    `memory` is bytes of private memory; an allocation beyond it fails, and what reads the file with it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    limit(resource.RLIMIT_FSIZE, WRITTEN_BYTES)
    if sys.platform != "linux":
        return ("the network", "writing files", "starting programs", "memory")
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    limit(resource.RLIMIT_DATA, memory)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
    offline = leave_network(libc)
    files, net = _landlock(libc)
    return (() if offline or net else ("the network",)) + (() if files else ("writing files", "starting programs"))


def end_with(pipe: int) -> None:
    """Lets the kernel end this process as soon as nobody holds the other end of the pipe, whatever this process does then.

    SIGIO ends a process that does not handle it. (PR_SET_PDEATHSIG looks at the thread that started it only.)
    """
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def allow_seconds(size: int) -> None:
    """Gives the process CPU time for one more answer, for a file of so many bytes.

    Not for a whole job: words are recognised in 7 s a dense page, and a scanned book has hundreds of them.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + _CPU_SECONDS + size // 100_000)


def allow_writing(size: int) -> None:
    """Lets the process write so many bytes to a file it was handed open, beside what it may write to stderr."""
    limit(resource.RLIMIT_FSIZE, WRITTEN_BYTES + size)


def limit(what: int, most: int) -> None:
    """Lowers the soft limit; the hard one stays, so that it can be set anew for the next job."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def leave_network(libc: ctypes.CDLL) -> bool:
    """Moves to a network without devices. Root keeps its user namespace: in a new one it could not read what others own."""
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return bool(libc.unshare(flags) == 0)


def _landlock(libc: ctypes.CDLL) -> tuple[bool, bool]:
    """Whether writing to files and starting programs, and TCP, are taken away now."""
    abi = libc.syscall(LANDLOCK_CREATE, None, 0, LANDLOCK_VERSION)
    if abi < 1:
        return False, False
    rules = _Ruleset(CHANGING[min(abi, 3)], TCP if abi >= 4 else 0)
    size = ctypes.sizeof(rules) if abi >= 4 else 8
    descriptor = libc.syscall(LANDLOCK_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if descriptor < 0:
        return False, False
    taken = libc.syscall(LANDLOCK_RESTRICT_SELF, descriptor, 0) == 0
    os.close(descriptor)
    return taken, taken and abi >= 4
