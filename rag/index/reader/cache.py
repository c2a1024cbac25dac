"""Caches what an open index has loaded: live passages, segment rows, search structures, postings. Shared by all its threads.

Knows how each is loaded and when it is released; answers no query.
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
from rag.index.base import Segment, Structure
from rag.index.catalog.connection import compacted_of, generation_of, open_to_read, translate_errors
from rag.index.lexical.phrase_postings import PhrasePostings
from rag.index.lexical.postings import Postings
from rag.index.lexical.postings_cache import PostingsCache
from rag.index.lexical.words_within import CountsWithin
from rag.index.reader.live_passages import (
    DocumentTable,
    InnerPaths,
    LivePassages,
    read_documents,
    read_inner_paths,
    read_live_in_space,
    read_live_passages,
)
from rag.index.reader.members import Members, read_members
from rag.index.vectors.segments import read_segment_numbers, read_segments
from rag.index.vectors.structures import open_structure, structure_for
from rag.index.vectors.verified_rows import VerifiedRows, open_rows

_MOST_LIMITS = 16  # sets of roots whose words are kept counted


class SegmentCache:
    """Loads at first use, over the caller's connection. An older generation stays while a snapshot uses it. Thread-safe."""

    def __init__(self, folder: Path, structure: str) -> None:
        self.folder = folder
        self._structure = structure
        self._lock = threading.RLock()
        self._identity = _identity(folder)
        self._newest: LivePassages | None = None
        self._live: WeakValueDictionary[int, LivePassages] = WeakValueDictionary()  # by generation
        self._spaces: WeakKeyDictionary[LivePassages, dict[int, LivePassages]] = WeakKeyDictionary()  # by number of the space
        self._members: dict[int, Members] = {}  # by number of the space: at the newest generation that was asked
        self._documents: WeakKeyDictionary[LivePassages, DocumentTable] = WeakKeyDictionary()
        self._inner_paths: WeakKeyDictionary[LivePassages, InnerPaths] = WeakKeyDictionary()
        self._rows: dict[int, VerifiedRows] = {}  # by segment
        self._structures: dict[int, Structure] = {}
        self._postings = PostingsCache(folder)
        self._phrases: WeakKeyDictionary[LivePassages, PhrasePostings] = WeakKeyDictionary()
        self._words: WeakKeyDictionary[LivePassages, dict[frozenset[str], CountsWithin]] = WeakKeyDictionary()  # by their roots
        self._remarks: list[str] = []

    def refuse_replaced(self) -> None:
        """IndexReplaced where a rebuild has replaced the folder: the numbers of the new index mean other passages."""
        if _identity(self.folder) != self._identity:
            raise IndexReplaced(self.folder)

    def clear(self) -> None:
        """Releases everything."""
        with self._lock:
            self._newest = None
            self._live.clear()
            self._members.clear()
            self._rows.clear()
            self._structures.clear()
            self._postings = PostingsCache(self.folder)

    def live(self, connection: apsw.Connection, generation: int) -> LivePassages:
        """The live passages of a generation."""
        with self._lock:
            found = self._live.get(generation)
            if found is None:
                found = self._live[generation] = read_live_passages(self.folder, connection, generation)
            if self._newest is None or generation > self._newest.generation:
                self._newest = found
                self._close_ended_segments(read_segment_numbers(connection, generation))
            return found

    def live_in(self, connection: apsw.Connection, live: LivePassages, space: int) -> LivePassages:
        """Those of the live passages that have a vector in a further space, with their vectors there."""
        with self._lock:
            known = self._spaces.setdefault(live, {})
            if space not in known:
                before = self._members.get(space)
                compacted = compacted_of(connection)
                members = read_members(self.folder, connection, space, live.generation, compacted, before)
                if before is None or before.generation <= live.generation:
                    self._members[space] = members
                known[space] = read_live_in_space(connection, live, space, members)
            return known[space]

    def documents(self, connection: apsw.Connection, live: LivePassages) -> DocumentTable:
        """The readable documents of a generation."""
        with self._lock:
            if live not in self._documents:
                self._documents[live] = read_documents(connection, live.generation)
            return self._documents[live]

    def inner_paths(self, connection: apsw.Connection, live: LivePassages) -> InnerPaths:
        """The passages of files inside documents."""
        with self._lock:
            if live not in self._inner_paths:
                self._inner_paths[live] = read_inner_paths(connection)
            return self._inner_paths[live]

    def rows(self, connection: apsw.Connection, live: LivePassages, segment: Segment, dim: int) -> VerifiedRows:
        """The rows of a segment. IndexDamaged; MovedOn where a compaction ended it and its file was deleted."""
        with self._lock:
            if segment.number not in self._rows:
                with self._rejecting_stale(live.generation, segment):
                    rows = open_rows(self.folder, connection, segment, dim)
                self._rows[segment.number] = rows
            return self._rows[segment.number]

    def structures(self, connection: apsw.Connection, live: LivePassages, dim: int) -> list[Structure]:
        """The search structure of each segment of a generation, in order. Raises as `rows`."""
        with self._lock:
            total = sum(segment.rows for segment in live.segments)
            for segment in live.segments:
                if segment.number not in self._structures:
                    rows = self.rows(connection, live, segment, dim)
                    with self._rejecting_stale(live.generation, segment):
                        structure, remarks = open_structure(rows, structure_for(self._structure, segment.rows, total))
                    self._structures[segment.number] = structure
                    self._remarks.extend(remarks)
            return [self._structures[segment.number] for segment in live.segments]

    def postings(self, connection: apsw.Connection, generation: int) -> Postings | None:
        """The stored postings of the common words; None where there are none."""
        return self._postings.at(connection, generation)

    def phrases(self, live: LivePassages) -> PhrasePostings:
        """The postings read from the full text so far, at this generation."""
        with self._lock:
            if live not in self._phrases:
                self._phrases[live] = PhrasePostings(live.mean_length)
            return self._phrases[live]

    def words_within(self, live: LivePassages, roots: frozenset[str], count: Callable[[], CountsWithin]) -> CountsWithin:
        """What was counted so far of the words of these roots, at this generation; `count` begins it."""
        with self._lock:
            known = self._words.setdefault(live, {})
            if roots not in known:
                while len(known) >= _MOST_LIMITS:
                    del known[next(iter(known))]
                known[roots] = count()
            return known[roots]

    def build_postings(self, connection: apsw.Connection, live: LivePassages, tell: Callable[[str], None]) -> None:
        """Builds the postings where many passages of a generation are not in them. Calls `tell` before a long build."""
        self._remarks.extend(self._postings.build(connection, live.generation, live.numbers, tell))

    def remarks(self) -> tuple[str, ...]:
        """Remarks on how segments were opened, such as which files were built; each is returned once."""
        with self._lock:
            remarks, self._remarks = tuple(self._remarks), []
            return remarks

    def _close_ended_segments(self, newest: frozenset[int]) -> None:
        """Closes segments that no live generation uses: while open, each keeps its deleted file on disk and a file descriptor.

        `newest` are those of every space at the newest one.
        """
        every = [each for live in self._live.values() for each in (live, *self._spaces.get(live, {}).values())]
        live = newest | {segment.number for live in every for segment in live.segments}
        for number in self._rows.keys() - live:
            del self._rows[number]
            self._structures.pop(number, None)

    @contextmanager
    def _rejecting_stale(self, generation: int, segment: Segment) -> Iterator[None]:
        """Checks that a file opened by name belongs to this index, and that no failure is due to a compacted segment."""
        try:
            yield
        except (IndexDamaged, apsw.CorruptError) as error:
            self.refuse_replaced()
            self._refuse_ended(generation, segment, error)
            raise
        self.refuse_replaced()

    def _refuse_ended(self, generation: int, segment: Segment, error: Exception) -> None:
        """MovedOn where the newest commit no longer has the segment: its file and its checksums may be deleted."""
        with closing(open_to_read(self.folder)) as connection, translate_errors(self.folder), connection:
            newest = generation_of(connection)
            live = {each.number for each in read_segments(connection, newest, segment.space)}
        if segment.number not in live:
            raise MovedOn(self.folder, generation) from error


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode of the catalog, unique while it is open. None where it is gone."""
    try:
        found = (folder / CATALOG_FILE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
