"""Finds the documents that own a range of vectors, so that an error about a damaged block can name them.

Knows the tables `passages`, `members`, `documents` and `roots`; knows no files.
"""

from __future__ import annotations

import apsw

from rag.index.catalog.row_codec import to_name
from rag.types import DocumentId

_MAX_NAMED = 3  # documents named in one message
_OF_SPACE = "SELECT vector FROM members WHERE space = ?3 AND number >= ?1 AND number < ?2"
_AFFECTED = """
    SELECT DISTINCT roots.name, documents.path FROM passages JOIN documents ON documents.number = passages.document
    JOIN roots ON roots.number = documents.root
    WHERE passages.ended IS NULL AND {of_it} ORDER BY 1, 2
"""


def affected_documents(connection: apsw.Connection, first: int, end: int, space: int = 0) -> list[DocumentId]:
    """The live documents with a passage whose vector number in a space is in first … end - 1, ordered by root and path."""
    of_it = f"passages.vector IN ({_OF_SPACE})" if space else "passages.vector >= ? AND passages.vector < ?"
    bindings = (first, end, space) if space else (first, end)
    rows = connection.execute(_AFFECTED.format(of_it=of_it), bindings)
    return [DocumentId(to_name(root), to_name(path)) for root, path in rows]


def affected_clause(connection: apsw.Connection, first: int, end: int, space: int = 0) -> str:
    """The same as a clause to end an error message with; empty where there are none."""
    names = [str(document) for document in affected_documents(connection, first, end, space)]
    if not names:
        return ""
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"; it holds vectors of {', '.join(names[:_MAX_NAMED])}{more}"
