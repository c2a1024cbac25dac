"""Passages that searches showed and a further model lacks, in a small file beside the catalog: a fill makes these first.

Knows numbers of passages; knows no query, and none is kept. What is lost here costs order only, so nothing is synced or locked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

FILE = "fill.first"
MOST = 4_096  # passages that the file holds; the one that would be more begins it anew


def ask_first(folder: Path, passages: Sequence[int]) -> None:
    """Appends passages. Nothing where the folder cannot be written: a read-only index is filled by date alone."""
    if not passages:
        return
    with suppress(OSError):
        descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            if os.fstat(descriptor).st_size > 8 * (MOST - len(passages)):
                os.ftruncate(descriptor, 0)
            os.write(descriptor, np.asarray(passages[:MOST], "<i8").tobytes())
        finally:
            os.close(descriptor)


def take_asked(folder: Path) -> list[int]:
    """The passages, each once, the latest search first, and removes the file. Any number may stand there: compare them."""
    file = folder / FILE
    try:
        content = file.read_bytes()
        file.unlink()
    except OSError:
        return []
    found = np.frombuffer(content[: len(content) // 8 * 8], "<i8").tolist()
    return list(dict.fromkeys(reversed(found)))
