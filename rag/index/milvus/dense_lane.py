"""The nearest passages by vector: the engine proposes by its index, inner products of the 16-bit vectors rank.

Knows rows, numbers and kinds of index; knows no words and no model.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rag.index.catalog.schema import KIND_CODES
from rag.index.milvus.engine import Row
from rag.index.milvus.index_kinds import EXACT_UP_TO, IndexKind
from rag.index.milvus.live_rows import LiveRows
from rag.index.milvus.names import both
from rag.index.milvus.numbers import Numbers
from rag.index.milvus.selection import Check, Selection

if TYPE_CHECKING:
    from rag.types import Vectors

SCANNED = 1_000  # rows that one search returns without their texts: in most indexes some of every kind are among them


class DenseLane:
    """For the one thread of a snapshot."""

    def __init__(self, rows: LiveRows, numbers: Numbers, kind: IndexKind) -> None:
        self._rows, self._numbers, self._kind = rows, numbers, kind

    def nearest(self, query: Vectors, k: int, per_kind: int, within: Selection | None) -> list[tuple[int, float]]:
        """The k nearest and the `per_kind` nearest of each kind, as (number, inner product), of a query float32 (dim,)."""
        if within is not None and not len(within):
            return []
        expression, check = (within.expression, within.check) if within is not None else ("", None)
        most = max(k, per_kind)
        found, is_all = self._proposed(query, most, expression, check, least=SCANNED)
        near = found[: 2 * most + 20]
        for code in KIND_CODES.values() if per_kind else ():
            of_kind = [row for row in found if row["kind"] == code]
            if len(of_kind) < per_kind and not is_all:
                of_kind, _ = self._proposed(query, per_kind, both(expression, f"kind == {code}"), check)
            near += of_kind[: 2 * per_kind]
        rows = {row["key"]: row for row in near}
        scores = (self._rows.vectors(list(rows)) @ query).tolist()
        scored = ((self._numbers.of(row), score, row["kind"]) for row, score in zip(rows.values(), scores, strict=True))
        ranked = sorted(scored, key=lambda one: (-one[1], one[0]))
        kept = {number for number, _, _ in ranked[:k]}
        for code in KIND_CODES.values():
            kept.update([number for number, _, kind in ranked if kind == code][:per_kind])
        return [(number, score) for number, score, _ in ranked if number in kept]

    def _proposed(
        self, query: Vectors, k: int, expression: str, check: Check | None, *, least: int = 0
    ) -> tuple[list[Row], bool]:
        """The best rows by the engine, and whether those are all. What a filter leaves few of is compared here, one by one."""
        share, half = 1.0, 0
        if expression and not self._kind.is_exact:
            count = self._rows.count(expression)
            if count <= EXACT_UP_TO:
                return self._rows.compared(query, k, expression, check), count <= 2 * k + 20
            share, half = count / max(count, self._all), self._kind.least(count)
        asked = query.astype(np.float16)
        return self._rows.best(
            "vector",
            asked,
            k,
            expression,
            check,
            least=least,
            asked_for=half,
            params=lambda limit: self._kind.search(limit, share),
        )

    @cached_property
    def _all(self) -> int:
        return self._rows.count("")
