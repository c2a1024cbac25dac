"""Answers queries from one moment of an index in Milvus: the engine proposes, our own formulas score.

Knows rows, selections and the vocabulary; knows no model and no corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import BackendError, MovedOn
from rag.index.catalog.spaces import FIRST, Space
from rag.index.lexical.bm25_search import Frequencies
from rag.index.milvus.counting import read_status, read_status_of
from rag.index.milvus.dense_lane import DenseLane
from rag.index.milvus.further_rows import FurtherRows
from rag.index.milvus.index_kinds import FLAT
from rag.index.milvus.index_kinds import KINDS as KINDS_OF_INDEX
from rag.index.milvus.live_rows import LiveRows
from rag.index.milvus.names import among, both, from_field, to_field
from rag.index.milvus.rows import passage_of, stored_passage
from rag.index.milvus.selection import (
    NOTHING,
    Check,
    Selection,
    both_checks,
    demanded_expression,
    expression_of,
    only,
    path_check,
)
from rag.index.milvus.vocabulary import Vocabulary
from rag.index.milvus.words import MilvusWords
from rag.index.reader.outlines import PassageOutline
from rag.location import Location
from rag.text.query_syntax import ParsedQuery, understand
from rag.types import KINDS, Filters, StoredPassage

if TYPE_CHECKING:
    from rag.index.catalog.status import IndexStatus
    from rag.index.milvus.engine import Row
    from rag.index.milvus.facts import Facts
    from rag.index.milvus.reader import OpenMilvus
    from rag.types import Vectors

VERIFIED = 20_000  # rows: where an expression leaves no more, all are verified before the search, so that none is missed


class MilvusSnapshot:
    """As `Moment`; for one thread. Made by `OpenMilvus.snapshot`."""

    def __init__(self, opened: OpenMilvus, facts: Facts, moment: Mapping[str, object]) -> None:
        self.name, self.fingerprint, self.generation = opened.name, facts.fingerprint, facts.generation
        self.is_unfinished = facts.begun > facts.generation
        self._opened, self._facts, self._moment = opened, facts, moment
        self._numbers = opened.numbers
        self._rows = LiveRows(opened.engine, opened.stem, facts.fingerprint.dim, moment, facts.generation)
        self._further = FurtherRows(opened.engine, opened.stem, facts.spaces, self._rows, facts.generation)

    @property
    def generations(self) -> Mapping[str, int]:
        """The generation, by index name."""
        return {self.name: self.generation}

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The vector spaces beside the first, by number."""
        return self._facts.spaces

    # ---- which passages -------------------------------------------------------------------------

    def matching(self, wanted: Filters) -> Selection | None:
        """The passages that the filters allow; None where that is every live one."""
        if wanted == Filters():
            return None
        return self._selected(expression_of(wanted), path_check(wanted.paths) if wanted.paths else None)

    def meeting(self, words: str, within: Selection | None = None) -> Selection | None:
        """The passages of `within` that contain every quoted phrase of a query and none of its excluded words."""
        question = understand(words, self._facts.folding)
        if not question.demanded and not question.unwanted:
            return within
        check = self._holds(question)
        if within is None:
            return self._selected(demanded_expression(question), check)
        return self._selected(both(within.expression, demanded_expression(question)), both_checks(within.check, check))

    def among(self, numbers: Sequence[int]) -> Selection:
        """Only the passages with these numbers."""
        return only(self._numbers.keys(numbers))

    def everything(self) -> Selection:
        """Every live passage; its length may count some of older versions."""
        return Selection("", self._rows.count(""))

    def sample(self, most: int, random: np.random.Generator) -> list[int]:
        """The numbers of some live passages: those whose documents have the smallest hashes."""
        found = islice(self._rows.every("", ()), most)
        return [self._numbers.of(row) for row in found]

    def _selected(self, expression: str, check: Check | None) -> Selection:
        count = self._rows.count(expression)
        if check is None or not count:
            return Selection(expression, count)
        if count > VERIFIED:
            return Selection(expression, count, check=check)
        rows = list(self._rows.every(expression, ("path", "inner", "terms")))
        keys = [row["key"] for row, passes in zip(rows, check(rows), strict=True) if passes]
        return only(keys)

    def _holds(self, question: ParsedQuery) -> Check:
        vocabulary = self._opened.vocabulary(self)
        return lambda rows: vocabulary.meeting(question, [row["terms"] for row in rows])

    # ---- the lanes ------------------------------------------------------------------------------

    def nearest_by_kind(
        self, vectors: Vectors, k: int, per_kind: int, within: Selection | None = None, space: int = FIRST
    ) -> list[list[tuple[int, float]]]:
        """The k nearest, and the `per_kind` nearest of each kind, a list for each row of `vectors`.

        BackendError where a query is not finite or has the wrong dimension; MovedOn where the space was dropped meanwhile.
        """
        queries = np.ascontiguousarray(np.atleast_2d(vectors), np.float32)
        dim = self.fingerprint.dim if space == FIRST else self._further.dim(space)
        if queries.shape[1] != dim or not np.isfinite(queries).all():
            what = f"a query needs {dim} finite numbers; the model gave {queries.shape[1]}, or some are not finite"
            raise BackendError(what, remedy="query with the model the index was made with")
        kind = KINDS_OF_INDEX[self._facts.kinds.get(space, FLAT)]
        with nullcontext(self._rows) if space == FIRST else self._further.of(space) as rows:
            lane = DenseLane(rows, self._numbers, kind)
            return [lane.nearest(query, k, per_kind, within) for query in queries]

    def containing(
        self, words: str, k: int, within: Selection | None = None, *, everywhere: Frequencies | None = None
    ) -> list[tuple[int, float, float]]:
        """As `MilvusWords.containing`, by the counts of the whole index."""
        return self._words.containing(words, k, within, everywhere=everywhere)

    def corrections(self, words: str) -> dict[str, str]:
        """The words of a query that no passage holds, each with the one a letter away that `containing` reads it as."""
        return self._words.corrections(words)

    def frequencies(self, words: str) -> Frequencies:
        """How often the words of a query occur, for a search of several indexes as one."""
        return self._words.frequencies(words)

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """How many live passages contain each word, and how many live passages there are."""
        return self._words.document_frequencies(words)

    def words_of(self, roots: Sequence[str]) -> MilvusWords:
        """The words of these roots alone, as if the index held no other root."""
        return self._words_in(among("root", sorted(map(to_field, roots))) if roots else NOTHING)

    @cached_property
    def _words(self) -> MilvusWords:
        return self._words_in("")

    def _words_in(self, expression: str) -> MilvusWords:
        return MilvusWords(self._rows, self._numbers, lambda: self._opened.vocabulary(self, expression), expression)

    def count_words(self, most: int, expression: str = "") -> Vocabulary:
        """Counts the words of the live passages that an expression selects, or of `most` of them. A thousand take 20 ms."""
        total = self._rows.count(expression)
        fields = (row["terms"] for row in self._rows.every(expression, ("terms",)))
        return Vocabulary.of(self._facts.folding, islice(fields, most), total if total > most else None)

    # ---- the passages ---------------------------------------------------------------------------

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, in the given order. IndexFailure, MovedOn where one does not exist."""
        rows = self._rows.read(self._numbers.keys(numbers))
        return [self._stored(row) for row in rows]

    def outlines(self, numbers: Sequence[int]) -> list[PassageOutline]:
        """Where these passages are and what they are, in the given order."""
        found = []
        for number, row in zip(numbers, self._rows.read(self._numbers.keys(numbers)), strict=True):
            root, path, inner = (from_field(row[name]) for name in ("root", "path", "inner"))
            found.append(PassageOutline(int(number), self.name, root, path, inner, KINDS[row["kind"]], float(row["dated"])))
        return found

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage with that short id; None where there is none."""
        if not short_id.isalnum():
            return None
        found = self._rows.select(f'id == "{short_id}"')
        return self._stored(found[0]) if found else None

    def neighbours(self, number: int, reach: int = 1) -> list[StoredPassage]:
        """The passages up to `reach` places before and after a passage in its document, in order, without the passage itself."""
        [row] = self._rows.read([self._numbers.key(number)])
        here, at = passage_of(row).ordinal, int(row["ordinal"])
        asked = f'document == "{row["document"]}" and version == "{row["version"]}"'
        found = [
            self._stored(each) for each in self._rows.select(f"{asked} and ordinal >= {at - reach} and ordinal <= {at + reach}")
        ]
        near = [one for one in found if one.number != number and abs(one.passage.ordinal - here) <= reach]
        return sorted(near, key=lambda one: one.passage.ordinal)

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of passages, float32 (n, dim), in the given order."""
        return self._rows.vectors(self._numbers.keys(numbers))

    def vectors_in(self, space: int, numbers: Sequence[int]) -> tuple[list[int], Vectors]:
        """Those of the passages that have a vector in a space, and the vectors, float32 (n, dim). IndexFailure, MovedOn."""
        if space == FIRST:
            return list(numbers), self.vectors(numbers)
        with self._further.of(space) as rows:
            places, found = rows.held(self._numbers.keys(numbers))
        return [numbers[at] for at in places], found

    def _stored(self, row: Row) -> StoredPassage:
        folder = self._facts.roots.get(from_field(row["root"]))
        if folder is None:
            raise MovedOn(self._opened.folder, self.generation)
        return stored_passage(self._numbers.of(row), row, folder)

    # ---- counts ---------------------------------------------------------------------------------

    def roots(self) -> dict[str, Location]:
        """The folder of each root, by name."""
        return dict(self._facts.roots)

    def document_paths(self) -> tuple[str, ...]:
        """The path below its root of every document that was read."""
        return tuple(from_field(row["path"]) for row in self._rows.documents(("path",), 'version != ""'))

    def status(self) -> IndexStatus:
        """Counts of what the index holds."""
        return read_status(self._opened.engine, self._opened.stem, self._facts, self._rows, self._moment)

    def status_of(self, roots: Sequence[str]) -> IndexStatus:
        """Counts of what the index holds of these roots."""
        return read_status_of(self._opened.engine, self._opened.stem, self._facts, self._rows, self._moment, roots)
