"""Compaction: what has ended vanishes, vectors nobody uses are dropped, small segments become one. In one transaction.

Knows the tables of passages, vectors and segments; knows no documents' contents, no model and no search.

Rows that ended at generation g or before are seen by no reader that pins g, so a reader of the last commit loses nothing; an
older one is told to ask again. Numbers of vectors are positions in a segment: those that move get new ones, never an old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.transaction import Transaction
from rag.index.vectors.segments import Segment, read_segments
from rag.index.vectors.vector_store import add_segment
from rag.index.vectors.verified_rows import open_rows

ReadRows = Callable[[Segment, Sequence[tuple[int, int]]], Iterable[NDArray[np.float16]]]  # vectors from … up to …, in order

MERGE_FROM = 16  # small segments of one size that become one
ROUND_BYTES = 256_000_000  # of vectors that a commit may rewrite on its own
ROUND_PASSAGES = 10_000  # ended ones that a commit may remove on its own
MIN_ENDED = 1_000  # passages that are not worth a round
_UNUSED = "NOT EXISTS (SELECT 1 FROM passages WHERE passages.vector = vectors.number)"
MAX_ROWS = 1_000_000  # rows of a segment that `rag compact` makes


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    passages: int  # ended ones that are gone
    vectors: int  # dropped: no passage uses them
    before: int  # segments
    after: int


def compact_all(transaction: Transaction, generation: int, dim: int, *, keep_unused: bool) -> Compacted:
    """Removes everything that ended, drops unused vectors, and leaves few large segments. The caller commits.

    With `keep_unused`, vectors that no passage ever used stay: their documents have not come yet.
    """
    with transaction.reading() as connection:
        segments = read_segments(connection, generation)
        unused = 0 if keep_unused else int(connection.execute(f"SELECT count(*) FROM vectors WHERE {_UNUSED}").get)
        if not unused and not _anything_ended(connection) and not _needing_rewrite(connection, segments):
            return Compacted(0, 0, len(segments), len(segments))
    with transaction.changing() as connection:
        passages, dropped = _remove_ended(connection, at_most=-1)
        if not keep_unused:
            connection.execute(f"DELETE FROM vectors WHERE {_UNUSED}")
            dropped += connection.changes()
        rewritten = _needing_rewrite(connection, segments)
        made = sum(
            _merge(transaction, connection, group, generation + 1, dim) for group in _neighbour_groups(rewritten, MAX_ROWS)
        )
        _remove_ended_segments(connection, generation)
        connection.execute("INSERT INTO lexical(lexical) VALUES ('optimize')")
        _record_compaction(connection, generation + 1)
    return Compacted(passages, dropped, len(segments), len(segments) - len(rewritten) + made)


def compact_some(transaction: Transaction, generation: int, dim: int) -> bool:
    """One bounded round, where it is worth it: False where nothing was done. The caller commits."""
    with transaction.reading() as connection:
        segments = read_segments(connection, generation)
        ended = int(connection.execute("SELECT count(*) FROM passages WHERE ended IS NOT NULL").get)
    limit = ROUND_BYTES // (2 * dim)  # rows
    removing = ended >= MIN_ENDED and 4 * ended >= sum(each.rows for each in segments)
    group = _group_of_one_size(segments, limit)
    if not removing and not group:
        return False
    with transaction.changing() as connection:
        if removing:
            _remove_ended(connection, at_most=ROUND_PASSAGES)
            if not group:
                rewritten = (each for each in segments if each.rows <= limit and 2 * _rows_in_use(connection, each) < each.rows)
                group = next(_neighbour_groups(list(rewritten), limit), [])
        if group:
            _merge(transaction, connection, group, generation + 1, dim)
        _remove_ended_segments(connection, generation)
        _record_compaction(connection, generation + 1)
    return True


def rewrite(
    transaction: Transaction, connection: apsw.Connection, group: Sequence[Segment], born: int, dim: int, read: ReadRows
) -> None:
    """Puts the rows in use of some segments, as `read` gives them, into one new segment, and ends those."""
    _merge(transaction, connection, group, born, dim, read)
    _record_compaction(connection, born)


def remove_all_ended(connection: apsw.Connection) -> None:
    """Removes every ended passage, document and root, and the vectors that only those used."""
    _remove_ended(connection, at_most=-1)


def shrink(transaction: Transaction) -> None:
    """Gives the catalog's free pages back where they are a quarter of it or more. Outside of a transaction. StorageFailed."""
    with transaction.reading() as connection:
        if 4 * int(connection.pragma("freelist_count")) >= int(connection.pragma("page_count")):
            connection.execute("VACUUM")
            transaction.reset_changes()


def _record_compaction(connection: apsw.Connection, generation: int) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('compacted', ?)", (generation,))


def _anything_ended(connection: apsw.Connection) -> bool:
    tables = ("passages", "documents", "roots")
    return any(connection.execute(f"SELECT 1 FROM {table} WHERE ended IS NOT NULL LIMIT 1").get for table in tables)


