"""What else may lie in a folder: links that go round, pipes that never end, devices, locked doors.

Knows the file system; knows no format.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.contracts.test_loaders import picture
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


def _beside_rules(rules: bytes, size: int = 0) -> Callable[[Path], None]:
    """A text beside an ignore file of these rules, grown to so many bytes that take no room."""

    def make(file: Path) -> None:
        write(file, b"The pilot reads what stands beside it.\n")
        write(file.with_name(".gitignore"), rules)
        if size:
            os.truncate(file.with_name(".gitignore"), size)

    return make


def _captioned_by_a_pipe(file: Path) -> None:
    write(file, picture("PNG"))
    os.mkfifo(f"{file}.txt")


# What root must be without to be refused anything.
UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


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
    yield Bad("places/captioned.png", _captioned_by_a_pipe, "indexed")
    yield Bad("places/sparse-rules/inside.txt", _beside_rules(b"*.md\n", 10_000_000_000), "ignored")
    yield Bad(
        "places/endless-rules/" + "a" * 240 + ".txt", _beside_rules(b"*a" * 20 + b"*b\n" + b"**/a/" * 20 + b"b\n"), "indexed"
    )
    if os.geteuid() == 0 and sys.platform == "linux":
        yield Bad("places/zero.txt", _device, "ignored")
    if os.geteuid() or shutil.which("setpriv"):
        yield Bad("places/locked.txt", _locked, "skipped", "[Pp]ermission")
        yield Bad("places/locked/inside.txt", _locked_folder, "ignored")
