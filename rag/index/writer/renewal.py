"""Analyses the words of an index anew and replaces its vectors, within the writer's open transaction.

Knows the tables and segments; knows no model: the caller makes the new vectors from passages and their old rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.base import Segment
from rag.index.catalog.documents import rebuild_full_text
from rag.index.catalog.row_codec import passage_from_row
from rag.index.catalog.spaces import follow_renewed
from rag.index.catalog.transaction import Transaction
from rag.index.vectors.segments import read_segments
from rag.index.vectors.vector_store import add_segment
from rag.index.vectors.verified_rows import open_rows
from rag.types import DocumentId, Passage

_BATCH = 1_024  # vectors that are renewed at once

# Passages, the keys of their vectors, and the old rows, float32 (n, dim), to the new keys and rows.
Renew = Callable[[Sequence[Passage], Sequence[bytes], NDArray[np.float32]], tuple[list[bytes], NDArray[np.float32]]]


def analyse_words(connection: apsw.Connection, born: int) -> None:
    """Rebuilds the full text by the current folding. Stored postings of earlier commits are not valid any more."""
    rebuild_full_text(connection)
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('analysed', ?)", (born,))


def renew_vectors(folder: Path, transaction: Transaction, connection: apsw.Connection, born: int, dim: int, renew: Renew) -> int:
    """Replaces the vector of every passage, ended ones too, and drops unused ones. Returns how many there are. IndexDamaged."""
    first = transaction.next_number("vectors")
    old = read_segments(connection, born - 1)
    connection.execute("CREATE TEMP TABLE renewed(before INTEGER PRIMARY KEY, after INTEGER NOT NULL)")
    try:
        for segment in old:
            _renew_segment(folder, transaction, connection, segment, born, dim, renew)
        connection.execute("UPDATE passages SET vector = (SELECT after FROM temp.renewed WHERE before = vector)")
        follow_renewed(connection)
        count = int(connection.execute("SELECT count(*) FROM temp.renewed").get)
    finally:
        connection.execute("DROP TABLE temp.renewed")
    connection.execute("DELETE FROM vectors WHERE number < ?", (first,))
    connection.executemany("UPDATE segments SET ended = ? WHERE number = ?", [(born, segment.number) for segment in old])
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('compacted', ?)", (born,))
    return count


def _renew_segment(
    folder: Path, transaction: Transaction, connection: apsw.Connection, segment: Segment, born: int, dim: int, renew: Renew
) -> None:
    question = "SELECT DISTINCT vector FROM passages WHERE vector >= ? AND vector < ? ORDER BY vector"
    numbers = [number for (number,) in connection.execute(question, (segment.first, segment.first + segment.rows))]
    if not numbers:
        return
    first = transaction.next_number("vectors")
    parts = _renewed(folder, connection, segment, numbers, first, dim, renew)
    add_segment(transaction, connection, first, len(numbers), parts, dim, born)


def _renewed(
    folder: Path, connection: apsw.Connection, segment: Segment, numbers: Sequence[int], first: int, dim: int, renew: Renew
) -> Iterator[NDArray[np.float16]]:
    """The new rows, batch by batch, each entered with its key and number before the next is made."""
    rows = open_rows(folder, connection, segment, dim)
    for at in range(0, len(numbers), _BATCH):
        batch = numbers[at : at + _BATCH]
        found = [_passage_of(connection, number) for number in batch]
        keys, fresh = renew(
            [passage for passage, _ in found],
            [key for _, key in found],
            rows.take(np.array(batch, np.int64) - segment.first),
        )
        numbered = list(enumerate(keys, first + at))
        connection.executemany("INSERT INTO vectors(number, key) VALUES (?, ?)", numbered)
        moves = zip(batch, (number for number, _ in numbered), strict=True)
        connection.executemany("INSERT INTO temp.renewed VALUES (?, ?)", moves)
        yield fresh.astype(np.float16)


def _passage_of(connection: apsw.Connection, vector: int) -> tuple[Passage, bytes]:
    """A passage with that vector, which all that share it would be shown as, and the vector's key."""
    question = """SELECT vectors.key, kind, ordinal, locator, modality, text, caption, context, taken
        FROM passages JOIN texts ON texts.passage = passages.number JOIN vectors ON vectors.number = passages.vector
        WHERE passages.vector = ? LIMIT 1"""
    row: tuple[Any, ...] = connection.execute(question, (vector,)).fetchall()[0]
    key, *fields = row
    try:
        return passage_from_row(DocumentId("", f"vector {vector}"), tuple(fields)), bytes(key)
    except (ValueError, KeyError, TypeError) as error:
        raise apsw.CorruptError(f"the passage of vector {vector} cannot be read: {error}") from error
