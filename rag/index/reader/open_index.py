"""Opens an index for searching: it has a connection per thread, and takes snapshots, each of one commit.

Knows how an index is opened and kept open; its queries are answered by `Snapshot`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

import apsw

from rag.errors import IndexFailure, IndexReplaced
from rag.index.catalog.connection import generation_of, open_to_read, translate_errors
from rag.index.catalog.index_folder import read_fingerprint, read_settings
from rag.index.catalog.status import IndexStatus
from rag.index.files.fill_first import ask_first
from rag.index.reader.cache import SegmentCache
from rag.index.reader.filters import Allowed
from rag.index.reader.last_moment import LastMoment
from rag.index.reader.snapshot import Snapshot
from rag.index.vectors.structures import AUTO, COARSE_UP_TO, known_structure
from rag.types import Fingerprint

__all__ = ["Allowed", "IndexStatus", "OpenIndex", "open_index"]


def open_index(folder: Path, structure: str = AUTO) -> OpenIndex:
    """Opens an index for searching. IndexNotFound, IndexTooNew, IndexTooOld, IndexDamaged; WrongRequest: unknown structure."""
    return OpenIndex(folder, known_structure(structure))


class OpenIndex(LastMoment):
    """An open index folder. Several threads may search at once, each over its own connection.

    Every query goes through a `snapshot` of the last commit. `generation` is the newest commit that this reader has seen. Arrays
    and segments are loaded at first use and shared by all snapshots.
    """

    def __init__(self, folder: Path, structure: str) -> None:
        self.folder = self.derived = folder
        self.name = folder.absolute().name
        self._local = threading.local()
        self._connections: WeakSet[apsw.Connection] = WeakSet()  # each belongs to its thread, and is dropped with it
        self._lock = threading.Lock()
        self._closed = False
        self._cache = SegmentCache(folder, structure)
        try:
            with self._reading() as connection:
                self.fingerprint: Fingerprint = read_fingerprint(folder, connection)
                self.settings: Mapping[str, str] = read_settings(connection)
                self.generation = generation_of(connection)
        except IndexFailure:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connections of all threads. No thread may be searching."""
        with self._lock:
            self._closed = True
            for connection in list(self._connections):
                connection.close()
            self._connections.clear()
        self._cache.clear()

    def refresh(self) -> bool:
        """Looks for the last commit; True where `generation` changed.

        IndexReplaced where the folder was rebuilt since it was opened. A search that needs a file not yet open raises it too.
        """
        self._cache.refuse_replaced()
        with self._reading() as connection:
            newest = generation_of(connection)
            if newest != self.generation and read_fingerprint(self.folder, connection) != self.fingerprint:
                raise IndexReplaced(self.folder)
        if newest < self.generation:  # the catalog was restored from a backup
            self._cache.clear()
        moved, self.generation = newest != self.generation, newest
        return moved

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The last commit, unchanged for the duration of the `with`. Keep it short, and call no model in it.

        While it is open, the writer's log cannot be reset. MovedOn where a segment that was not open yet has been compacted away
        since: take another snapshot. IndexReplaced where a file is needed after a rebuild, or the vectors were made anew.
        """
        with self._reading() as connection, connection:
            generation = generation_of(connection)  # the first query fixes what all others see
            if generation != self.generation and read_fingerprint(self.folder, connection) != self.fingerprint:
                raise IndexReplaced(self.folder)
            self.generation = max(self.generation, generation)
            yield Snapshot(self.name, self.fingerprint, self._cache, connection, generation)

    def preload(self) -> None:
        """Loads what the first search would load, so that it need not wait and failures show early."""
        with self.snapshot() as snapshot:
            snapshot.preload()

    def build_postings(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Builds the postings of a large index where many passages are not in them. Calls `tell` before a long build."""
        with self.snapshot() as snapshot:
            snapshot.build_postings(tell)

    def ask_first(self, passages: Sequence[int]) -> None:
        """Notes passages that a further model lacks, for the next fill. Nothing where the index is read-only."""
        ask_first(self.folder, passages)

    def look_again(self) -> None:
        """Nothing: `refresh` sees every commit at once."""

    def remarks(self) -> tuple[str, ...]:
        """Remarks on how segments were opened, such as which files were built; each is returned once."""
        return self._cache.remarks()

    @property
    def scannable(self) -> bool:
        """Whether there are few enough vectors to scan them: what such a search needs is built in seconds."""
        with self.snapshot() as snapshot:
            return sum(segment.rows for segment in snapshot.live.segments) <= COARSE_UP_TO

    # ---- connections ------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with translate_errors(self.folder):
            yield self._connection()

    def _connection(self) -> apsw.Connection:
        if self._closed:
            raise IndexFailure(f"{self.folder} was closed", remedy="open it again")
        if not hasattr(self._local, "connection"):
            connection = open_to_read(self.folder)
            self._cache.refuse_replaced()
            with self._lock:
                self._connections.add(connection)
            self._local.connection = connection
        found: apsw.Connection = self._local.connection
        return found
