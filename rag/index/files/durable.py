"""Makes files and folder entries outlive a power cut.

Knows nothing of what is in them. Errors are OSError: the caller knows which folder to name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

_FULL = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the drive's own cache


def sync(descriptor: int) -> None:
    """Waits until the bytes of an open file are on the medium."""
    if _FULL is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL)


def sync_folder(folder: Path) -> None:
    """Waits until the names in `folder` are on the medium."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(file: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Writes to a temporary name, syncs, renames, syncs the folder: `file` is there whole or not at all."""
    temporary = file.with_name(file.name + ".new")
    with temporary.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)
        out.flush()
        sync(out.fileno())
    temporary.rename(file)
    sync_folder(file.parent)
