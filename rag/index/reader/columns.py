"""The narrow columns of all passages as arrays in a derived file, so that a large index opens without reading them row by row.

Knows the table `passages` and the generations; knows no vectors and no words.

    numbers · documents · vectors · dated (8 bytes each) · kinds (1 byte)         little-endian, one after the other

The file holds one generation. A later one takes the rest from the catalog: passages are numbered as they come, and those that
ended are few. A compaction changes the numbers of vectors, so that what was kept before it is of no use after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.connection import commit_name
from rag.index.catalog.schema import LIVE
from rag.index.files.sealed_file import Sealed, open_sealed, write_sealed

WORTH_KEEPING = 50_000  # passages read row by row: 25 ms

_KIND = "columns 2"
_NAMES = "number, document, kind, vector, dated"


class Columns(NamedTuple):
    """The passages live at one generation, by ascending number."""

    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    vectors: NDArray[np.int64]
    dated: NDArray[np.float64]
    kinds: NDArray[np.uint8]


def columns_file(folder: Path) -> Path:
    """Where the columns of an index lie."""
    return folder / "passages.columns"


def read_columns(folder: Path, connection: apsw.Connection, generation: int, compacted: int) -> Columns:
    """The columns of a generation; `compacted` is the one that numbered the vectors anew last, 0 where none did.

    45 ms for 100,000 passages without the file, 5 ms for 1,000,000 with it. Makes the file where much was read without it, and
    the folder may be written.
    """
    kept = _opened(folder, connection, generation, compacted)
    if kept is None:
        found = _rows(connection, generation, -1)
        read = len(found.numbers)
    else:
        old, since = kept
        last = int(old.numbers[-1])
        added = _rows(connection, generation, last)
        question = "SELECT number FROM passages WHERE ended > ? AND ended <= ? AND number <= ?"
        ended = np.fromiter((number for (number,) in connection.execute(question, (since, generation, last))), np.int64)
        found = _joined(old, ended, added)
        read = len(added.numbers) + len(ended)
    name = commit_name(connection, generation)
    if read >= WORTH_KEEPING and len(found.numbers) and name:
        try:
            told = {"kind": _KIND, "generation": generation, "compacted": compacted, "count": len(found.numbers)}
            write_sealed(columns_file(folder), (_bytes(column) for column in found), {**told, "commit": name})
        except OSError:  # a read-only index is opened the long way every time
            pass
    return found


def _opened(folder: Path, connection: apsw.Connection, generation: int, compacted: int) -> tuple[Columns, int] | None:
    """What was kept and is still true at a generation, and the generation it is of."""
    sealed = open_sealed(columns_file(folder))
    if sealed is None or sealed.told["kind"] != _KIND:
        return None
    since, count = int(sealed.told["generation"]), int(sealed.told["count"])
    if not count or since > generation or sealed.told["compacted"] != compacted or compacted > since:
        return None
    # A catalog put back from a copy may have gone another way since: then that generation was another commit.
    name = commit_name(connection, since)
    return (_columns(sealed, count), since) if name and name == sealed.told["commit"] else None


def _columns(sealed: Sealed, count: int) -> Columns:
    wide = [sealed.payload[8 * count * at : 8 * count * (at + 1)] for at in range(4)]
    numbers, documents, vectors = (each.view("<i8") for each in wide[:3])
    return Columns(numbers, documents, vectors, wide[3].view("<f8"), sealed.payload[32 * count :])


def _bytes(column: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(column, column.dtype.newbyteorder("<")).view(np.uint8).data


def _rows(connection: apsw.Connection, generation: int, after: int) -> Columns:
    """Those of a greater number, from the catalog."""
    question = f"SELECT {_NAMES} FROM passages WHERE {LIVE} AND number > ?2 ORDER BY number"
    # float64 holds every integer up to 2^53, and no catalog counts that far.
    rows = connection.execute(question, (generation, after))
    table = np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, 5)
    numbers, documents, kinds, vectors = (table[:, column].astype(np.int64) for column in range(4))
    return Columns(numbers, documents, vectors, table[:, 4].copy(), kinds.astype(np.uint8))


def _joined(old: Columns, ended: NDArray[np.int64], added: Columns) -> Columns:
    stays = np.ones(len(old.numbers), np.bool_)
    if len(ended):
        places = np.searchsorted(old.numbers, ended).clip(max=len(stays) - 1)
        stays[places[old.numbers[places] == ended]] = False
    elif not len(added.numbers):
        return old
    pairs: Iterator[tuple[NDArray[Any], NDArray[Any]]] = zip(old, added, strict=True)
    return Columns(*[np.concatenate((kept[stays], new)) for kept, new in pairs])
