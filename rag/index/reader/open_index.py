"""An index opened for searching: a connection for each thread, and moments of it, each one commit.

Knows how an index is opened and kept open; what is asked of it is answered by `Snapshot`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from weakref import WeakSet

import apsw

from rag.errors import IndexFailure
from rag.index.catalog.connection import generation_of, open_to_read, translated
from rag.index.catalog.index_folder import read_fingerprint, read_settings
from rag.index.catalog.status import IndexStatus
from rag.index.reader.cache import SegmentCache
from rag.index.reader.filters import Allowed
from rag.index.reader.snapshot import Snapshot
from rag.index.vectors.structures import AUTO, COARSE_UP_TO, known_structure
from rag.types import Fingerprint, StoredPassage

__all__ = ["Allowed", "IndexStatus", "OpenIndex", "open_index"]


def open_index(folder: Path, structure: str = AUTO) -> OpenIndex:
    """Opens an index for searching. IndexNotFound, IndexTooNew, IndexDamaged, WrongRequest (no such structure)."""
    return OpenIndex(folder, known_structure(structure))


class OpenIndex:
    """An index folder, open. Several threads may search at once, each over a connection of its own.

    `snapshot` is for questions that belong together. The methods that ask one question each answer it from the `generation` that
    is pinned, which `refresh` and `snapshot` move on; where the index is compacted between two of them, the second is MovedOn.
    Arrays and segments are loaded at first need.
    """

    def __init__(self, folder: Path, structure: str) -> None:
        self.folder = folder
        self.name = folder.absolute().name
        self._own = threading.local()
        self._connections: WeakSet[apsw.Connection] = WeakSet()  # each belongs to its thread, and goes with it
        self._lock = threading.Lock()
        self._closed = False
        self._loaded = SegmentCache(folder, structure)
        try:
            with self._reading() as connection:
                self.fingerprint: Fingerprint = read_fingerprint(folder, connection)
                self.settings: Mapping[str, str] = read_settings(connection)
                self.generation = generation_of(connection)
        except IndexFailure:
            self.close()
            raise

    def __enter__(self) -> OpenIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections of all threads; none may be searching."""
        with self._lock:
            self._closed = True
            for connection in list(self._connections):
                connection.close()
            self._connections.clear()
        self._loaded.forget()

    def refresh(self) -> bool:
        """Moves on to the last commit; True where there was a newer one. `Allowed` values made before hold passages by number.

        IndexReplaced where the folder was rebuilt since it was opened; so does every search that needs a file not yet open.
        """
        self._loaded.refuse_replaced()
        with self._reading() as connection:
            newest = generation_of(connection)
        if newest < self.generation:  # the catalog was put back from a copy
            self._loaded.forget()
        moved, self.generation = newest != self.generation, newest
        return moved

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The last commit, for all that is asked within the `with`: one answer. Keep it short, and call no model in it.

        While it lasts, the writer's log cannot start anew. MovedOn where a segment that is not open yet was compacted away since
        the moment began: begin another one. IndexReplaced where one was needed after a rebuild.
        """
        with self._reading() as connection, connection:
            generation = generation_of(connection)  # the first question fixes what all others see
            self.generation = max(self.generation, generation)
            yield Snapshot(self.name, self.fingerprint, self._loaded, connection, generation)

    def ready(self) -> None:
        """Opens what the first search would open: for those who want to know before it, or not to wait then."""
        with self.snapshot() as snapshot:
            snapshot.ready()

    def keep_words(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Keeps the common words of a large index as arrays, where many passages are not in them; tells before what is long."""
        with self.snapshot() as snapshot:
            snapshot.keep_words(tell)

    def remarks(self) -> tuple[str, ...]:
        """What is worth saying of how the segments were opened since this was asked last."""
        return self._loaded.remarks()

    @property
    def scanned(self) -> bool:
        """Whether the vectors are few enough to be scanned: what such a search needs is made in seconds."""
        with self.snapshot() as snapshot:
            return sum(segment.rows for segment in snapshot.live.segments) <= COARSE_UP_TO

    # ---- one question each, of the last commit ----------------------------------------------------

    def by_id(self, short_id: str) -> StoredPassage | None:
        """As `Snapshot.by_id`."""
        with self.snapshot() as snapshot:
            return snapshot.by_id(short_id)

    def roots(self) -> dict[str, Path]:
        """As `Snapshot.roots`."""
        with self.snapshot() as snapshot:
            return snapshot.roots()

    def status(self) -> IndexStatus:
        """As `Snapshot.status`."""
        with self.snapshot() as snapshot:
            return snapshot.status()

    # ---- connections ------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with translated(self.folder):
            yield self._connection()

    def _connection(self) -> apsw.Connection:
        if self._closed:
            raise IndexFailure(f"{self.folder} was closed", remedy="open it again")
        if not hasattr(self._own, "connection"):
            connection = open_to_read(self.folder)
            self._loaded.refuse_replaced()
            with self._lock:
                self._connections.add(connection)
            self._own.connection = connection
        found: apsw.Connection = self._own.connection
        return found
