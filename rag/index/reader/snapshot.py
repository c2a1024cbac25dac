"""One commit of an index, whole: whatever is asked of it is answered from one read transaction.

Knows the parts of this room that answer; knows no model and no corpus, and what it opens is kept by `SegmentCache`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np

from rag.errors import BackendError, IndexFailure
from rag.index.catalog.lookup import read_by_id, read_neighbours, read_passages
from rag.index.catalog.schema import COLUMNS
from rag.index.catalog.status import IndexStatus, read_roots, read_status
from rag.index.lexical import bm25_search
from rag.index.reader import filters
from rag.index.reader.cache import SegmentCache
from rag.index.reader.filters import Allowed
from rag.index.reader.live_passages import LivePassages
from rag.index.vectors import dense
from rag.text.query_syntax import understand
from rag.types import Filters, Fingerprint, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


class Snapshot:
    """What an index holds at one generation. Made by `OpenIndex.moment`; for one thread, and only within its `with`.

    The catalog is read as it stood when the moment began, so neither a commit nor a compaction after that is seen: documents,
    words, counts and vectors are those of one commit. MovedOn where what is needed was removed before the moment began.
    """

    def __init__(
        self, name: str, fingerprint: Fingerprint, loaded: SegmentCache, connection: apsw.Connection, generation: int
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.generation = generation
        self._loaded = loaded
        self._connection = connection

    @property
    def generations(self) -> Mapping[str, int]:
        """The generation, by the name of the index."""
        return {self.name: self.generation}

    @cached_property
    def live(self) -> LivePassages:
        """The live passages, in arrays."""
        return self._loaded.live(self._connection, self.generation)

    def ready(self) -> None:
        """Opens what the first search would open."""
        self._loaded.structures(self._connection, self.live, self.fingerprint.dim)
        _ = self.live.everything

    def keep_words(self, tell: Callable[[str], None]) -> None:
        """Keeps the common words as arrays, where many passages are not in them."""
        self._loaded.keep_words(self._connection, self.live, tell)

    # ---- which passages -------------------------------------------------------------------------

    def matching(self, wanted: Filters) -> Allowed | None:
        """The passages the filters allow; None where that is every live one."""
        return filters.matching(self.live, lambda: self._loaded.documents(self._connection, self.live), wanted)

    def meeting(self, words: str, within: Allowed | None = None) -> Allowed | None:
        """Of `within`, the passages that hold every quoted phrase of a query and none of its unwanted words, for both lanes."""
        question = understand(words)
        if not question.demanded and not question.unwanted:
            return within
        live = self.live.numbers if within is None else within.numbers
        return Allowed(bm25_search.meeting(self._connection, question, live))

    def everything(self) -> Allowed:
        """Every live passage."""
        return Allowed(self.live.numbers)

    # ---- the lanes ------------------------------------------------------------------------------

    def nearest(self, vectors: Vectors, k: int, within: Allowed | None = None) -> list[list[tuple[int, float]]]:
        """For each row of `vectors` (queries, dim) the k nearest live passages as (number, inner product).

        Larger first, equal scores by smaller number; passages with one vector all count; exactly k where k are allowed.
        BackendError where a query is not finite, IndexDamaged where a segment is not what was written.
        """
        queries, live = self._checked(vectors), self.live
        reachable = live.everything if within is None else live.only(filters.kept_of(live, within))
        structures = self._loaded.structures(self._connection, live, self.fingerprint.dim)
        return dense.nearest(reachable, structures, queries, k)

    def nearest_by_kind(
        self, vectors: Vectors, k: int, promised: int, within: Allowed | None = None
    ) -> list[list[tuple[int, float]]]:
        """As `nearest`, and with them the `promised` nearest of each kind, in one order: the price is that of one search."""
        queries, live = self._checked(vectors), self.live
        kinds = live.kinds_apart if within is None else live.apart(filters.kept_of(live, within))
        structures = self._loaded.structures(self._connection, live, self.fingerprint.dim)
        return dense.nearest_apart(kinds, structures, queries, k, promised)

    def containing(
        self, words: str, k: int, within: Allowed | None = None, columns: Sequence[str] = COLUMNS
    ) -> list[tuple[int, float, float]]:
        """The k passages that hold the words best, as (number, score, share), larger better; `rag.index.lexical` says how."""
        live = self.live
        allowed = live.numbers if within is None else live.numbers[filters.kept_of(live, within)]
        kept = self._loaded.words(self._connection, self.generation)
        return bm25_search.containing(self._connection, words, k, allowed, len(live.numbers), columns, live.length, kept)

    # ---- the passages ---------------------------------------------------------------------------

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages of these numbers, in the order asked."""
        return read_passages(self._connection, numbers)

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage of that short id."""
        return read_by_id(self._connection, self.generation, short_id)

    def neighbours(self, number: int, reach: int = 1) -> list[StoredPassage]:
        """The passages of the same document up to `reach` places before and after it, in order, without itself."""
        return read_neighbours(self._connection, self.generation, number, reach)

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of live passages, float32 (n, dim), in the order asked. IndexFailure where one is not live."""
        live, dim = self.live, self.fingerprint.dim
        places = live.places(np.asarray(numbers, np.int64))
        if (places < 0).any():
            raise IndexFailure(f"not all of these passages are live at generation {live.generation}", remedy="search again")
        wanted = live.vectors[places]
        found = np.empty((len(wanted), dim), np.float32)
        for segment in live.segments:
            here = np.flatnonzero((wanted >= segment.first) & (wanted < segment.first + segment.rows))
            if len(here):
                found[here] = self._loaded.rows(self._connection, live, segment, dim).take(wanted[here] - segment.first)
        return found

    # ---- counts ---------------------------------------------------------------------------------

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """In how many live passages each word stands, and how many live passages there are."""
        return bm25_search.document_frequencies(self._connection, words), len(self.live.numbers)

    def roots(self) -> dict[str, Path]:
        """The roots by name, with the folder of each."""
        return read_roots(self._connection, self.generation)

    def status(self) -> IndexStatus:
        """What the index holds, counted."""
        return read_status(self._loaded.folder, self._connection, self.generation)

    def _checked(self, vectors: Vectors) -> Vectors:
        queries = np.ascontiguousarray(np.atleast_2d(vectors), np.float32)
        if queries.shape[1] != self.fingerprint.dim or not np.isfinite(queries).all():
            what = f"a query needs {self.fingerprint.dim} finite numbers; the model gave {queries.shape[1]}, or some not finite"
            raise BackendError(what, remedy="query with the model the index was made with")
        return queries
