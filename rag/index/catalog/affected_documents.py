"""Finds the documents that own a range of vectors, so that an error about a damaged block can name them.

Knows the tables `passages`, `documents` and `roots`; knows no files.
"""

from __future__ import annotations

import apsw

from rag.index.catalog.row_codec import to_name
from rag.types import DocumentId

_MAX_NAMED = 3  # documents named in one message
_AFFECTED = """
    SELECT DISTINCT roots.name, documents.path FROM passages JOIN documents ON documents.number = passages.document
    JOIN roots ON roots.number = documents.root
    WHERE passages.ended IS NULL AND passages.vector >= ? AND passages.vector < ? ORDER BY 1, 2
"""


def affected_documents(connection: apsw.Connection, first: int, end: int) -> list[DocumentId]:
    """The live documents with a passage whose vector number is in first … end - 1, ordered by root and path."""
    return [DocumentId(to_name(root), to_name(path)) for root, path in connection.execute(_AFFECTED, (first, end))]


def affected_clause(connection: apsw.Connection, first: int, end: int) -> str:
    """The same as a clause to end an error message with; empty where there are none."""
    names = [str(document) for document in affected_documents(connection, first, end)]
    if not names:
        return ""
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"; it holds vectors of {', '.join(names[:_MAX_NAMED])}{more}"
