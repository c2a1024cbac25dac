"""An index opened for searching: one pinned generation, its two lanes and its passages.

Knows the parts of this room; knows no model and no corpus.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from weakref import WeakSet

import apsw
import numpy as np

from rag.errors import BackendError, IndexFailure, IndexReplaced
from rag.index import catalog, dense, filters, lexical, stored
from rag.index.base import Structure
from rag.index.filters import Allowed
from rag.index.folder import read_fingerprint, read_settings
from rag.index.pinned import DocumentTable, Pinned, pin, read_documents
from rag.index.questions import understand
from rag.index.schema import COLUMNS
from rag.index.segments import Segment
from rag.index.status import IndexStatus, read_roots, read_status
from rag.index.structures import AUTO, COARSE_UP_TO, known_structure, open_structure, structure_for
from rag.index.trusted import TrustedRows, open_rows
from rag.types import Filters, Fingerprint, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors

__all__ = ["Allowed", "IndexStatus", "OpenIndex", "open_index"]


def open_index(folder: Path, structure: str = AUTO) -> OpenIndex:
    """Opens an index for searching. IndexNotFound, IndexTooNew, IndexDamaged, WrongRequest (no such structure)."""
    return OpenIndex(folder, known_structure(structure))


class OpenIndex:
    """A generation of an index. Writers go on meanwhile; what they add is seen after `refresh`.

    Several threads may search at once, each over a connection of its own. Arrays and segments are loaded at first need.
    """

    def __init__(self, folder: Path, structure: str) -> None:
        self.folder = folder
        self.name = folder.absolute().name
        self._structure = structure
        self._own = threading.local()
        self._connections: WeakSet[apsw.Connection] = WeakSet()  # each belongs to its thread, and goes with it
        self._lock = threading.RLock()
        self._closed = False
        self._pinned: Pinned | None = None
        self._documents: DocumentTable | None = None
        self._structures: dict[int, Structure] = {}
        self._remarks: list[str] = []
        self._rows: dict[int, TrustedRows] = {}
        self._identity = _identity(folder)
        try:
            with self._reading() as connection:
                self.fingerprint: Fingerprint = read_fingerprint(folder, connection)
                self.settings: Mapping[str, str] = read_settings(connection)
                self.generation = catalog.generation_of(connection)
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
            self._structures.clear()
            self._rows.clear()

    def refresh(self) -> bool:
        """Moves on to the last commit; True where there was a newer one. `Allowed` values made before hold passages by number.

        IndexReplaced where the folder was rebuilt since it was opened; so does every search that needs a file not yet open.
        """
        self._refuse_replaced()
        with self._reading() as connection, self._lock:
            newest = catalog.generation_of(connection)
            if newest == self.generation:
                return False
            self.generation, self._pinned, self._documents = newest, None, None
            return True

    def matching(self, wanted: Filters) -> Allowed | None:
        """The passages the filters allow; None where that is every live one."""
        return filters.matching(self._pin(), self._document_table, wanted)

    def everything(self) -> Allowed:
        """Every live passage."""
        return Allowed(self._pin().numbers)

    def nearest(self, vectors: Vectors, k: int, within: Allowed | None = None) -> list[list[tuple[int, float]]]:
        """For each row of `vectors` (queries, dim) the k nearest live passages as (number, inner product).

        Larger first, equal scores by smaller number; passages with one vector all count; exactly k where k are allowed.
        BackendError where a query is not finite, IndexDamaged where a segment is not what was written.
        """
        queries = self._checked(vectors)
        pinned = self._pin()
        reachable = pinned.everything if within is None else pinned.only(filters.kept_of(pinned, within))
        return dense.nearest(reachable, self._open_structures(pinned), queries, k)

    def nearest_by_kind(
        self, vectors: Vectors, k: int, promised: int, within: Allowed | None = None
    ) -> list[list[tuple[int, float]]]:
        """As `nearest`, and with them the `promised` nearest of each kind, in one order: the price is that of one search."""
        queries = self._checked(vectors)
        pinned = self._pin()
        kinds = pinned.kinds_apart if within is None else pinned.apart(filters.kept_of(pinned, within))
        return dense.nearest_apart(kinds, self._open_structures(pinned), queries, k, promised)

    @property
    def scanned(self) -> bool:
        """Whether the vectors are few enough to be scanned: what such a search needs is made in seconds."""
        return sum(segment.rows for segment in self._pin().segments) <= COARSE_UP_TO

    def ready(self) -> None:
        """Opens what the first search would open: for those who want to know before it, or not to wait then."""
        pinned = self._pin()
        self._open_structures(pinned)
        _ = pinned.everything

    def remarks(self) -> tuple[str, ...]:
        """What is worth saying of how the segments were opened since this was asked last."""
        with self._lock:
            said, self._remarks = tuple(self._remarks), []
            return said

    def meeting(self, words: str, within: Allowed | None = None) -> Allowed | None:
        """Of `within`, the passages that hold every quoted phrase of a query and none of its unwanted words, for both lanes."""
        question = understand(words)
        if not question.demanded and not question.unwanted:
            return within
        live = self._pin().numbers if within is None else within.numbers
        with self._reading() as connection:
            return Allowed(lexical.meeting(connection, question, live))

    def containing(
        self, words: str, k: int, within: Allowed | None = None, columns: Sequence[str] = COLUMNS
    ) -> list[tuple[int, float, float]]:
        """The k passages that hold the words best, as (number, score, share), larger better; `rag.index.lexical` says how."""
        pinned = self._pin()
        allowed = pinned.numbers if within is None else pinned.numbers[filters.kept_of(pinned, within)]
        with self._reading() as connection:
            return lexical.containing(connection, words, k, allowed, len(pinned.numbers), columns)

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages of these numbers, in the order asked."""
        with self._reading() as connection:
            return stored.read_passages(connection, numbers)

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage of that short id."""
        with self._reading() as connection:
            return stored.read_by_id(connection, self.generation, short_id)

    def neighbours(self, number: int, reach: int = 1) -> list[StoredPassage]:
        """The passages of the same document up to `reach` places before and after it, in order, without itself."""
        with self._reading() as connection:
            return stored.read_neighbours(connection, self.generation, number, reach)

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of live passages, float32 (n, dim), in the order asked."""
        pinned = self._pin()
        places = pinned.places(np.asarray(numbers, np.int64))
        if (places < 0).any():
            raise IndexFailure(f"not all of these passages are live at generation {pinned.generation}", remedy="search again")
        wanted = pinned.vectors[places]
        found = np.empty((len(wanted), self.fingerprint.dim), np.float32)
        for segment in pinned.segments:
            here = np.flatnonzero((wanted >= segment.first) & (wanted < segment.first + segment.rows))
            if len(here):
                found[here] = self._trusted(segment).take(wanted[here] - segment.first)
        return found

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """In how many live passages each word stands, and how many live passages there are."""
        with self._reading() as connection:
            return lexical.document_frequencies(connection, words), len(self._pin().numbers)

    def roots(self) -> dict[str, Path]:
        """The roots by name, with the folder of each."""
        with self._reading() as connection:
            return read_roots(connection, self.generation)

    def status(self) -> IndexStatus:
        """What the index holds, counted."""
        with self._reading() as connection:
            return read_status(self.folder, connection, self.generation)

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with catalog.translated(self.folder):
            yield self._connection()

    def _connection(self) -> apsw.Connection:
        if self._closed:
            raise IndexFailure(f"{self.folder} was closed", remedy="open it again")
        if not hasattr(self._own, "connection"):
            connection = catalog.open_to_read(self.folder)
            self._refuse_replaced()
            with self._lock:
                self._connections.add(connection)
            self._own.connection = connection
        found: apsw.Connection = self._own.connection
        return found

    def _refuse_replaced(self) -> None:
        """A rebuild puts another folder in the place of this one, whose numbers mean other passages and vectors."""
        if _identity(self.folder) != self._identity:
            raise IndexReplaced(self.folder)

    def _pin(self) -> Pinned:
        with self._lock, self._reading() as connection:
            pinned = self._pinned
            if pinned is None:
                pinned = self._pinned = pin(self.folder, connection, self.generation)
                self._let_go({segment.number for segment in pinned.segments})
            return pinned

    def _let_go(self, live: Set[int]) -> None:
        """Closes the segments that compactions have ended: open, their files keep their place on disk and a descriptor each."""
        for number in self._rows.keys() - live:
            del self._rows[number]
            self._structures.pop(number, None)

    def _document_table(self) -> DocumentTable:
        with self._lock, self._reading() as connection:
            if self._documents is None:
                self._documents = read_documents(connection, self.generation)
            return self._documents

    def _checked(self, vectors: Vectors) -> Vectors:
        queries = np.ascontiguousarray(np.atleast_2d(vectors), np.float32)
        if queries.shape[1] != self.fingerprint.dim or not np.isfinite(queries).all():
            what = f"a query needs {self.fingerprint.dim} finite numbers; the model gave {queries.shape[1]}, or some not finite"
            raise BackendError(what, remedy="query with the model the index was made with")
        return queries

    def _open_structures(self, pinned: Pinned) -> list[Structure]:
        with self._lock:
            total = sum(segment.rows for segment in pinned.segments)
            for segment in pinned.segments:
                if segment.number not in self._structures:
                    rows = self._trusted(segment)
                    structure, remarks = open_structure(rows, structure_for(self._structure, segment.rows, total))
                    self._refuse_replaced()
                    self._structures[segment.number] = structure
                    self._remarks.extend(remarks)
            return [self._structures[segment.number] for segment in pinned.segments]

    def _trusted(self, segment: Segment) -> TrustedRows:
        with self._lock, self._reading() as connection:
            if segment.number not in self._rows:
                rows = open_rows(self.folder, connection, segment, self.fingerprint.dim)
                self._refuse_replaced()
                self._rows[segment.number] = rows
            return self._rows[segment.number]


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode of the catalog; no other file has them while it is open. None where it is gone."""
    try:
        found = (folder / catalog.FILE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
