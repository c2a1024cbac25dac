"""Which document is read next while the walk goes on: documents that show pictures before the pictures themselves.

Knows what the walk finds and what has changed; opens no file.
"""

from __future__ import annotations

import marshal
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator

from rag.corpus.file_types import PICTURE_SUFFIXES, shows_pictures, suffix_of
from rag.corpus.walk import FileEntry
from rag.indexing.scan import ChangeDetector, ScanBatch
from rag.indexing.tally import RunTally

PATIENCE = 1.0  # seconds that pictures wait, where there is nothing else to read, for what may yet be said of them


class ReadQueue:
    """The documents of one target still to be read. Only for the writer thread."""

    def __init__(self, changes: ChangeDetector, tally: RunTally) -> None:
        self._changes, self._tally = changes, tally
        self._show, self._others, self._pictures = PackedQueue(), PackedQueue(), PackedQueue()
        self._walked = False
        self._began = time.monotonic()
        self.early: set[str] = set()  # paths of pictures that were given before it was known what is said of them

    def accept(self, bunch: ScanBatch) -> None:
        """Queues what has to be read of a batch of the walk. RuntimeError if the walk ended with an unexpected error."""
        if bunch.is_broken:
            raise RuntimeError("the thread that walks the folders ended; its error is above")
        found = [change.found for change in map(self._changes.classify, bunch.seen) if change is not None]
        for one in found:
            self._place(one).add(one)
        self._walked |= bunch.is_last
        self._tally.expect(found)
        if self._walked:
            self._tally.end_walk()

    def before_pictures(self, is_being_told: Callable[[], bool]) -> Iterator[FileEntry | None]:
        """What is read until the walk has ended and all was read that says something of pictures; None: nothing just now.

        `is_being_told` says whether such a document is under way. A folder of pictures on a slow disk does not wait for its end:
        of a picture that was `early`, and of which something is said later, the next reading counts.
        """
        while self._show or not self._walked or is_being_told():
            found = self._show.take() or self._others.take()
            if found is None and not self._walked and time.monotonic() - self._began > PATIENCE:
                found = self._pictures.take()
                if found is not None:
                    self.early.add(found.path)
            yield found

    def rest(self) -> Iterator[FileEntry]:
        """Everything else, by path."""
        while True:
            other, picture = self._others.next, self._pictures.next
            first = self._others if picture is None or (other is not None and other.path < picture.path) else self._pictures
            found = first.take()
            if found is None:
                return
            yield found

    def gone(self) -> list[str]:
        """The documents that are not there any more; to be asked when the walk has ended."""
        return self._changes.gone()

    def _place(self, found: FileEntry) -> PackedQueue:
        if shows_pictures(found.path):
            return self._show
        return self._pictures if suffix_of(found.path) in PICTURE_SUFFIXES else self._others


PACK = 1_000  # documents packed together
OPEN = 2 * PACK  # documents at each end that are as they are


class PackedQueue:
    """First come, first read."""

    def __init__(self) -> None:
        self._first: deque[FileEntry] = deque()
        self._packed: deque[bytes] = deque()
        self._last: list[FileEntry] = []  # come after those that are packed

    def __bool__(self) -> bool:
        return bool(self._first or self._packed or self._last)

    def add(self, found: FileEntry) -> None:
        """One more, the last to be read."""
        if not self._packed and not self._last and len(self._first) < OPEN:
            self._first.append(found)
            return
        self._last.append(found)
        if len(self._last) >= OPEN:
            self._packed.append(_packed(self._last[:PACK]))
            del self._last[:PACK]

    @property
    def next(self) -> FileEntry | None:
        """The next to be read, which stays; None where none waits."""
        if not self._first and self._packed:
            self._first.extend(_unpacked(self._packed.popleft()))
        elif not self._first:
            self._first.extend(self._last)
            self._last.clear()
        return self._first[0] if self._first else None

    def take(self) -> FileEntry | None:
        """The next to be read, which waits no more; None where none waits."""
        return None if self.next is None else self._first.popleft()


def _packed(some: list[FileEntry]) -> bytes:
    return zlib.compress(marshal.dumps([tuple(found) for found in some]), 1)


def _unpacked(packed: bytes) -> list[FileEntry]:
    return [FileEntry(*found) for found in marshal.loads(zlib.decompress(packed))]
