"""Compacts the segments of a further space: drops rows whose content is gone, and merges small segments.

Knows the tables `members`, `spaces` and `segments`; knows no passages and no model. Segments of other spaces stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain

import apsw

from rag.index.base import Segment
from rag.index.catalog.spaces import Space, given_numbers, keep_given, read_spaces
from rag.index.catalog.transaction import Transaction
from rag.index.upkeep.segment_groups import ReadRows, group_of_one_size, neighbour_groups, read_runs, runs_of
from rag.index.vectors.segments import read_segments
from rag.index.vectors.vector_store import add_segment

_RANGE = "space = ? AND number >= ? AND number < ?"


def groups_to_compact(connection: apsw.Connection, generation: int, max_rows: int) -> list[tuple[Space, list[Segment]]]:
    """Of every further space the segments that have unused rows, or are small where there are several, in groups to merge."""
    found = []
    for space in read_spaces(connection, generation):
        segments = read_segments(connection, generation, space.number)
        small = [each for each in segments if each.rows < max_rows // 4]
        again = [each for each in segments if _rows_in_use(connection, each) < each.rows or (each in small and len(small) > 1)]
        found += [(space, group) for group in neighbour_groups(again, max_rows)]
    return found


def group_to_merge(
    connection: apsw.Connection, generation: int, round_bytes: int, merge_from: int
) -> tuple[Space, list[Segment]] | None:
    """A further space with too many segments of one size, and those that one round merges; None where there is none."""
    for space in read_spaces(connection, generation):
        limit = round_bytes // (2 * space.fingerprint.dim)
        if group := group_of_one_size(read_segments(connection, generation, space.number), limit, merge_from):
            return space, group
    return None


def merge_space(
    transaction: Transaction,
    connection: apsw.Connection,
    space: Space,
    group: Sequence[Segment],
    born: int,
    read: ReadRows | None = None,
) -> None:
    """Copies the used rows of a group into one new segment, and ends the old ones. Rows get new numbers.

    Without `read`, the rows are read from the segments' files in chunks.
    """
    dim = space.fingerprint.dim
    read = read or partial(read_runs, transaction.folder, connection, dim)
    question = f"SELECT number FROM members WHERE {_RANGE} ORDER BY number"
    runs = {each: runs_of(connection.execute(question, (space.number, *_range(each)))) for each in group}
    first = last = given_numbers(connection, space.number) + 1
    moves = []
    for start, end in chain.from_iterable(runs.values()):
        moves.append((last - start, space.number, start, end))
        last += end - start
    if moves:
        parts = chain.from_iterable(read(segment, found) for segment, found in runs.items())
        add_segment(transaction, connection, first, last - first, parts, dim, born, space.number)
    connection.executemany("UPDATE segments SET ended = ? WHERE number = ?", [(born, each.number) for each in group])
    connection.executemany(f"UPDATE members SET number = number + ? WHERE {_RANGE}", moves)
    keep_given(connection, space.number, last - 1)


def _range(segment: Segment) -> tuple[int, int]:
    return segment.first, segment.first + segment.rows


def _rows_in_use(connection: apsw.Connection, segment: Segment) -> int:
    return int(connection.execute(f"SELECT count(*) FROM members WHERE {_RANGE}", (segment.space, *_range(segment))).get)
