"""Opens an index in Milvus for searching, and takes snapshots: moments with one guarantee timestamp each.

Knows how an index is kept open; its queries are answered by `MilvusSnapshot`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from rag.errors import IndexFailure, IndexNotFound, IndexReplaced
from rag.index.catalog.spaces import Space
from rag.index.files.fill_first import ask_first
from rag.index.milvus.building import explaining
from rag.index.milvus.engine import NEWEST, Engine, at_least, now
from rag.index.milvus.facts import Facts, read_facts
from rag.index.milvus.notes import Notes
from rag.index.milvus.numbers import Numbers
from rag.index.milvus.sets import standing
from rag.index.milvus.snapshot import MilvusSnapshot
from rag.index.milvus.vocabulary import COUNTED, Vocabulary
from rag.index.reader.last_moment import LastMoment
from rag.types import Fingerprint

UNFINISHED = 30.0  # seconds between counts of words while a commit goes on, or was killed
AGAIN = 0.2  # seconds in which the facts are not read again: a query takes two moments
STALE = 2.0  # seconds: later moments may be so old, and then wait for no tick of the server's clock

MOST_COUNTED = 8  # selections of passages whose words are kept counted


class Counted(NamedTuple):
    """The words of some passages, and when they were counted."""

    generation: int
    at: float  # seconds since the epoch
    words: Vocabulary


class OpenMilvus(LastMoment):
    """As `OpenedIndex`. The first moment sees all that was written before; later ones may be `STALE`."""

    def __init__(self, engine: Engine, name: str, stem: str, facts: Facts, counted: int = COUNTED) -> None:
        """`stem` is that of the set of collections that stands."""
        self.engine, self.name, self.folder, self.derived = engine, name, engine.address.shown, engine.address.derived
        self.stem = stem
        self.fingerprint: Fingerprint = facts.fingerprint
        self.settings: Mapping[str, str] = facts.settings
        self.generation = facts.generation
        self.numbers = Numbers()
        self._facts = facts
        self._notes, self._leases = Notes(engine, stem), Notes(engine, name)
        self._counted = counted
        self._is_first = True
        self._seen = 0.0  # when the facts were last read and were as they should be
        self._vocabularies: dict[str, Counted] = {}  # by what selects the passages
        self._lock = threading.Lock()

    def close(self) -> None:
        """The connection stays: others may use it, and it ends with the process."""

    def refresh(self) -> bool:
        """Looks for the last commit, unless a moment of less than `STALE` ago did; True where `generation` changed.

        IndexReplaced where the index was made anew, IndexNotFound where it is gone.
        """
        if now() - self._seen < STALE and not self._is_first:
            return False
        before = self.generation
        with self.snapshot() as snapshot:
            return snapshot.generation != before

    def look_again(self) -> None:
        """The next moment waits for all that was written before it."""
        self._is_first = True

    @contextmanager
    def snapshot(self) -> Iterator[MilvusSnapshot]:
        """A moment. What others commit while it lasts may show, a document at a time. IndexReplaced, IndexNotFound.

        Where something is missing in the moment because another set of collections stands meanwhile, it is IndexReplaced as well;
        IndexBuilding where it fails because another kind of index is built.
        """
        started = now()
        first, self._is_first = self._is_first, False
        moment: Mapping[str, Any] = at_least(started if first else started - STALE)
        try:
            if first or started - self._seen > AGAIN:
                self._facts = self._read_facts(NEWEST if first else moment)
                self._seen = started
                self.generation = max(self.generation, self._facts.generation)
            with explaining(self._notes, self._leases, self.folder):
                yield MilvusSnapshot(self, self._facts, moment)
        except IndexFailure as error:
            if isinstance(error, IndexReplaced) or not self._is_replaced():
                raise
            raise self._replaced() from error

    def _read_facts(self, moment: Mapping[str, Any]) -> Facts:
        facts = read_facts(self._notes, self.folder, moment)
        if facts is None:
            self._seen = 0.0
            raise IndexNotFound(self.folder)
        if facts.fingerprint != self.fingerprint or (facts.successor and self._is_replaced()):
            raise self._replaced()
        return facts

    def _is_replaced(self) -> bool:
        """Whether another set stands; False where that cannot be read."""
        with suppress(IndexFailure):
            return standing(self.engine, self.name) != self.stem
        return False

    def _replaced(self) -> IndexReplaced:
        """The error; the facts are read again by the next moment."""
        self._seen, self._is_first = 0.0, True
        return IndexReplaced(self.folder)

    def vocabulary(self, snapshot: MilvusSnapshot, expression: str = "") -> Vocabulary:
        """The words of the passages that an expression selects at the generation of a snapshot.

        Counted once for each generation, more often while a commit goes on.
        """
        with self._lock:
            counted = self._vocabularies.pop(expression, None)
            is_old = counted is not None and snapshot.is_unfinished and now() - counted.at > UNFINISHED
            if counted is None or counted.generation != snapshot.generation or is_old:
                counted = Counted(snapshot.generation, now(), snapshot.count_words(self._counted, expression))
            self._vocabularies[expression] = counted  # the last that was asked for
            while len(self._vocabularies) > MOST_COUNTED:
                del self._vocabularies[next(iter(self._vocabularies))]
            return counted.words

    def remarks(self) -> tuple[str, ...]:
        """None so far."""
        return ()

    def spaces(self) -> tuple[Space, ...]:
        """The vector spaces beside the first, as the last moment had them."""
        return self._facts.spaces

    def ask_first(self, passages: Sequence[int]) -> None:
        """Notes passages that a further model lacks, for the next fill of this user on this machine."""
        if passages:
            with suppress(OSError):
                self.derived.mkdir(parents=True, exist_ok=True, mode=0o700)
            ask_first(self.derived, passages)