def _needing_rewrite(connection: apsw.Connection, segments: Sequence[Segment]) -> list[Segment]:
    """The segments that are small or have rows nobody uses; a small one alone is as good as it gets."""
    small = [each for each in segments if each.rows < MAX_ROWS // 4]
    used = {each.number: _rows_in_use(connection, each) for each in segments}
    return [each for each in segments if used[each.number] < each.rows or (each in small and len(small) > 1)]


def _remove_ended(connection: apsw.Connection, *, at_most: int) -> tuple[int, int]:
    """Removes ended passages with their texts and words, the earliest first, and their vectors where no other passage uses them.

    Gives how many passages and vectors that were.
    """
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS dropping(passage INTEGER PRIMARY KEY, vector INTEGER)")
    connection.execute("DELETE FROM dropping")
    chosen = "SELECT number, vector FROM passages WHERE ended IS NOT NULL ORDER BY ended, number LIMIT ?"
    connection.execute(f"INSERT INTO dropping {chosen}", (at_most,))
    for table, column in (("lexical", "rowid"), ("texts", "passage"), ("passages", "number")):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT passage FROM dropping)")
    _remove_ended_documents(connection)
    connection.execute(f"DELETE FROM vectors WHERE number IN (SELECT vector FROM dropping) AND {_UNUSED}")
    vectors = connection.changes()
    return int(connection.execute("SELECT count(*) FROM dropping").get), vectors


def _remove_ended_documents(connection: apsw.Connection) -> None:
    """Removes the ended documents that have no passages any more, and the ended roots that have no documents."""
    connection.execute(
        """DELETE FROM documents WHERE ended IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM passages WHERE passages.document = documents.number)"""
    )
    connection.execute(
        "DELETE FROM roots WHERE ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents WHERE root = roots.number)"
    )


def _remove_ended_segments(connection: apsw.Connection, generation: int) -> None:
    """Removes the rows of segments that an earlier commit ended; their files are gone, or go at the next opening."""
    connection.execute("DELETE FROM blocks WHERE segment IN (SELECT number FROM segments WHERE ended <= ?)", (generation,))
    connection.execute("DELETE FROM segments WHERE ended <= ?", (generation,))


def _rows_in_use(connection: apsw.Connection, segment: Segment) -> int:
    question = "SELECT count(*) FROM vectors WHERE number >= ? AND number < ?"
    return int(connection.execute(question, (segment.first, segment.first + segment.rows)).get)


def _group_of_one_size(segments: Sequence[Segment], limit: int) -> list[Segment]:
    """Segments of one order of size, where there are too many of them: each row is rewritten once for every order."""
    sizes: dict[int, list[Segment]] = {}
    for segment in segments:
        sizes.setdefault((segment.rows - 1).bit_length() // MERGE_FROM.bit_length(), []).append(segment)
    for _, group in sorted(sizes.items()):
        if len(group) >= MERGE_FROM and (first := next(_neighbour_groups(group, limit))) and len(first) > 1:
            return first
    return []


def _neighbour_groups(segments: Sequence[Segment], limit: int) -> Iterator[list[Segment]]:
    """Neighbours that together have at most `limit` rows; a larger one stands alone."""
    group: list[Segment] = []
    for segment in segments:
        if group and sum(each.rows for each in group) + segment.rows > limit:
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def _merge(
    transaction: Transaction,
    connection: apsw.Connection,
    group: Sequence[Segment],
    born: int,
    dim: int,
    read: ReadRows | None = None,
) -> int:
    """Puts the rows in use of a group into one new segment; gives how many segments that made, 1 or 0.

    Without `read`, the rows come from the segments' files, little by little: those of a round would take 256 MB together.
    """
    read = read or partial(_read, transaction.folder, connection, dim)
    runs = {segment: _runs(connection, segment) for segment in group}
    moves: list[tuple[int, int, int]] = []  # how far the numbers from … to … move
    first = last = transaction.next_number("vectors")
    for start, end in chain.from_iterable(runs.values()):
        moves.append((last - start, start, end))
        last += end - start
    if moves:
        parts = chain.from_iterable(read(segment, found) for segment, found in runs.items())
        add_segment(transaction, connection, first, last - first, parts, dim, born)
    connection.executemany("UPDATE segments SET ended = ? WHERE number = ?", [(born, each.number) for each in group])
    connection.executemany("UPDATE passages SET vector = vector + ? WHERE vector >= ? AND vector < ?", moves)
    connection.executemany("UPDATE vectors SET number = number + ? WHERE number >= ? AND number < ?", moves)
    connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'vectors'", (last - 1,))
    return bool(moves)


def _read(
    folder: Path, connection: apsw.Connection, dim: int, segment: Segment, runs: Sequence[tuple[int, int]]
) -> Iterator[NDArray[np.float16]]:
    """The rows of those vectors (from, up to), each block compared with its checksum. IndexDamaged."""
    rows = open_rows(folder, connection, segment, dim)
    for start, end in runs:
        yield from rows.read_range(start - segment.first, end - segment.first)


def _runs(connection: apsw.Connection, segment: Segment) -> list[tuple[int, int]]:
    """The numbers in use of a segment as unbroken runs: from, up to."""
    question = "SELECT number FROM vectors WHERE number >= ? AND number < ? ORDER BY number"
    rows = connection.execute(question, (segment.first, segment.first + segment.rows))
    numbers = np.fromiter((number for (number,) in rows), np.int64)
    if not len(numbers):
        return []
    breaks = [0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
    return [(int(numbers[start]), int(numbers[end - 1]) + 1) for start, end in pairwise(breaks)]
