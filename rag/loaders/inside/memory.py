"""Keeps a file from inside another in memory, under a path that every library can open.

Knows bytes; knows no format. Readers may write no file: `memfd_create(2)` gives one that has no place on a disk.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from rag.errors import UnreadableDocument
from rag.limits import HELD_BYTES
from rag.loaders.base import Limits
from rag.loaders.unpacked import named

_CHUNK = 1 << 20
_SHARE = 4  # the files held are at most this part of the private memory a reader has


@dataclass(slots=True)
class Room:
    """What may still be unpacked of a document, and what is held of it now, in bytes."""

    members: int
    unpacked: int
    most_held: int
    limits: Limits
    held: int = 0

    @property
    def exhausted(self) -> str:
        """The reason where no more is unpacked."""
        return f"is beyond what is unpacked of a document: max_unpacked_bytes = {self.limits.max_unpacked_bytes:,}"


def room_for(limits: Limits) -> Room:
    """All that a document may take."""
    soft = resource.getrlimit(resource.RLIMIT_DATA)[0]
    most = HELD_BYTES if soft == resource.RLIM_INFINITY else min(HELD_BYTES, soft // _SHARE)
    return Room(limits.max_members, limits.max_unpacked_bytes, most, limits)


@contextmanager
def held(stream: BinaryIO, room: Room, name: str) -> Iterator[Path]:
    """The bytes of a stream as a file in memory of that name. UnreadableDocument where they are too many.

    What this process may use otherwise is less meanwhile: its memory stays bounded.
    """
    with _nameless() as file:
        with _changed(resource.RLIMIT_FSIZE, HELD_BYTES):
            size = _copy(stream, file, room)
        room.held += size
        try:
            path = file.name if isinstance(file.name, str) else f"/proc/self/fd/{file.fileno()}"
            with changed_memory(-size):
                yield named(Path(path), name)
        finally:
            room.held -= size


def _copy(stream: BinaryIO, file: BinaryIO, room: Room) -> int:
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        room.unpacked -= len(chunk)
        if room.unpacked < 0:
            raise UnreadableDocument(room.exhausted)
        if room.held + size > room.most_held:
            raise UnreadableDocument(f"has more bytes than can be held in memory ({room.most_held:,}); unpack it")
        file.write(chunk)
    file.flush()
    return size


def changed_memory(by: int) -> AbstractContextManager[None]:
    """The private memory that this process may use, less by what a file in memory takes meanwhile; in bytes."""
    return _changed(resource.RLIMIT_DATA, by)


@contextmanager
def _changed(what: int, by: int) -> Iterator[None]:
    """A limit of this process raised or lowered by so much; nothing where there is none."""
    moved = _move(what, by)
    try:
        yield
    finally:
        _move(what, -moved)


def _move(what: int, by: int) -> int:
    """By how much the limit was moved."""
    soft, hard = resource.getrlimit(what)
    if soft == resource.RLIM_INFINITY:
        return 0
    most = max(0, soft + by if hard == resource.RLIM_INFINITY else min(soft + by, hard))
    resource.setrlimit(what, (most, hard))
    return most - soft


@contextmanager
def _nameless() -> Iterator[BinaryIO]:
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile(prefix="rag-inside-") as named:
            yield cast(BinaryIO, named)
        return
    with open(os.memfd_create("inside", os.MFD_CLOEXEC), "wb") as file:  # noqa: PTH123 (a descriptor has no path)
        yield file
