"""The rows of a further vector space: one for each passage that has a vector there, which follow their passages.

Knows rows and collections; knows no model, no run and no search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index.milvus.engine import NEWEST, OWN, Engine, Row
from rag.index.milvus.names import among
from rag.index.milvus.rows import vector_of
from rag.index.milvus.schema import SPACE_FIELDS

AT_ONCE = 500  # contents that one request asks for
_BYTES = 8_000_000  # of vectors in one answer


def space_row(passage: Row, vector: NDArray[np.float16]) -> Row:
    """The row of a passage in a space, from the passage's own with SPACE_FIELDS."""
    return {name: passage[name] for name in SPACE_FIELDS} | {"vector": vector}


def followed(engine: Engine, rows: str, passages: Sequence[Row], dim: int) -> Iterator[Row]:
    """The rows of a space, a collection, for passages whose content has a vector there already, under whatever key."""
    by_content: dict[str, list[Row]] = {}
    for one in passages:
        by_content.setdefault(one["vkey"], []).append(one)
    contents = list(by_content)
    for start in range(0, len(contents), AT_ONCE):
        for content, vector in vectors_of(engine, rows, contents[start : start + AT_ONCE], dim).items():
            for passage in by_content[content]:
                yield space_row(passage, vector)


def vectors_of(engine: Engine, rows: str, contents: Sequence[str], dim: int) -> dict[str, NDArray[np.float16]]:
    """The vectors in a space of those of the contents that have one, float16 (dim,) each, by content."""
    holders: dict[str, str] = {}
    for row in engine.every(rows, among("vkey", contents), ("vkey",), NEWEST, 10_000):
        holders.setdefault(row["vkey"], row["key"])
    at_once = max(1, _BYTES // (2 * dim))
    found = engine.get(rows, list(holders.values()), ("vkey", "root", "path", "vector"), OWN, at_once)
    return {row["vkey"]: vector_of(row, dim) for row in found}
