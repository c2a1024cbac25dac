"""Loads which content has which vector in a further space, and afterwards only what has changed since.

Knows the table `members` and generations; knows no vector values and no words.

    contents · numbers (8 bytes each)         little-endian, one after the other

Vectors of a space are numbered as they come, and those that a merge of its segments moves get new numbers: what has a number
above the last one known replaces what was known of its content. Rows go only with a compaction, which is recorded; after one,
or where the catalog was restored from a backup, everything is read again.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.connection import commit_name
from rag.index.catalog.spaces import given_numbers
from rag.index.files.sealed_file import open_sealed, write_sealed

WORTH_KEEPING = 50_000  # members; reading so many row by row takes 25 ms

_KIND = "members 1"
_AT_MOST = 8  # numbers of contents for each content, where a table over all of them is no waste


class Members(NamedTuple):
    """What a space holds at a generation: int64 (n,) each, ordered by content."""

    generation: int
    compacted: int  # the generation of the last compaction at that time
    given: int  # numbers that the space had given
    contents: NDArray[np.int64]  # vectors in the first space, ascending
    numbers: NDArray[np.int64]  # vectors in this one

    def of(self, contents: NDArray[np.int64]) -> NDArray[np.int64]:
        """The vectors of some contents, int64 (n,); 0 where the space has none."""
        if not len(self.contents):
            return np.zeros(len(contents), np.int64)
        first, last = int(self.contents[0]), int(self.contents[-1])
        if last - first < _AT_MOST * len(self.contents):
            table = np.zeros(last - first + 2, np.int64)
            table[self.contents - first] = self.numbers
            return table[np.where((contents >= first) & (contents <= last), contents - first, last - first + 1)]
        places = np.searchsorted(self.contents, contents).clip(max=len(self.contents) - 1)
        return np.where(self.contents[places] == contents, self.numbers[places], 0)


def members_file(folder: Path, space: int) -> Path:
    """The path of the file of a space's members."""
    return folder / f"passages.members{space}"


def read_members(
    folder: Path, connection: apsw.Connection, space: int, generation: int, compacted: int, known: Members | None
) -> Members:
    """The members of a space at a generation, from those `known`, else from the file, else from every row.

    `compacted` is the generation of the last compaction. Takes 0.5 s for 1,000,000 without either, and some milliseconds for a
    commit after those known. Writes the file where many rows had to be read and the folder is writable.
    """
    if known is None or known.generation > generation or known.compacted != compacted:
        known = _open_members(folder, connection, space, generation, compacted)
    given = given_numbers(connection, space)
    fresh = _read_rows(connection, space, known.given if known else 0)
    if known is None:
        order = np.argsort(fresh[:, 0])
        found = Members(generation, compacted, given, fresh[order, 0], fresh[order, 1])
    else:
        found = _merge(known, fresh)._replace(generation=generation, given=given)
    name = commit_name(connection, generation)
    if len(fresh) >= WORTH_KEEPING and name:
        try:
            manifest = {"kind": _KIND, "generation": generation, "compacted": compacted, "given": given, "commit": name}
            columns = (np.ascontiguousarray(each, "<i8").view(np.uint8).data for each in (found.contents, found.numbers))
            write_sealed(members_file(folder, space), columns, {**manifest, "count": len(found.contents)})
        except OSError:  # a read-only index reads its rows every time
            pass
    return found


def _open_members(folder: Path, connection: apsw.Connection, space: int, generation: int, compacted: int) -> Members | None:
    """The stored members; None where they are absent, damaged, or not valid for this generation."""
    sealed = open_sealed(members_file(folder, space))
    if sealed is None or sealed.manifest["kind"] != _KIND:
        return None
    since, count, given = (int(sealed.manifest[name]) for name in ("generation", "count", "given"))
    if since > generation or sealed.manifest["compacted"] != compacted or compacted > since:
        return None
    # After the catalog is restored from a backup, the same generation number may belong to another commit.
    name = commit_name(connection, since)
    if not name or name != sealed.manifest["commit"]:
        return None
    return Members(
        since, compacted, given, sealed.payload[: 8 * count].view("<i8").copy(), sealed.payload[8 * count :].view("<i8").copy()
    )


def _read_rows(connection: apsw.Connection, space: int, after: int) -> NDArray[np.int64]:
    """Content and number of the members with a number greater than `after`, int64 (n, 2)."""
    rows = connection.execute("SELECT vector, number FROM members WHERE space = ? AND number > ?", (space, after))
    return np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 2)


def _merge(old: Members, fresh: NDArray[np.int64]) -> Members:
    """The old members with the fresh ones in their places; arrays that others use are not changed."""
    if not len(fresh):
        return old
    fresh = fresh[np.argsort(fresh[:, 0])]
    contents, numbers = fresh[:, 0], fresh[:, 1]
    places = np.searchsorted(old.contents, contents)
    there = np.zeros(len(contents), np.bool_)
    inside = places < len(old.contents)
    there[inside] = old.contents[places[inside]] == contents[inside]
    moved = old.numbers.copy()
    moved[places[there]] = numbers[there]
    at = places[~there]
    return old._replace(contents=np.insert(old.contents, at, contents[~there]), numbers=np.insert(moved, at, numbers[~there]))
