"""Compacts an index: removes ended rows, drops unused vectors, and merges small segments, in one transaction.

Knows the tables of passages, vectors and segments; knows no document content, no model and no search.

Rows that ended at generation g or before are invisible at g, so the last commit loses nothing. A vector number is a position in a
segment, so vectors that move get new numbers; old numbers are never reused. Open snapshots still read the old rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import apsw

from rag.index.base import Segment
from rag.index.catalog.spaces import forget_contents, move_contents
from rag.index.catalog.transaction import Transaction
from rag.index.catalog.unread_parts import remove_unused
from rag.index.upkeep.segment_groups import ReadRows, group_of_one_size, neighbour_groups, read_runs, runs_of
from rag.index.upkeep.space_compaction import group_to_merge, groups_to_compact, merge_space
from rag.index.vectors.segments import read_segments
from rag.index.vectors.vector_store import add_segment

MERGE_FROM = 16  # small segments of one size that are merged into one
ROUND_BYTES = 256_000_000  # of vectors that a commit rewrites at most
ROUND_PASSAGES = 10_000  # ended ones that a commit removes at most
MIN_ENDED = 1_000  # ended passages below which a round is not worth it
_UNUSED = "NOT EXISTS (SELECT 1 FROM passages WHERE passages.vector = vectors.number)"
MAX_ROWS = 1_000_000  # of a segment that `rag compact` writes


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    passages: int  # ended ones that were removed
    vectors: int  # dropped: no passage uses them
    before: int  # segments
    after: int


def compact_all(transaction: Transaction, generation: int, dim: int, *, keep_unused: bool) -> Compacted:
    """Removes all ended rows, drops unused vectors, and merges segments. The caller commits. IndexDamaged, StorageFailed.

    With `keep_unused`, vectors that no passage has used yet stay: their documents are still waiting.
    """
    with transaction.reading() as connection:
        segments = read_segments(connection, generation)
        unused = 0 if keep_unused else int(connection.execute(f"SELECT count(*) FROM vectors WHERE {_UNUSED}").get)
        before = _live_segments(connection)
        idle = not unused and not _anything_ended(connection) and not _needing_rewrite(connection, segments)
        if idle and not groups_to_compact(connection, generation, MAX_ROWS):
            return Compacted(0, 0, before, before)
    with transaction.changing() as connection:
        passages, dropped = _remove_ended(connection, at_most=-1)
        if not keep_unused:
            connection.execute(f"DELETE FROM vectors WHERE {_UNUSED}")
            dropped += connection.changes()
            forget_contents(connection)
        rewritten = _needing_rewrite(connection, segments)
        for group in neighbour_groups(rewritten, MAX_ROWS):
            _merge(transaction, connection, group, generation + 1, dim)
        for space, group in groups_to_compact(connection, generation, MAX_ROWS):
            merge_space(transaction, connection, space, group, generation + 1)
        _remove_ended_segments(connection, generation)
        connection.execute("INSERT INTO lexical(lexical) VALUES ('optimize')")
        record_compaction(connection, generation + 1)
        after = _live_segments(connection)
    return Compacted(passages, dropped, before, after)


def compact_some(transaction: Transaction, generation: int, dim: int) -> bool:
    """One bounded round, where it is worth it; False where nothing was done. The caller commits. IndexDamaged, StorageFailed."""
    with transaction.reading() as connection:
        segments = read_segments(connection, generation)
        ended = int(connection.execute("SELECT count(*) FROM passages WHERE ended IS NOT NULL").get)
    limit = ROUND_BYTES // (2 * dim)  # rows
    removing = ended >= MIN_ENDED and 4 * ended >= sum(each.rows for each in segments)
    group = group_of_one_size(segments, limit, MERGE_FROM)
    if not removing and not group:
        return _compact_a_space(transaction, generation)
    with transaction.changing() as connection:
        if removing:
            _remove_ended(connection, at_most=ROUND_PASSAGES)
            if not group:
                rewritten = (each for each in segments if each.rows <= limit and 2 * _rows_in_use(connection, each) < each.rows)
                group = next(neighbour_groups(list(rewritten), limit), [])
        if group:
            _merge(transaction, connection, group, generation + 1, dim)
        _remove_ended_segments(connection, generation)
        record_compaction(connection, generation + 1)
    return True


def _compact_a_space(transaction: Transaction, generation: int) -> bool:
    """One bounded round in a further space."""
    with transaction.reading() as connection:
        found = group_to_merge(connection, generation, ROUND_BYTES, MERGE_FROM)
    if found is None:
        return False
    with transaction.changing() as connection:
        merge_space(transaction, connection, *found, generation + 1)
        _remove_ended_segments(connection, generation)
    return True


def rewrite(
    transaction: Transaction, connection: apsw.Connection, group: Sequence[Segment], born: int, dim: int, read: ReadRows
) -> None:
    """Copies the used rows of some segments, as `read` returns them, into one new segment, and ends the old ones."""
    _merge(transaction, connection, group, born, dim, read)
    record_compaction(connection, born)


def remove_all_ended(connection: apsw.Connection) -> None:
    """Removes every ended passage, document and root, and the vectors that only they used."""
    _remove_ended(connection, at_most=-1)


def shrink(transaction: Transaction) -> None:
    """Shrinks the catalog's file where a quarter of its pages or more are free. Call outside a transaction. StorageFailed."""
    with transaction.reading() as connection:
        if 4 * int(connection.pragma("freelist_count")) >= int(connection.pragma("page_count")):
            connection.execute("VACUUM")
            transaction.reset_changes()


