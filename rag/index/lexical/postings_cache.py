"""Keeps the postings file of an open index: opens it once, again where it was replaced, and builds it where it is out of date.

Knows the file of postings; knows no query.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.lexical.postings import Postings, build_postings, open_postings, postings_file

WORTH_KEEPING = 50_000  # passages missing in the file: their common words, looked up one by one, take 25 ms per query
_ANNOUNCE_FROM = 200_000  # passages missing in the file: a build of so many is announced
_SECONDS_PER_PASSAGE = 60e-6  # of a build


class PostingsCache:
    """The postings of one index folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: Postings | None = None
        self._file: tuple[int, int, int] | None = None  # identity of the file that was opened last
        self._checked_for = 0  # the generation it was checked for: a file of a later one cannot be verified yet

    def at(self, connection: apsw.Connection, generation: int) -> Postings | None:
        """The postings of this or an earlier generation; None where there are none."""
        with self._lock:
            found = _identity(postings_file(self._folder))
            if found != self._file or (found and self._opened is None and generation > self._checked_for):
                self._opened = open_postings(self._folder, connection, generation) if found else None
                self._file, self._checked_for = found, generation
            return self._opened if self._opened and self._opened.generation <= generation else None

    def build(
        self, connection: apsw.Connection, generation: int, numbers: NDArray[np.int64], tell: Callable[[str], None]
    ) -> tuple[str, ...]:
        """Builds the file for live passages `numbers` (int64) where enough are missing; returns a remark: what it did or why not.

        Calls `tell` before a long build.
        """
        known = self.at(connection, generation)
        missing = int(np.count_nonzero(numbers > (known.last if known else 0)))
        if missing < WORTH_KEEPING:
            return ()
        if missing >= _ANNOUNCE_FROM:
            seconds = missing * _SECONDS_PER_PASSAGE
            tell(f"indexing the common words of {missing:,} passages for fast search: about {seconds:.0f} s")
        name, started = postings_file(self._folder).name, time.monotonic()
        try:
            with connection:  # one read transaction
                build_postings(self._folder, connection, generation, numbers)
        except OSError as error:
            return (f"{name} cannot be written ({error.strerror}), so common words are looked up one by one",)
        return (f"{name} was built once for all searches, in {time.monotonic() - started:.1f} s",)


def _identity(file: Path) -> tuple[int, int, int] | None:
    """Inode, modification time and size: they change where the file is replaced or truncated. None where there is no file.

    Reading the missing part of a truncated file's mapping would kill the process.
    """
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
