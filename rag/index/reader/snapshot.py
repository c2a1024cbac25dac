"""Answers queries from one commit of an index, within one read transaction.

Knows the searches of this room; knows no model and no corpus. What it opens is kept by `SegmentCache`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import BackendError, IndexFailure
from rag.index.catalog.connection import folding_of
from rag.index.catalog.lookup import read_by_id, read_neighbours, read_passages
from rag.index.catalog.schema import COLUMNS
from rag.index.catalog.spaces import FIRST, Space, read_spaces
from rag.index.catalog.status import IndexStatus, read_roots, read_status, read_status_of
from rag.index.lexical import bm25_search
from rag.index.lexical.postings_search import Wanted
from rag.index.lexical.typing_errors import corrections
from rag.index.lexical.words_within import CountsWithin, WordsWithin
from rag.index.reader import filters
from rag.index.reader.cache import SegmentCache
from rag.index.reader.filters import Allowed
from rag.index.reader.live_passages import LivePassages
from rag.index.reader.outlines import PassageOutline, read_outlines
from rag.index.reader.words_of_roots import WordsOfRoots
from rag.index.vectors import dense
from rag.location import Location
from rag.text.query_syntax import understand
from rag.types import Filters, Fingerprint, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


class Snapshot:
    """What an index holds at one generation. Made by `OpenIndex.snapshot`; for one thread, and only within its `with`.

    The catalog is read as it was when the snapshot was taken, so later commits and compactions are invisible: documents, words,
    counts and vectors are those of one commit. MovedOn where a segment that is needed has been compacted away and deleted since.
    """

    def __init__(
        self, name: str, fingerprint: Fingerprint, cache: SegmentCache, connection: apsw.Connection, generation: int
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.generation = generation
        self._cache = cache
        self._connection = connection
        self._wanted: dict[tuple[str, bm25_search.Frequencies | None], Sequence[Wanted]] = {}  # a search asks twice

    @cached_property
    def folding(self) -> int:
        """The revision of the folding by which the full text was made; queries are folded alike."""
        return folding_of(self._connection)

    @property
    def generations(self) -> Mapping[str, int]:
        """The generation, by index name."""
        return {self.name: self.generation}

    @cached_property
    def live(self) -> LivePassages:
        """The live passages, as arrays."""
        return self._cache.live(self._connection, self.generation)

    @cached_property
    def spaces(self) -> tuple[Space, ...]:
        """The vector spaces beside the first, by number."""
        return read_spaces(self._connection, self.generation)

    def preload(self) -> None:
        """Loads what the first search would load."""
        for space in (FIRST, *(each.number for each in self.spaces)):
            live = self._live_in(space)
            self._cache.structures(self._connection, live, self._dim(space))
            _ = live.full_mask

    def build_postings(self, tell: Callable[[str], None]) -> None:
        """Builds the postings of the common words where many passages are not in them."""
        self._cache.build_postings(self._connection, self.live, tell)

    # ---- which passages -------------------------------------------------------------------------

    def matching(self, wanted: Filters) -> Allowed | None:
        """The passages that the filters allow; None where that is every live one."""
        return filters.matching(
            self.live,
            lambda: self._cache.documents(self._connection, self.live),
            lambda: self._cache.inner_paths(self._connection, self.live),
            wanted,
        )

    def meeting(self, words: str, within: Allowed | None = None) -> Allowed | None:
        """The passages of `within` that contain every quoted phrase of a query and none of its excluded words, for both lanes."""
        question = understand(words, self.folding)
        if not question.demanded and not question.unwanted:
            return within
        live = self.live.numbers if within is None else within.numbers
        return Allowed(bm25_search.meeting(self._connection, question, live))

    def everything(self) -> Allowed:
        """Every live passage."""
        return Allowed(self.live.numbers)

    def sample(self, most: int, random: np.random.Generator) -> list[int]:
        """The numbers of some live passages, drawn at random; all of them where there are no more than `most`."""
        numbers = self.live.numbers
        return [int(number) for number in random.choice(numbers, min(most, len(numbers)), replace=False)] if len(numbers) else []

    def among(self, numbers: Sequence[int]) -> Allowed:
        """Only the passages with these numbers."""
        return Allowed(np.sort(np.asarray(numbers, np.int64)))

    # ---- the lanes ------------------------------------------------------------------------------

    def nearest(
        self, vectors: Vectors, k: int, within: Allowed | None = None, space: int = FIRST
    ) -> list[list[tuple[int, float]]]:
        """For each row of `vectors` (queries, dim) the k nearest live passages as (number, inner product).

        Largest first, ties by smaller number. Passages that share a vector each count; exactly k where so many are allowed.
        In a further `space` only passages that have a vector there are found.
        BackendError where a query is not finite or has the wrong dimension; IndexDamaged where a segment is damaged.
        """
        queries, live = self._checked_queries(vectors, space), self._live_in(space)
        reachable = live.full_mask if within is None else live.mask(filters.allowed_mask(live, within))
        structures = self._cache.structures(self._connection, live, self._dim(space))
        return dense.nearest(reachable, structures, queries, k)

    def nearest_by_kind(
        self, vectors: Vectors, k: int, per_kind: int, within: Allowed | None = None, space: int = FIRST
    ) -> list[list[tuple[int, float]]]:
        """As `nearest`, plus the `per_kind` nearest of each kind, in one order, at the cost of one search."""
        queries, live = self._checked_queries(vectors, space), self._live_in(space)
        kinds = live.full_masks_by_kind if within is None else live.masks_by_kind(filters.allowed_mask(live, within))
        structures = self._cache.structures(self._connection, live, self._dim(space))
        return dense.nearest_by_kind(kinds, structures, queries, k, per_kind)

    def containing(
        self,
        words: str,
        k: int,
        within: Allowed | None = None,
        columns: Sequence[str] = COLUMNS,
        everywhere: bm25_search.Frequencies | None = None,
    ) -> list[tuple[int, float, float]]:
        """The k passages that match the words best, as (number, score, share), best first: `rag.index.lexical.bm25_search`."""
        live = self.live
        allowed = live.numbers if within is None else live.numbers[filters.allowed_mask(live, within)]
        count = len(live.numbers)
        if (words, everywhere) not in self._wanted:
            self._wanted[words, everywhere] = bm25_search.wanted_units(self._connection, words, count, self.folding, everywhere)
        ranked = self._wanted[words, everywhere]
        kept, read = self._cache.postings(self._connection, self.generation), self._cache.phrases(live)
        among = count if everywhere is None else everywhere.live
        return bm25_search.best_of(self._connection, ranked, k, allowed, among, columns, live.mean_length, kept, read)

    def corrections(self, words: str) -> dict[str, str]:
        """The words of a query that no passage holds, each with the one a letter away that `containing` reads it as."""
        return corrections(self._connection, understand(words, self.folding).units)

    def frequencies(self, words: str) -> bm25_search.Frequencies:
        """How often the words of a query occur, for a search of several indexes as one."""
        return bm25_search.frequencies(self._connection, words, len(self.live.numbers), self.folding)

    def words_of(self, roots: Sequence[str]) -> WordsOfRoots:
        """The words of these roots alone, as if the index held no other root."""
        allowed = self.matching(Filters(roots=tuple(roots))) if roots else self.among([])
        numbers = self.live.numbers if allowed is None else allowed.numbers
        kept = self._cache.words_within(
            self.live, frozenset(roots), lambda: CountsWithin(self._connection, numbers, self.folding)
        )
        return WordsOfRoots(self.live, WordsWithin(self._connection, kept))

    # ---- the passages ---------------------------------------------------------------------------

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, in the given order. IndexFailure where one does not exist."""
        return read_passages(self._connection, numbers)

    def outlines(self, numbers: Sequence[int]) -> list[PassageOutline]:
        """Where these passages are and what they are, in the given order. IndexFailure where one does not exist."""
        return read_outlines(self._connection, self.live, numbers, self.name)

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage with that short id; None where there is none."""
        return read_by_id(self._connection, self.generation, short_id)

    def neighbours(self, number: int, reach: int = 1) -> list[StoredPassage]:
        """The passages up to `reach` places before and after a passage in its document, in order, without the passage itself."""
        return read_neighbours(self._connection, self.generation, number, reach)

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of live passages, float32 (n, dim), in the given order. IndexFailure where one is not live."""
        live = self.live
        places = live.places(np.asarray(numbers, np.int64))
        if (places < 0).any():
            raise IndexFailure(f"not all of these passages are live at generation {live.generation}", remedy="search again")
        return self._rows_at(live, places, self.fingerprint.dim)

    def vectors_in(self, space: int, numbers: Sequence[int]) -> tuple[list[int], Vectors]:
        """Those of some live passages that have a vector in a space, in the given order, and their vectors, float32 (n, dim)."""
        live = self._live_in(space)
        places = live.places(np.asarray(numbers, np.int64))
        held = [number for number, place in zip(numbers, places.tolist(), strict=True) if place >= 0]
        return held, self._rows_at(live, places[places >= 0], self._dim(space))

    def _rows_at(self, live: LivePassages, places: NDArray[np.int64], dim: int) -> Vectors:
        """The vectors at these places of live passages, float32 (places, dim)."""
        wanted = live.vectors[places]
        found = np.empty((len(wanted), dim), np.float32)
        for segment in live.segments:
            here = np.flatnonzero((wanted >= segment.first) & (wanted < segment.first + segment.rows))
            if len(here):
                found[here] = self._cache.rows(self._connection, live, segment, dim).take(wanted[here] - segment.first)
        return found

    # ---- spaces ---------------------------------------------------------------------------------

    def _live_in(self, space: int) -> LivePassages:
        return self.live if space == FIRST else self._cache.live_in(self._connection, self.live, space)

    def _dim(self, space: int) -> int:
        """The dimension of a space. IndexFailure where the snapshot has none with that number."""
        if space == FIRST:
            return self.fingerprint.dim
        for each in self.spaces:
            if each.number == space:
                return each.fingerprint.dim
        raise IndexFailure(f"{self.name} has no vector space {space} any more", remedy="search again")

    # ---- counts ---------------------------------------------------------------------------------

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """How many live passages contain each word, and how many live passages there are."""
        return bm25_search.document_frequencies(self._connection, words, self.folding), len(self.live.numbers)

    def roots(self) -> dict[str, Location]:
        """The folder of each root, by name."""
        return read_roots(self._connection, self.generation)

    def document_paths(self) -> tuple[str, ...]:
        """The path below its root of every document that was read."""
        return self._cache.documents(self._connection, self.live).paths

    def status(self) -> IndexStatus:
        """Counts of what the index holds."""
        return read_status(self._cache.folder, self._connection, self.generation)

    def status_of(self, roots: Sequence[str]) -> IndexStatus:
        """Counts of what these roots hold; what belongs to the index as a whole is 0 or empty."""
        return read_status_of(self._cache.folder, self._connection, self.generation, roots)

    def _checked_queries(self, vectors: Vectors, space: int) -> Vectors:
        queries, dim = np.ascontiguousarray(np.atleast_2d(vectors), np.float32), self._dim(space)
        if queries.shape[1] != dim or not np.isfinite(queries).all():
            what = f"a query needs {dim} finite numbers; the model gave {queries.shape[1]}, or some are not finite"
            raise BackendError(what, remedy="query with the model the index was made with")
        return queries
