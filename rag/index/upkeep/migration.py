"""An index of an older format is brought up to date where it lies. A kill at any moment leaves the old format or the new one.

Knows what each format changed; knows no passages and no models.
"""

from __future__ import annotations

from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexDamaged, IndexFailure, IndexLocked, IndexTooOld
from rag.index.catalog.connection import (
    REBUILD,
    connect,
    format_of,
    format_on_disk,
    has_no_checksums,
    lasting,
    open_unsummed,
    translated,
)
from rag.index.catalog.schema import FORMAT
from rag.index.files.checksums import BLOCK, BlockSums, sum_of_sums
from rag.index.files.layout import segment_file
from rag.index.files.lock import locked

_OLD_BLOCK = 1 << 20  # of format 1: bytes under one BLAKE2b of 64 bits
_INTO_2 = """
DROP TABLE blocks;
CREATE TABLE blocks(segment INTEGER PRIMARY KEY REFERENCES segments, checksums BLOB NOT NULL) STRICT;
CREATE INDEX passages_by_vector ON passages(vector);
PRAGMA user_version = 2;
"""
_INTO_3 = "PRAGMA user_version = 3"  # `texts.context` may hold `about` and `location`, which older versions take for damage


def bring_up_to_date(folder: Path) -> bool:
    """Makes an index of an older format one of this format; False where there was nothing to do.

    IndexTooOld where its folder is read-only, IndexLocked while another process writes it, IndexDamaged, StorageFailed.
    """
    if not (folder / CATALOG_FILE).is_file() or format_on_disk(folder) >= FORMAT:
        return False
    try:
        with locked(folder), translated(folder):
            return _migrate(folder)
    except IndexLocked:
        raise
    except IndexFailure as error:
        if isinstance(error.__cause__, PermissionError) or "read-only" in str(error.__cause__).lower():
            raise IndexTooOld(folder, format_on_disk(folder), FORMAT) from error
        raise


def _migrate(folder: Path) -> bool:
    with closing(lasting(open_unsummed(folder))) as connection:
        found = format_of(folder, connection)
        if found >= FORMAT:
            return False
        if found == 1:
            _refuse_a_flip(folder)
            _into_2(folder, connection)
        elif found != 2:
            raise IndexDamaged(f"{folder / CATALOG_FILE} has format {found}, which never was", remedy=REBUILD)
    with closing(lasting(connect(folder, apsw.SQLITE_OPEN_READWRITE))) as connection:
        connection.execute(_INTO_3)
    return True


def _into_2(folder: Path, connection: apsw.Connection) -> None:
    """Checksums for every page of the catalog, and smaller blocks of vectors under one."""
    sums = {number: _new_sums(connection, folder, number) for number in _segments(connection)}
    connection.execute("VACUUM")  # rewrites every page, now with its checksum
    connection.execute("PRAGMA checksum_verification = ON")
    with connection:
        connection.execute(_INTO_2)
        for number, each in sums.items():
            connection.execute("INSERT INTO blocks VALUES (?, ?)", (number, each.astype("<u8").tobytes()))
            connection.execute("UPDATE segments SET checksum = ? WHERE number = ?", (sum_of_sums(each), number))


def _refuse_a_flip(folder: Path) -> None:
    """A catalog whose first page has a checksum that is wrong was not written by format 1: its number was changed by damage."""
    if has_no_checksums(folder / CATALOG_FILE):
        return
    with closing(connect(folder, apsw.SQLITE_OPEN_READONLY)) as connection:
        connection.pragma("user_version")  # compares the page: translated into IndexDamaged


def _segments(connection: apsw.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM segments ORDER BY number")]


def _new_sums(connection: apsw.Connection, folder: Path, number: int) -> NDArray[np.uint64]:
    """The checksums of the smaller blocks. Those in a block that is damaged already stay wrong, so that it is found again."""
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT block, checksum FROM blocks WHERE segment = ? ORDER BY block", (number,)
    ).fetchall()
    old = dict(rows)
    sums = BlockSums()
    damaged: list[int] = []
    file = segment_file(folder, number)
    try:
        with file.open("rb") as opened:
            for at in range(len(old)):
                content = opened.read(_OLD_BLOCK)
                sums.add(memoryview(content))
                if blake2b(content, digest_size=8).digest() != old.get(at):
                    damaged.append(at)
    except OSError as error:
        raise IndexDamaged(f"{file} cannot be read: {error.strerror}", remedy=REBUILD) from error
    size = int(connection.execute("SELECT size FROM segments WHERE number = ?", (number,)).get)
    found = np.zeros(-(-size // BLOCK), np.uint64)
    read = sums.found()[: len(found)]
    found[: len(read)] = read
    for at in damaged:
        found[at * (_OLD_BLOCK // BLOCK) : (at + 1) * (_OLD_BLOCK // BLOCK)] ^= np.uint64(1)
    return found
