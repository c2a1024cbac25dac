"""The vectors that a run knows by key: new ones in memory, committed ones by the row that holds them.

Knows keys and rows of passages; knows no document and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import StorageFailed
from rag.index.milvus.engine import NEWEST, OWN, Engine
from rag.index.milvus.names import among
from rag.index.milvus.rows import LOOSE, owner_of, vector_of
from rag.index.vectors.vector_store import as_rows

if TYPE_CHECKING:
    from rag.types import Vectors

LISTED = 300_000  # keys that are read at the first question; of larger indexes each key is looked up
_BYTES = 8_000_000  # of vectors in one answer


class KnownVectors:
    """For the one thread of a writer."""

    def __init__(self, engine: Engine, passages: str, dim: int, listed: int = LISTED) -> None:
        self._engine, self._passages, self._dim, self._listed = engine, passages, dim, listed
        self.fresh: dict[bytes, NDArray[np.float16]] = {}  # in memory, in no row yet
        self._rows: dict[bytes, str] = {}  # the key of a row that holds it
        self._by_owner: dict[str, list[bytes]] = {}
        self._is_listed: bool | None = None

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """The keys that have a vector."""
        if self._is_listed is None:
            self._read_all()
        if not self._is_listed:
            asked = [key for key in keys if key not in self.fresh and key not in self._rows]
            for start in range(0, len(asked), 500):
                self._look_up(asked[start : start + 500])
        return {key for key in keys if key in self.fresh or key in self._rows}

    def put(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keeps a vector for each key that has none, float32 (keys, dim). BackendError where a number is not finite."""
        if len(keys):
            rows = as_rows(vectors, len(keys), self._dim)
            known = self.known(keys)
            self.fresh.update({key: row for key, row in zip(keys, rows, strict=True) if key not in known})

    def read(self, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """The vectors of known keys, float16 (dim,) each. StorageFailed where another run has deleted one meanwhile."""
        wanted = dict.fromkeys(keys)
        found = {key: self.fresh[key] for key in wanted if key in self.fresh}
        holders = {self._rows[key]: key for key in wanted if key not in found and key in self._rows}
        at_once = max(1, _BYTES // (2 * self._dim))
        for row in self._engine.get(self._passages, list(holders), ("vector", "root", "path"), OWN, at_once):
            found[holders[row["key"]]] = vector_of(row, self._dim)
        for key in [key for key in wanted if key not in found]:
            fields = ("vector", "root", "path")
            others = self._engine.select(self._passages, f'vkey == "{key.hex()}"', fields, NEWEST, limit=1)
            if not others:
                reason = "another run has deleted a vector that this one was about to use; nothing is half written"
                raise StorageFailed(self._engine.address.shown, reason)
            found[key] = vector_of(others[0], self._dim)
        return found

    def held_by(self, owners: Iterable[str]) -> set[bytes]:
        """The keys whose vector this run knows only from rows of these documents and versions."""
        return {key for owner in owners for key in self._by_owner.get(owner, ()) if owner_of(self._rows.get(key, "-")) == owner}

    def is_loose(self, key: bytes) -> bool:
        """Whether a row without a passage holds it."""
        return self._rows.get(key, "").startswith(LOOSE)

    def written(self, rows: Iterable[tuple[bytes, str]]) -> None:
        """Records that rows hold these keys now; their vectors need not stay in memory."""
        for key, row in rows:
            self._hold(key, row)
            self.fresh.pop(key, None)

    def deleted(self, owners: Iterable[str]) -> None:
        """Forgets the keys that only rows of these documents and versions held."""
        for owner in list(owners):
            for key in self.held_by([owner]):
                del self._rows[key]
            self._by_owner.pop(owner, None)

    def _read_all(self) -> None:
        self._is_listed = self._engine.count(self._passages, "", NEWEST) <= self._listed
        if self._is_listed:
            for row in self._engine.every(self._passages, "", ("vkey",), NEWEST, 10_000):
                self._hold(bytes.fromhex(row["vkey"]), row["key"])

    def _look_up(self, keys: Sequence[bytes]) -> None:
        if keys:
            for row in self._engine.every(self._passages, among("vkey", (key.hex() for key in keys)), ("vkey",), OWN):
                self._hold(bytes.fromhex(row["vkey"]), row["key"])

    def _hold(self, key: bytes, row: str) -> None:
        self._rows[key] = row
        if owner := owner_of(row):
            self._by_owner.setdefault(owner, []).append(key)
