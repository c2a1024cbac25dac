"""Finds rows of passages and keeps those that are live: whose document names their version.

Knows rows, expressions and the guarantee timestamp of a moment; knows no scores but the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import MovedOn
from rag.index.milvus.engine import TOP_K, Engine, Row
from rag.index.milvus.names import both
from rag.index.milvus.rows import vector_of
from rag.index.milvus.schema import DOCUMENTS, PASSAGE_FIELDS, PASSAGES, collection
from rag.index.milvus.selection import Check

_FOUND = ("number", "document", "version", "kind")  # of what a search returns
_CHECKED = ("path", "inner", "terms")
_BYTES = 8_000_000  # of one answer


class LiveRows:
    """The rows of one moment: each is read once, and then stays as it was."""

    def __init__(self, engine: Engine, index: str, dim: int, moment: Mapping[str, Any], generation: int) -> None:
        self._engine, self._dim, self._moment, self._generation = engine, dim, moment, generation
        self._index, self._passages, self._documents = index, collection(index, PASSAGES), collection(index, DOCUMENTS)
        self._read: Sequence[str] = PASSAGE_FIELDS  # of a row, beside its vector
        self._versions: dict[str, str] = {}  # by document; "" of one that is gone
        self._rows: dict[str, Row] = {}
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def of_space(self, rows: str, dim: int) -> LiveRows:
        """The rows of a further vector space, a collection, at the same moment: those of the passages it has, without texts."""
        found = LiveRows(self._engine, self._index, dim, self._moment, self._generation)
        found._passages, found._read, found._versions = rows, ("root", "path"), self._versions
        return found

    def best(
        self,
        field: str,
        query: Any,
        k: int,
        expression: str,
        check: Check | None,
        *,
        least: int = 0,
        asked_for: int = 0,
        fields: Sequence[str] = (),
        params: Callable[[int], Mapping[str, Any]] = lambda _: {},
    ) -> tuple[list[Row], bool]:
        """The k best live rows that pass the check, or more, best first; and whether those are all there are.

        Asks for twice as many, as some may be of an older version, and for `least` at least; then for more. The engine is asked
        for `asked_for` at least, of which no more than those are looked at. The rows have these `fields`, beside their number,
        document, version and kind; with all of PASSAGE_FIELDS they need not be read again.
        """
        wanted = dict.fromkeys((*_FOUND, *fields, *(_CHECKED if check is not None else ())))
        asked = both(expression or 'document != ""')
        limit = min(max(2 * k + 20, least), TOP_K)
        while True:
            most = max(limit, asked_for)
            answer = self._engine.search(
                self._passages,
                field,
                query,
                most,
                asked,
                [name for name in wanted if name != "key"],
                self._moment,
                params(most),
            )
            kept = self.live(answer[:limit])
            if check is not None:
                kept = [row for row, passes in zip(kept, check(kept), strict=True) if passes]
            is_all = len(answer) < limit
            if len(kept) >= k or is_all or limit == TOP_K:
                if wanted.keys() >= set(PASSAGE_FIELDS) - {"key"}:
                    self._rows.update({row["key"]: row for row in kept})
                return kept, is_all
            limit = min(4 * limit, TOP_K)

    def compared(self, query: NDArray[np.float32], k: int, expression: str, check: Check | None) -> list[Row]:
        """The k best of all live rows that an expression selects and that pass the check, by comparing every one; best first."""
        fields = ("kind", "root", "path", "vector", *(("inner", "terms") if check is not None else ()))
        found = list(self.every(expression, fields))
        if check is not None:
            found = [row for row, passes in zip(found, check(found), strict=True) if passes]
        if not found:
            return []
        vectors = np.stack([vector_of(row, self._dim) for row in found]).astype(np.float32)
        order = np.argsort(-(vectors @ query), kind="stable")[: 2 * k + 20].tolist()
        self._vectors.update({found[at]["key"]: vectors[at] for at in order})
        return [found[at] for at in order]

    def live(self, rows: Sequence[Row]) -> list[Row]:
        """Those of the rows whose document names their version."""
        unknown = sorted({row["document"] for row in rows if row["document"]} - self._versions.keys())
        if unknown:
            self._versions.update(dict.fromkeys(unknown, ""))
            for found in self._engine.get(self._documents, unknown, ("version",), self._moment, 5_000):
                self._versions[found["key"]] = found["version"]
        return [row for row in rows if row["version"] and self._versions.get(row["document"]) == row["version"]]

    def select(self, expression: str, limit: int = TOP_K) -> list[Row]:
        """The live rows that an expression selects, whole but for their vectors."""
        found = self.live(self._engine.select(self._passages, expression, PASSAGE_FIELDS, self._moment, limit))
        self._rows.update({row["key"]: row for row in found})
        return found

    def every(self, expression: str, fields: Sequence[str]) -> Iterator[Row]:
        """All live rows that an expression selects, with these fields."""
        part: list[Row] = []
        asked = ("number", "document", "version", *fields)
        for row in self._engine.every(self._passages, both(expression or 'document != ""'), asked, self._moment):
            part.append(row)
            if len(part) == 2_000:
                yield from self.live(part)
                part = []
        yield from self.live(part)

    def count(self, expression: str) -> int:
        """How many rows an expression selects, of older versions too."""
        return self._engine.count(self._passages, both(expression or 'document != ""'), self._moment)

    def documents(self, fields: Sequence[str], expression: str = "") -> Iterator[Row]:
        """All documents that an expression selects."""
        return self._engine.every(self._documents, expression, fields, self._moment)

    def read(self, keys: Sequence[str]) -> list[Row]:
        """The rows with these keys, in order; what is read comes with vectors. MovedOn where one is gone meanwhile."""
        self._refuse_gone(self._fetch([key for key in dict.fromkeys(keys) if key not in self._rows], (*self._read, "vector")))
        return [self._rows[key] for key in keys]

    def vectors(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of these rows, float32 (n, dim), in order. Raises as `read`."""
        self._refuse_gone(self._fetch_vectors(keys))
        return np.stack([self._vectors[key] for key in keys]) if keys else np.empty((0, self._dim), np.float32)

    def held(self, keys: Sequence[str]) -> tuple[list[int], NDArray[np.float32]]:
        """The places of the keys that have a row, and the rows' vectors, float32 (n, dim)."""
        gone = self._fetch_vectors(keys)
        places = [at for at, key in enumerate(keys) if key not in gone]
        found = [self._vectors[keys[at]] for at in places]
        return places, np.stack(found) if found else np.empty((0, self._dim), np.float32)

    def _fetch_vectors(self, keys: Sequence[str]) -> set[str]:
        missing = [key for key in dict.fromkeys(keys) if key not in self._vectors]
        gone = self._fetch([key for key in missing if key not in self._rows], (*self._read, "vector"))
        return gone | self._fetch(
            [key for key in missing if key not in self._vectors and key not in gone], ("root", "path", "vector")
        )

    def _refuse_gone(self, gone: Set[str]) -> None:
        if gone:
            raise MovedOn(self._engine.address.shown, self._generation)  # a document was replaced while it was searched

    def _fetch(self, keys: Sequence[str], fields: Sequence[str]) -> set[str]:
        """Reads rows with their vectors; returns the keys of those that are gone."""
        at_once = max(1, _BYTES // (2 * self._dim + 16_000))
        gone = set(keys)
        for row in self._engine.get(self._passages, keys, fields, self._moment, at_once):
            gone.discard(row["key"])
            self._vectors[row["key"]] = vector_of(row, self._dim).astype(np.float32)
            if set(self._read) < set(fields):
                self._rows[row["key"]] = {name: row[name] for name in self._read}
        return gone
