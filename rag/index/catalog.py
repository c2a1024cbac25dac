"""Connections to the catalog: how it is opened, and what its errors mean to a person.

Knows SQLite; knows none of the tables but `facts`, which holds the generation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from rag.errors import IndexDamaged, IndexFailure, IndexNotFound, IndexTooNew, StorageFailed
from rag.index.schema import APPLICATION, FORMAT

FILE = "catalog.sqlite"
REBUILD = "restore the folder from a copy, or rebuild it: rag index --rebuild FOLDER"
_READS = {apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS}
_PATIENCE_MS = 10_000  # how long a connection waits for another's moment of exclusive work
_PAGES_KIB = 64_000  # page cache of one connection


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turns what SQLite says into the errors of this project; `folder` is the index folder."""
    try:
        yield
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError) as error:
        if getattr(error, "extendedresult", 0) in _READS:
            raise IndexDamaged(f"{folder / FILE} cannot be read: {error}", remedy=REBUILD) from error
        raise StorageFailed(folder, f"{FILE}: {error}") from error
    except apsw.NoMemError as error:
        raise MemoryError(str(error)) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise IndexFailure(f"{folder / FILE} is held by another program: {error}", remedy="close it and try again") from error
    except apsw.CantOpenError as error:
        raise IndexFailure(f"{folder / FILE} cannot be opened: {error}", remedy="may you read this folder?") from error
    except (apsw.Error, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{folder / FILE} is not what was written: {error}", remedy=REBUILD) from error


def open_to_read(folder: Path) -> apsw.Connection:
    """A read-only connection; also on a read-only file system.

    IndexNotFound, IndexDamaged, IndexTooNew, IndexFailure. Writers leave the empty log and its shared memory in place, so a
    reader without the right to write joins them; a bare catalog copied without them is read as a file that nobody changes.
    """
    with translated(folder):
        try:
            return _checked(folder, _connect(folder, apsw.SQLITE_OPEN_READONLY))
        except (apsw.ReadOnlyError, apsw.CantOpenError) as error:
            log = folder / f"{FILE}-wal"
            if log.exists() and log.stat().st_size:
                what = f"{folder} is read-only, and {log.name} holds commits that are not yet in {FILE}"
                raise IndexFailure(what, remedy="run rag status once where it may be written") from error
            return _checked(folder, _connect(folder, apsw.SQLITE_OPEN_READONLY, "?immutable=1"))


def open_to_write(folder: Path) -> apsw.Connection:
    """The writer's connection: WAL, every commit synced. Hold the lock first. Errors as `open_to_read`, and StorageFailed."""
    with translated(folder):
        connection = _checked(folder, _connect(folder, apsw.SQLITE_OPEN_READWRITE))
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA journal_size_limit = 0")
        keep = ctypes.c_int(1)
        connection.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(keep))
        return connection


def format_of(folder: Path, connection: apsw.Connection) -> int:
    """The format number; IndexDamaged where the file is not a catalog, IndexTooNew where it is from a later version."""
    if connection.pragma("application_id") != APPLICATION:
        raise IndexDamaged(f"{folder / FILE} is not a catalog", remedy=REBUILD)
    found = int(connection.pragma("user_version"))
    if found > FORMAT:
        raise IndexTooNew(folder, found, FORMAT)
    return found


def generation_of(connection: apsw.Connection) -> int:
    """The number of the last commit, from 0."""
    return int(fact(connection, "generation"))


def fact(connection: apsw.Connection, name: str) -> str | int:
    """One value of the table `facts`."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).get
    if not isinstance(found, str | int):
        raise apsw.CorruptError(f"no {name} is recorded")
    return found


def _connect(folder: Path, flags: int, query: str = "") -> apsw.Connection:
    file = folder.absolute() / FILE
    if not file.is_file():
        raise IndexNotFound(folder)
    # A URI, because it can spell folder names that are not UTF-8.
    connection = apsw.Connection(file.as_uri() + query, flags=flags | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(_PATIENCE_MS)
    connection.execute(f"PRAGMA cache_size = -{_PAGES_KIB}")
    return connection


def _checked(folder: Path, connection: apsw.Connection) -> apsw.Connection:
    try:
        format_of(folder, connection)
    except (apsw.Error, IndexFailure):
        connection.close()
        raise
    return connection
