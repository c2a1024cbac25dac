"""Creates the folder of an index, and reads its fingerprint and settings.

Knows the files of the folder; knows no passages and no vectors.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import apsw

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexDamaged, IndexFailure, StorageFailed
from rag.index.catalog.connection import REBUILD, checksum_vfs, fact, generation_of, open_to_read, translate_errors
from rag.index.catalog.row_codec import clean, fingerprint_from_json, fingerprint_to_json
from rag.index.catalog.schema import APPLICATION, FORMAT, PAGE_RESERVE, TABLES
from rag.index.catalog.spaces import Space, read_spaces
from rag.index.files.durable import sync, sync_folder
from rag.index.files.layout import SEGMENTS
from rag.index.files.lock import locked, refuse_without_locks
from rag.text.folding import REVISION
from rag.types import Fingerprint

_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def create(folder: Path, fingerprint: Fingerprint, settings: Mapping[str, str]) -> None:
    """Creates an empty index of generation 0. A kill at any moment leaves either no index or a complete one.

    IndexFailure where an index exists already, the folder cannot be created, or its file system has no working locks or no
    fsync; StorageFailed where the disk is full; IndexLocked while another process creates it.
    """
    made = _make_folders(folder)
    with locked(folder):
        refuse_without_locks(folder)
        if (folder / CATALOG_FILE).exists():
            raise IndexFailure(f"there is already an index at {folder}", remedy="choose another name: --index NAME")
        temporary = folder / f"{CATALOG_FILE}.new"
        try:
            for leftover in folder.glob(f"{CATALOG_FILE}.new*"):
                leftover.unlink()
            with translate_errors(folder):
                _write_empty_catalog(temporary, fingerprint, settings)
            with temporary.open("rb+") as out:
                sync(out.fileno())
            temporary.rename(folder / CATALOG_FILE)
            for changed in (folder, *(each.parent for each in made)):
                sync_folder(changed)
        except OSError as error:
            if error.errno in _NO_SYNC:
                what = f"{folder} is on a file system that cannot write durably (fsync: {error.strerror})"
                raise IndexFailure(what, remedy="keep the index on a local disk: --index DIR") from error
            raise StorageFailed(folder, error.strerror or str(error)) from error


def fingerprint_of(folder: Path) -> Fingerprint:
    """The fingerprint of the model that made the index's vectors. IndexNotFound, IndexTooNew, IndexTooOld, IndexDamaged."""
    with closing(open_to_read(folder)) as connection, translate_errors(folder):
        return read_fingerprint(folder, connection)


def settings_of(folder: Path) -> dict[str, str]:
    """The settings the index was made with. IndexNotFound, IndexTooNew, IndexTooOld, IndexDamaged."""
    with closing(open_to_read(folder)) as connection, translate_errors(folder):
        return read_settings(connection)


def spaces_of(folder: Path) -> tuple[Space, ...]:
    """The vector spaces beside the first. IndexNotFound, IndexTooNew, IndexTooOld, IndexDamaged."""
    with closing(open_to_read(folder)) as connection, translate_errors(folder):
        return read_spaces(connection, generation_of(connection))


def read_fingerprint(folder: Path, connection: apsw.Connection) -> Fingerprint:
    """The fingerprint, over an open connection. IndexDamaged."""
    stored = str(fact(connection, "fingerprint"))
    try:
        return fingerprint_from_json(stored)
    except (ValueError, TypeError) as error:
        raise IndexDamaged(f"{folder / CATALOG_FILE}: the fingerprint cannot be read", remedy=REBUILD) from error


def read_settings(connection: apsw.Connection) -> dict[str, str]:
    """The settings, over an open connection."""
    return {str(name): str(value) for name, value in connection.execute("SELECT name, value FROM settings ORDER BY name")}


def _make_folders(folder: Path) -> list[Path]:
    """Creates the folder and its `segments`; returns the folders that did not exist, innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "choose a folder you can write to: --index DIR"
        raise IndexFailure(f"no index can be made at {folder}: {error.strerror}", remedy=remedy) from error
    return missing


def _write_empty_catalog(file: Path, fingerprint: Fingerprint, settings: Mapping[str, str]) -> None:
    uri = file.absolute().as_uri()
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    with closing(apsw.Connection(uri, flags=flags, vfs=checksum_vfs())) as connection:
        connection.reserve_bytes("main", PAGE_RESERVE)
        with connection:
            connection.execute(TABLES)
            connection.execute(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT}")
            facts = {"generation": 0, "folding": REVISION, "fingerprint": fingerprint_to_json(fingerprint)}
            connection.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
            cleaned = [(clean(name), clean(value)) for name, value in settings.items()]
            connection.executemany("INSERT INTO settings VALUES (?, ?)", cleaned)
        if connection.pragma("journal_mode", "wal") != "wal":
            what = f"{file.parent} is on a file system without shared memory for SQLite's write-ahead log"
            raise IndexFailure(what, remedy="keep the index on a local disk: --index DIR")
