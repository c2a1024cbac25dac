"""Migrates an index of an older format in place. A kill at any moment leaves it in the old format or in the new one.

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
    make_durable,
    open_unverified,
    translate_errors,
)
from rag.index.catalog.schema import FORMAT, SPACE_TABLES
from rag.index.files.checksums import BLOCK, BlockSums, file_sum
from rag.index.files.layout import segment_file
from rag.index.files.lock import locked

_OLD_BLOCK = 1 << 20  # of format 1: bytes per checksum, BLAKE2b of 64 bits
_TO_FORMAT_2 = """
DROP TABLE blocks;
CREATE TABLE blocks(segment INTEGER PRIMARY KEY REFERENCES segments, checksums BLOB NOT NULL) STRICT;
CREATE INDEX passages_by_vector ON passages(vector);
PRAGMA user_version = 2;
"""
_TO_FORMAT_3 = "PRAGMA user_version = 3;"  # `texts.context` may hold `about` and `location`, which older versions take for damage
_TO_FORMAT_4 = f"ALTER TABLE segments ADD COLUMN space INTEGER NOT NULL DEFAULT 0; {SPACE_TABLES} PRAGMA user_version = 4;"


def bring_up_to_date(folder: Path) -> bool:
    """Migrates an index of an older format to the current one; False where there was nothing to do.

    IndexTooOld where the folder is read-only, IndexLocked while another process writes it, IndexDamaged, StorageFailed.
    """
    if not (folder / CATALOG_FILE).is_file() or format_on_disk(folder) >= FORMAT:
        return False
    try:
        with locked(folder), translate_errors(folder):
            return _migrate(folder)
    except IndexLocked:
        raise
    except IndexFailure as error:
        if isinstance(error.__cause__, PermissionError) or "read-only" in str(error.__cause__).lower():
            raise IndexTooOld(folder, format_on_disk(folder), FORMAT) from error
        raise


def _migrate(folder: Path) -> bool:
    with closing(make_durable(open_unverified(folder))) as connection:
        found = format_of(folder, connection)
        if found >= FORMAT:
            return False
        if found == 1:
            _refuse_damaged_header(folder)
            _to_format_2(folder, connection)
        elif found not in (2, 3):
            raise IndexDamaged(f"{folder / CATALOG_FILE} has format {found}, which never existed", remedy=REBUILD)
    with closing(make_durable(connect(folder, apsw.SQLITE_OPEN_READWRITE))) as connection, connection:
        connection.execute(_TO_FORMAT_3 + _TO_FORMAT_4)
    return True


def _to_format_2(folder: Path, connection: apsw.Connection) -> None:
    """Checksums for every page of the catalog, and smaller blocks of vectors per checksum."""
    sums = {number: _new_sums(connection, folder, number) for number in _segments(connection)}
    connection.execute("VACUUM")  # rewrites every page, with its checksum
    connection.execute("PRAGMA checksum_verification = ON")
    with connection:
        connection.execute(_TO_FORMAT_2)
        for number, each in sums.items():
            connection.execute("INSERT INTO blocks VALUES (?, ?)", (number, each.astype("<u8").tobytes()))
            connection.execute("UPDATE segments SET checksum = ? WHERE number = ?", (file_sum(each), number))


def _refuse_damaged_header(folder: Path) -> None:
    """IndexDamaged where the first page has a wrong checksum: format 1 had none, so damage has changed the format number."""
    if has_no_checksums(folder / CATALOG_FILE):
        return
    with closing(connect(folder, apsw.SQLITE_OPEN_READONLY)) as connection:
        connection.pragma("user_version")  # verifies the page


def _segments(connection: apsw.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM segments ORDER BY number")]


def _new_sums(connection: apsw.Connection, folder: Path, number: int) -> NDArray[np.uint64]:
    """The checksums of the new, smaller blocks; wrong ones within a damaged old block, so that the damage stays known."""
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
    read = sums.finish()[: len(found)]
    found[: len(read)] = read
    for at in damaged:
        found[at * (_OLD_BLOCK // BLOCK) : (at + 1) * (_OLD_BLOCK // BLOCK)] ^= np.uint64(1)
    return found