def record_compaction(connection: apsw.Connection, generation: int) -> None:
    """Records that vectors get new numbers, or that contents lose theirs, with the commit of that generation."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('compacted', ?)", (generation,))


def _anything_ended(connection: apsw.Connection) -> bool:
    tables = ("passages", "documents", "roots", "spaces")
    return any(connection.execute(f"SELECT 1 FROM {table} WHERE ended IS NOT NULL LIMIT 1").get for table in tables)


def _needing_rewrite(connection: apsw.Connection, segments: Sequence[Segment]) -> list[Segment]:
    """The segments that have unused rows, and the small ones where there are several."""
    small = [each for each in segments if each.rows < MAX_ROWS // 4]
    used = {each.number: _rows_in_use(connection, each) for each in segments}
    return [each for each in segments if used[each.number] < each.rows or (each in small and len(small) > 1)]


def _remove_ended(connection: apsw.Connection, *, at_most: int) -> tuple[int, int]:
    """Removes ended passages, the earliest first, with their texts and words, and vectors that no other passage uses.

    Returns the numbers of removed passages and vectors. `at_most` limits the passages; -1: all.
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
    forget_contents(connection)
    return int(connection.execute("SELECT count(*) FROM dropping").get), vectors


def _remove_ended_documents(connection: apsw.Connection) -> None:
    """Removes ended documents that have no passages left, and ended roots that have no documents left."""
    connection.execute(
        """DELETE FROM documents WHERE ended IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM passages WHERE passages.document = documents.number)"""
    )
    remove_unused(connection)
    connection.execute(
        "DELETE FROM roots WHERE ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents WHERE root = roots.number)"
    )


def _remove_ended_segments(connection: apsw.Connection, generation: int) -> None:
    """Removes the rows of segments and spaces that an earlier commit ended; the next writer to open the index deletes files."""
    connection.execute("DELETE FROM blocks WHERE segment IN (SELECT number FROM segments WHERE ended <= ?)", (generation,))
    connection.execute("DELETE FROM segments WHERE ended <= ?", (generation,))
    connection.execute("DELETE FROM spaces WHERE ended <= ?", (generation,))


def _live_segments(connection: apsw.Connection) -> int:
    """The number of live segments of all spaces."""
    return int(connection.execute("SELECT count(*) FROM segments WHERE ended IS NULL").get)


def _rows_in_use(connection: apsw.Connection, segment: Segment) -> int:
    question = "SELECT count(*) FROM vectors WHERE number >= ? AND number < ?"
    return int(connection.execute(question, (segment.first, segment.first + segment.rows)).get)


def _merge(
    transaction: Transaction,
    connection: apsw.Connection,
    group: Sequence[Segment],
    born: int,
    dim: int,
    read: ReadRows | None = None,
) -> None:
    """Copies the used rows of a group into one new segment.

    Without `read`, the rows are read from the segments' files in chunks: all those of a round would take 256 MB.
    """
    read = read or partial(read_runs, transaction.folder, connection, dim)
    question = "SELECT number FROM vectors WHERE number >= ? AND number < ? ORDER BY number"
    runs = {segment: runs_of(connection.execute(question, (segment.first, segment.first + segment.rows))) for segment in group}
    moves: list[tuple[int, int, int]] = []  # (offset, first, end): the numbers first … end - 1 move by the offset
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
    move_contents(connection, moves)
