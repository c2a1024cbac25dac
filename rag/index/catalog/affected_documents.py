"""Which documents a stretch of vectors belongs to: what a person needs to know of a damaged block.

Knows the tables `passages`, `documents` and `roots`; knows no files.
"""

from __future__ import annotations

import apsw

from rag.index.catalog.row_codec import to_name
from rag.types import DocumentId

_NAMED = 3  # documents that one message names
_OWNERS = """
    SELECT DISTINCT roots.name, documents.path FROM passages JOIN documents ON documents.number = passages.document
    JOIN roots ON roots.number = documents.root
    WHERE passages.ended IS NULL AND passages.vector >= ? AND passages.vector < ? ORDER BY 1, 2
"""


def owners(connection: apsw.Connection, first: int, end: int) -> list[DocumentId]:
    """The live documents that have a passage with a vector of these numbers, `end` not among them."""
    return [DocumentId(to_name(root), to_name(path)) for root, path in connection.execute(_OWNERS, (first, end))]


def touched(connection: apsw.Connection, first: int, end: int) -> str:
    """The same as the end of a sentence; empty where there is none."""
    names = [str(document) for document in owners(connection, first, end)]
    if not names:
        return ""
    return f"; it holds vectors of {', '.join(names[:_NAMED])}{f' and {len(names) - _NAMED} more' if names[_NAMED:] else ''}"
