"""The common words of an open index: opened once, opened anew where the file is another, made where many passages are not in it.

Knows the file of postings; knows no question.
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

WORTH_KEEPING = 50_000  # passages that are not in the file: one by one, their common words take 25 ms a query
_ANNOUNCE_FROM = 200_000  # passages that are new to it
_SECONDS_PER_PASSAGE = 60e-6  # seconds for one


class PostingsCache:
    """For several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: Postings | None = None
        self._file: tuple[int, int, int] | None = None  # which one was looked at last
        self._checked_for = 0  # the generation it was looked at for: what is of a later one is not known yet to be true

    def at(self, connection: apsw.Connection, generation: int) -> Postings | None:
        """What is kept of a generation or an earlier one; None where nothing is."""
        with self._lock:
            found = _identity(postings_file(self._folder))
            if found != self._file or (found and self._opened is None and generation > self._checked_for):
                self._opened = open_postings(self._folder, connection, generation) if found else None
                self._file, self._checked_for = found, generation
            return self._opened if self._opened and self._opened.generation <= generation else None

    def build(
        self, connection: apsw.Connection, generation: int, numbers: NDArray[np.int64], tell: Callable[[str], None]
    ) -> tuple[str, ...]:
        """Makes the file for the live passages `numbers` where it is worth it; says what was done, or why it could not be.

        Where it takes long, `tell` is told before.
        """
        known = self.at(connection, generation)
        missing = int(np.count_nonzero(numbers > (known.last if known else 0)))
        if missing < WORTH_KEEPING:
            return ()
        if missing >= _ANNOUNCE_FROM:
            tell(
                f"the common words of {missing:,} passages are kept for fast search: about {missing * _SECONDS_PER_PASSAGE:.0f} s"
            )
        name, started = postings_file(self._folder).name, time.monotonic()
        try:
            with connection:  # one moment of the catalog
                build_postings(self._folder, connection, generation, numbers)
        except OSError as error:
            return (f"{name} cannot be written ({error.strerror}), so common words are looked up one by one",)
        return (f"{name} was made once for all searches, in {time.monotonic() - started:.1f} s",)


def _identity(file: Path) -> tuple[int, int, int] | None:
    """Another file of the same name has another one; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size  # one cut short while it is mapped would end the process
