"""Stores what was inside documents and could not be read: its reasons, by the digest of the document, for all with its bytes.

Knows the tables `facts` and `documents`; knows no loader and no files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import apsw

from rag.index.catalog.row_codec import clean, to_name
from rag.index.catalog.schema import LIVE
from rag.types import DocumentId, Skipped

KEPT = 50  # reasons per document; an archive may hold ten thousand files that cannot be read
_PREFIX = "unread "


def write_unread(connection: apsw.Connection, digest: bytes, reasons: Sequence[str]) -> None:
    """Stores why parts of the document with this digest were not read, replacing what was stored; nothing where all were."""
    name = _PREFIX + digest.hex()
    if not reasons:
        connection.execute("DELETE FROM facts WHERE name = ?", (name,))
        return
    kept = [clean(reason) for reason in reasons[:KEPT]]
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps([len(reasons), kept])))


def read_unread(connection: apsw.Connection, generation: int) -> tuple[int, list[Skipped]]:
    """How many parts of live documents were not read, and for each why, at most `KEPT` per document; by root and path."""
    question = f"""SELECT name, path, value FROM
        (SELECT root, path, '{_PREFIX}' || lower(hex(digest)) AS unread FROM documents
         WHERE {LIVE} AND skipped IS NULL AND length(digest) > 0) AS read
        JOIN (SELECT name AS fact, value FROM facts WHERE name BETWEEN '{_PREFIX}' AND '{_PREFIX}g') ON fact = unread
        JOIN roots ON roots.number = read.root ORDER BY name, path"""
    total, parts = 0, []
    for root, path, value in connection.execute(question, (generation,)):
        try:
            count, reasons = json.loads(value)
        except (TypeError, ValueError):  # not as this version writes it
            continue
        total += int(count)
        parts += [Skipped(DocumentId(to_name(root), to_name(path)), str(reason)) for reason in reasons]
    return total, parts


def remove_unused(connection: apsw.Connection) -> None:
    """Removes what is stored of digests that no document has any more."""
    connection.execute(
        f"""DELETE FROM facts WHERE name BETWEEN '{_PREFIX}' AND '{_PREFIX}g' AND name NOT IN
            (SELECT '{_PREFIX}' || lower(hex(digest)) FROM documents WHERE digest IS NOT NULL)"""
    )
