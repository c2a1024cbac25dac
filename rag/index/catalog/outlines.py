"""Reads what a long list of results needs of each passage: where it is, its kind and its date, and not its words.

Knows the tables `passages`, `texts`, `documents` and `roots`; knows no search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import apsw

from rag.errors import IndexFailure
from rag.index.catalog.row_codec import to_name
from rag.index.catalog.schema import KIND_CODES
from rag.types import Kind

_SELECT = """
SELECT documents.root, documents.path, ifnull(json_extract(texts.locator, '$.inner'), ''), passages.kind, passages.dated
FROM passages JOIN texts ON texts.passage = passages.number JOIN documents ON documents.number = passages.document
WHERE passages.number = ?
"""
_KINDS = {code: kind for kind, code in KIND_CODES.items()}


class PassageOutline(NamedTuple):
    """Where a passage is, and what it is."""

    number: int
    index_name: str
    root: str
    path: str
    inner: str  # the file inside the document; "" for the document itself
    kind: Kind
    dated: float  # seconds since the epoch

    @property
    def document(self) -> tuple[str, str, str, str]:
        """What it is a place of: a document of an index, or a file inside one."""
        return self.index_name, self.root, self.path, self.inner


def read_outlines(connection: apsw.Connection, numbers: Sequence[int], index: str) -> list[PassageOutline]:
    """The outlines of passages, in the given order, with the name of their index. IndexFailure where one does not exist."""
    roots = {number: to_name(name) for number, name in connection.execute("SELECT number, name FROM roots")}
    found = []
    for number in numbers:
        row = connection.execute(_SELECT, (int(number),)).fetchone()
        if row is None:
            raise IndexFailure(f"passage {number} no longer exists: the index was compacted meanwhile", remedy="search again")
        root, path, inner, kind, dated = row
        found.append(PassageOutline(int(number), index, roots[root], to_name(path), inner, _KINDS[kind], dated))
    return found
