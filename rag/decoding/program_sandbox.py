"""Confines a program before it starts: it reads one file and the system's libraries, and writes what it was handed open.

Knows the kernel; knows no format. Landlock takes away all other files and every program but this one; a filter of system calls
(seccomp(2)) takes away the network, further processes and those of others. Numbers are those of Linux on x86-64 and aarch64.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import stat
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rag.decoding import sandbox

_ADD_RULE = 445
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_FOLDER = 1, 4, 8
_NO_OTHERS = 3  # abstract sockets and signals to processes outside, from ABI 6 on
_SYSTEM = (  # libraries, fonts, and what says where they are
    *("/usr", "/lib", "/lib64", "/nix/store", "/gnu/store", "/run/current-system"),
    *("/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.preload", "/var/cache/fontconfig", "/dev/null", "/dev/urandom"),
)
_DEATH_SIGNAL, _DROP_CAPABILITY, _SET_FILTER, _FILTER_MODE = 1, 24, 22, 2  # prctl(2)
_READ_SEARCH, _CAPABILITIES = 2, 64  # capabilities(7): the first is what lets root open the file of another user
_SLACK = 600_000_000  # bytes of addresses beyond its memory, for libraries and the stacks of threads
_CPU_SECONDS = 1_800

_ALLOW, _REFUSE, _ABSENT, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000  # EPERM and ENOSYS
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_THREAD = 0x10000  # flag of clone(2)
_CLONE3 = 435
_OTHER_INTERFACE = 0x40000000  # x32 numbers its calls from here on
_FILTERS: dict[str, tuple[int, int, tuple[int, ...]]] = {  # by machine: its name in audit.h, clone, and what is refused
    # fork, vfork, kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, socket, socketpair, ptrace, setsid, shmget, memfd_create,
    # process_vm_readv and _writev, unshare, setns, mount, bpf, perf_event_open, userfaultfd, io_uring_setup,
    # pidfd_send_signal, pidfd_open, add_key, request_key, keyctl
    "x86_64": (
        0xC000003E,
        56,
        (
            *(57, 58, 62, 200, 129, 297, 41, 53, 101, 112, 29, 319, 310, 311, 272, 308, 165, 321, 298, 323, 425, 424, 434),
            *(248, 249, 250),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (
            *(129, 130, 138, 240, 198, 199, 117, 157, 194, 279, 270, 271, 97, 268, 40, 280, 241, 282, 425, 424, 434),
            *(217, 218, 219),
        ),
    ),
}


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def cannot_confine() -> str:
    """Why no program can be confined on this machine; "" where it can."""
    if sys.platform != "linux" or platform.machine() not in _FILTERS:
        return "is read by a program, which can be confined on Linux only (x86-64, aarch64); convert it to .pdf"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(sandbox.LANDLOCK_CREATE, None, 0, sandbox.LANDLOCK_VERSION) < 1:
        return "is read by a program, which this Linux cannot confine without Landlock (Linux 5.13 and newer); convert it to .pdf"
    return ""


def confine_runner(places: Iterable[Path]) -> None:
    """Removes the rights of the process that starts programs: it writes no file, and executes only what lies at `places`.

    OSError where Landlock refuses; the network is left where the system lets it.
    """
    _limit_for_good(resource.RLIMIT_CORE, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(sandbox.NO_NEW_PRIVS, 1, 0, 0, 0))
    sandbox.leave_network(libc)
    ruleset = _ruleset(libc, 0, 0)
    for place in places:
        with suppress(OSError):  # one that is gone cannot be executed either
            _allow_execution(libc, ruleset, place, 0)
    _restrict(libc, ruleset)


def confine_program(program: Path, file: int, memory: int, most: int) -> None:
    """Gives up all rights but to become `program` and to read the open `file`; called between fork(2) and execve(2).

    `memory` and `most` are bytes: of its memory, and of what it may write. OSError where a right cannot be given up.
    """
    for what, amount in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, sandbox.OPEN_FILES),
        (resource.RLIMIT_FSIZE, most),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + _SLACK),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
    ):
        _limit_for_good(what, amount)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    for capability in range(_CAPABILITIES):
        if capability != _READ_SEARCH:
            libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0)  # refused to those who have none
    _checked(libc.prctl(sandbox.NO_NEW_PRIVS, 1, 0, 0, 0))
    _confine_files(libc, program, file)
    _filter_calls(libc)


def _limit_for_good(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _confine_files(libc: ctypes.CDLL, program: Path, file: int) -> None:
    ruleset = _ruleset(libc, _READ_FILE | _READ_FOLDER, _NO_OTHERS)
    for folder in _SYSTEM:
        with suppress(OSError):
            _allow(libc, ruleset, os.open(folder, os.O_PATH | os.O_CLOEXEC), _READ_FILE | _READ_FOLDER)
    _allow_execution(libc, ruleset, program, _READ_FILE)
    with suppress(OSError):  # a file in memory lies in no folder, and needs no rule
        _allow(libc, ruleset, os.dup(file), _READ_FILE)
    _restrict(libc, ruleset)


def _ruleset(libc: ctypes.CDLL, reading: int, scoped: int) -> int:
    """What takes away changing files, executing, TCP, and these rights of reading; and, where the kernel can, what is scoped."""
    abi = libc.syscall(sandbox.LANDLOCK_CREATE, None, 0, sandbox.LANDLOCK_VERSION)
    if abi < 1:
        raise OSError(errno.ENOSYS, "this Linux has no Landlock")
    rules = _Ruleset(sandbox.CHANGING[min(abi, 3)] | reading, sandbox.TCP if abi >= 4 else 0, scoped if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset: int = libc.syscall(sandbox.LANDLOCK_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    _checked(ruleset)
    return ruleset


def _restrict(libc: ctypes.CDLL, ruleset: int) -> None:
    _checked(libc.syscall(sandbox.LANDLOCK_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _allow_execution(libc: ctypes.CDLL, ruleset: int, program: Path, reading: int) -> None:
    for place in starters(program):
        _allow(libc, ruleset, os.open(place, os.O_PATH | os.O_CLOEXEC), _EXECUTE | reading)


def _allow(libc: ctypes.CDLL, ruleset: int, place: int, rights: int) -> None:
    """Gives rights to an open place, and closes it."""
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= ~_READ_FOLDER
        rule = _Rule(rights, place)
        _checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(place)


def starters(program: Path) -> list[Path]:
    """The program, and what the system starts it with: the interpreter of a script, the loader of shared libraries."""
    found = [program]
    for _ in range(3):
        starter = _starter(found[-1])
        if starter is None:
            break
        found.append(starter)
    return found


def _starter(program: Path) -> Path | None:
    with program.open("rb") as stream:
        head = stream.read(4096)
        if head.startswith(b"#!"):
            return Path(os.fsdecode(head[2:].partition(b"\n")[0].split()[0]))
        if head[:5] != b"\x7fELF\x02":
            return None
        at, size, count = *struct.unpack_from("<Q", head, 32), *struct.unpack_from("<HH", head, 54)
        for number in range(count):
            stream.seek(at + number * size)
            kind, _, start, _, _, length = struct.unpack("<IIQQQQ", stream.read(40))
            if kind == 3:  # PT_INTERP
                stream.seek(start)
                return Path(os.fsdecode(stream.read(min(length, 4096)).rstrip(b"\0")))
    return None


def _filter_calls(libc: ctypes.CDLL) -> None:
    machine, clone, refused = _FILTERS[platform.machine()]
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _OTHER_INTERFACE),
        (_RETURN, 0, 0, _KILL),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ABSENT),  # glibc takes clone then, whose flags a filter can see
    ]
    for call in refused:
        steps += [(_EQUAL, 0, 1, call), (_RETURN, 0, 0, _REFUSE)]
    steps += [
        (_EQUAL, 1, 0, clone),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, 16),  # the lower half of its first argument
        (_ANY_BIT, 0, 1, _THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    _checked(libc.prctl(_SET_FILTER, _FILTER_MODE, ctypes.byref(_Filter(len(steps), code)), 0, 0))


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
