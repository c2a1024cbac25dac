"""What was loaded of an open index: arrays of generations, rows of segments, search structures; shared by all its threads.

Knows how each is made and when it is let go; asks no question.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary, WeakValueDictionary

import apsw

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexDamaged, IndexReplaced, MovedOn
from rag.index.base import Structure
from rag.index.catalog.connection import generation_of, open_to_read, translated
from rag.index.lexical.postings import Postings
from rag.index.lexical.postings_cache import PostingsCache
from rag.index.reader.live_passages import DocumentTable, LivePassages, pin, read_documents
from rag.index.vectors.segments import Segment, read_segments
from rag.index.vectors.structures import open_structure, structure_for
from rag.index.vectors.verified_rows import VerifiedRows, open_rows


class SegmentCache:
    """Made at first need, over the connection of whoever needs it. Older generations stay while they are in use."""

    def __init__(self, folder: Path, structure: str) -> None:
        self.folder = folder
        self._structure = structure
        self._lock = threading.RLock()
        self._identity = _identity(folder)
        self._newest: LivePassages | None = None
        self._live: WeakValueDictionary[int, LivePassages] = WeakValueDictionary()  # by generation
        self._documents: WeakKeyDictionary[LivePassages, DocumentTable] = WeakKeyDictionary()
        self._rows: dict[int, VerifiedRows] = {}  # by segment
        self._structures: dict[int, Structure] = {}
        self._words = PostingsCache(folder)
        self._remarks: list[str] = []

    def refuse_replaced(self) -> None:
        """IndexReplaced where a rebuild put another folder in the place of this one, whose numbers mean other things."""
        if _identity(self.folder) != self._identity:
            raise IndexReplaced(self.folder)

    def forget(self) -> None:
        """Lets go of everything."""
        with self._lock:
            self._newest = None
            self._live.clear()
            self._rows.clear()
            self._structures.clear()
            self._words = PostingsCache(self.folder)

    def live(self, connection: apsw.Connection, generation: int) -> LivePassages:
        """The passages of a generation. MovedOn where it was compacted away."""
        with self._lock:
            found = self._live.get(generation)
            if found is None:
                found = self._live[generation] = pin(self.folder, connection, generation)
            if self._newest is None or generation > self._newest.generation:
                self._newest = found
                self._let_go()
            return found

    def documents(self, connection: apsw.Connection, live: LivePassages) -> DocumentTable:
        """The readable documents of a generation."""
        with self._lock:
            if live not in self._documents:
                self._documents[live] = read_documents(connection, live.generation)
            return self._documents[live]

    def rows(self, connection: apsw.Connection, live: LivePassages, segment: Segment, dim: int) -> VerifiedRows:
        """The rows of a segment. IndexDamaged; MovedOn where a compaction ended it and its file is gone."""
        with self._lock:
            if segment.number not in self._rows:
                with self._still_there(live.generation, segment):
                    rows = open_rows(self.folder, connection, segment, dim)
                self._rows[segment.number] = rows
            return self._rows[segment.number]

    def structures(self, connection: apsw.Connection, live: LivePassages, dim: int) -> list[Structure]:
        """The search structure of each segment of a generation. Errors as `rows`."""
        with self._lock:
            total = sum(segment.rows for segment in live.segments)
            for segment in live.segments:
                if segment.number not in self._structures:
                    rows = self.rows(connection, live, segment, dim)
                    with self._still_there(live.generation, segment):
                        structure, remarks = open_structure(rows, structure_for(self._structure, segment.rows, total))
                    self._structures[segment.number] = structure
                    self._remarks.extend(remarks)
            return [self._structures[segment.number] for segment in live.segments]

    def words(self, connection: apsw.Connection, generation: int) -> Postings | None:
        """What is kept of the common words; None where nothing is."""
        return self._words.at(connection, generation)

    def keep_words(self, connection: apsw.Connection, live: LivePassages, tell: Callable[[str], None]) -> None:
        """Makes that, where many passages of a generation are not in it."""
        self._remarks.extend(self._words.keep(connection, live.generation, live.numbers, tell))

    def remarks(self) -> tuple[str, ...]:
        """What is worth saying of how the segments were opened since this was asked last."""
        with self._lock:
            said, self._remarks = tuple(self._remarks), []
            return said

    def _let_go(self) -> None:
        """Closes the segments that compactions have ended: open, their files keep their place on disk and a descriptor each."""
        live = {segment.number for live in self._live.values() for segment in live.segments}
        for number in self._rows.keys() - live:
            del self._rows[number]
            self._structures.pop(number, None)

    @contextmanager
    def _still_there(self, generation: int, segment: Segment) -> Iterator[None]:
        """Files opened by name are those of this index, and what fails is not the file of a segment that is no more."""
        try:
            yield
        except (IndexDamaged, apsw.CorruptError) as error:
            self.refuse_replaced()
            self._refuse_ended(generation, segment, error)
            raise
        self.refuse_replaced()

    def _refuse_ended(self, generation: int, segment: Segment, error: Exception) -> None:
        """MovedOn where the newest commit does without the segment: its file may be gone, and what is kept of it."""
        with closing(open_to_read(self.folder)) as connection, translated(self.folder), connection:
            newest = generation_of(connection)
            live = {each.number for each in read_segments(connection, newest)}
        if segment.number not in live:
            raise MovedOn(self.folder, generation) from error


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode of the catalog; no other file has them while it is open. None where it is gone."""
    try:
        found = (folder / CATALOG_FILE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
