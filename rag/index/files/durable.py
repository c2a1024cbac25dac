"""Writes files and folder entries so that they survive a power cut.

Knows nothing of their content. Raises OSError: the caller knows which folder to name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

_FULL_FSYNC = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves data in the drive's cache


def sync(descriptor: int) -> None:
    """Waits until the bytes of an open file are on the storage device."""
    if _FULL_FSYNC is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL_FSYNC)


def sync_folder(folder: Path) -> None:
    """Waits until the entries of `folder` are on the storage device."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(file: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Writes to a temporary name, syncs, renames, syncs the folder: `file` is there complete or not at all. OSError."""
    temporary = file.with_name(file.name + ".new")
    with temporary.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)
        out.flush()
        sync(out.fileno())
    temporary.rename(file)
    sync_folder(file.parent)
