"""What else may lie in a folder: links that go round, pipes that never end, devices, locked doors.

Knows the file system; knows no format.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.hostile.bad import Bad, filled, write


def _link(target: str) -> Callable[[Path], None]:
    return lambda file: file.symlink_to(target)


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _socket(file: Path) -> None:
    before = Path.cwd()
    os.chdir(file.parent)  # an address holds 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(file.name)
    finally:
        os.chdir(before)


def _device(file: Path) -> None:
    os.mknod(file, 0o20666, os.makedev(1, 5))  # /dev/zero


def _locked(file: Path) -> None:
    write(file, b"nobody may read this\n")
    file.chmod(0)


def _locked_folder(file: Path) -> None:
    write(file, b"nobody may come here\n")
    file.parent.chmod(0)


def _hard(file: Path) -> None:
    write(file.with_name("first.txt"), b"One text under two names.\n")
    os.link(file.with_name("first.txt"), file)


def places() -> Iterator[Bad]:
    """Those that this machine and this user can make."""
    yield Bad("places/loop/again", _link("."), "ignored")
    yield Bad("places/loop/up", _link("../.."), "ignored")
    yield Bad("places/one.txt", _link("other.txt"), "either")
    yield Bad("places/other.txt", _link("one.txt"), "either")
    yield Bad("places/broken.txt", _link("nowhere.txt"), "either")
    yield Bad("places/passwd.txt", _link("/etc/passwd"), "ignored")
    yield Bad("places/etc", _link("/etc"), "ignored")
    yield Bad("places/long.txt", _link("x" * 255), "either")
    yield Bad("places/pipe.txt", _pipe, "ignored")
    yield Bad("places/pipe.pdf", _pipe, "ignored")
    yield Bad("places/bound.txt", _socket, "ignored")
    yield Bad("places/second.txt", _hard, "indexed")
    yield Bad("places/folder.pdf/inside.txt", filled(b"A folder may be called report.pdf.\n"), "indexed")
    if os.geteuid() == 0:
        if sys.platform == "linux":
            yield Bad("places/zero.txt", _device, "ignored")
    else:
        yield Bad("places/locked.txt", _locked, "skipped", "[Pp]ermission")
        yield Bad("places/locked/inside.txt", _locked_folder, "ignored")
