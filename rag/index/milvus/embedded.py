"""Milvus' own core for an index in one file: started by the first process that opens it, shared by later ones of the machine.

Knows milvus-lite, a lock and a socket; knows no collection. The core ends with the process that started it.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag.errors import IndexFailure, IndexLocked, MissingExtra

STARTS_IN = 60.0  # seconds, at most
_SCHEME = "unix:"
_MAGIC = b"SQLite format 3\0"  # how the file of a core begins


def core_of(file: Path, shown: str) -> str:
    """The URI of the core that has the file open, which is started here where none has.

    MissingExtra without milvus-lite 2.5.1; IndexFailure where the file cannot be one; IndexLocked where another process has it
    open and does not answer.
    """
    _refuse_other_cores()
    from milvus_lite.server_manager import server_manager_instance

    _refuse_other_files(file, shown)
    note = file.with_name(f".{file.name}.socket")
    with suppress(OSError):
        if answers(uri := note.read_text()):
            return uri
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexFailure(f"{shown} cannot be made: {error.strerror}", remedy="name a folder that you may write to") from error
    with _silent():
        started: str | None = server_manager_instance.start_and_get_uri(str(file))
    if started is None:
        with suppress(OSError):
            if answers(uri := note.read_text()):  # another process was faster
                return uri
        raise IndexLocked(shown, "another process, which does not answer")
    ends = time.monotonic() + STARTS_IN
    while not answers(started) and time.monotonic() < ends:  # the client gives up sooner than a busy machine starts it
        time.sleep(0.02)
    with suppress(OSError):
        note.write_text(started)
    return started


def _refuse_other_files(file: Path, shown: str) -> None:
    """IndexFailure where the file cannot be one of the core: its own reasons would be on its log alone."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise IndexFailure(
            f"{shown} cannot be opened: {error.strerror}", remedy="name another file, or mend its rights"
        ) from error
    if begins not in (b"", _MAGIC):
        raise IndexFailure(f"{shown} is a file of another program", remedy="name another file: it is made where there is none")
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        raise IndexFailure(
            f"{shown} is read-only, and Milvus' core writes into its file even to search",
            remedy=f"copy it where you may write, or change its rights: chmod u+w {file}",
        )


def answers(uri: str) -> bool:
    """Whether a core still listens there."""
    if not uri.startswith(_SCHEME):
        return False
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(2.0)
        try:
            asked.connect(uri.removeprefix(_SCHEME))
        except OSError:
            return False
    return True


@contextmanager
def _silent() -> Iterator[None]:
    """Without what the package says in the root logger: it is raised here."""
    disabled, logging.root.disabled = logging.root.disabled, True
    try:
        yield
    finally:
        logging.root.disabled = disabled


def _refuse_other_cores() -> None:
    """MissingExtra unless the package is Milvus' own core: the later one has no 16-bit vectors."""
    try:
        found = version("milvus-lite")
    except PackageNotFoundError as error:
        raise MissingExtra("an embedded index needs the package milvus-lite, which is not installed", "milvus-lite") from error
    if not found.startswith("2."):
        raise MissingExtra(f"milvus-lite {found} has no 16-bit vectors; an embedded index needs 2.5.1", "milvus-lite")
