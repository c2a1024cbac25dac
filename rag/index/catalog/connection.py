"""Connections to the catalog: how it is opened, and what its errors mean to a person.

Knows SQLite; knows none of the tables but `facts`, which holds the generation.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import apsw

from rag.corpus.file_types import CATALOG_FILE
from rag.errors import IndexDamaged, IndexFailure, IndexNotFound, IndexTooNew, IndexTooOld, StorageFailed
from rag.index.catalog.schema import APPLICATION, FORMAT, PAGE_RESERVE

CHECK = "rag check --read-data says what is damaged, rag repair what is left to do"
REBUILD = "restore the folder from a copy, or rebuild it: rag index --rebuild FOLDER"
_MAY = "may you read this folder?"
_READS = {apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS}
_PATIENCE_MS = 10_000  # how long a connection waits for another's moment of exclusive work
_PAGES_KIB = 64_000  # page cache of a connection that reads
_WRITER_PAGES_KIB = 12_000  # of the one that writes: 64 MB, filled as a corpus grows, made 100,000 passages no cheaper
_NAMED = 1_000  # commits whose names are kept
_MAGIC = b"SQLite format 3\0"
_HEADER = 100  # bytes of SQLite's header: the page size stands at 16, the bytes kept free in every page at 20


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turns what SQLite says into the errors of this project; `folder` is the index folder.

    IndexDamaged where what lies there is not what was written, or cannot be read; StorageFailed where nothing can be written;
    IndexFailure where another program holds it, or it cannot be opened.
    """
    try:
        yield
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError) as error:
        code = getattr(error, "extendedresult", 0)
        if code == apsw.SQLITE_IOERR_DATA:
            raise IndexDamaged(f"{folder / CATALOG_FILE}: a page of it is not what was written", remedy=CHECK) from error
        if code in _READS:
            raise IndexDamaged(f"{folder / CATALOG_FILE} cannot be read: {error}", remedy=REBUILD) from error
        raise StorageFailed(folder, f"{CATALOG_FILE}: {error}") from error
    except apsw.NoMemError as error:
        raise MemoryError(str(error)) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise IndexFailure(
            f"{folder / CATALOG_FILE} is held by another program: {error}", remedy="close it and try again"
        ) from error
    except apsw.CantOpenError as error:
        raise IndexFailure(f"{folder / CATALOG_FILE} cannot be opened: {error}", remedy=_MAY) from error
    except (apsw.Error, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{folder / CATALOG_FILE} is not what was written: {error}", remedy=REBUILD) from error


def open_to_read(folder: Path) -> apsw.Connection:
    """A read-only connection; also on a read-only file system. Every page is compared with its checksum when it is read.

    IndexNotFound, IndexDamaged, IndexTooNew, IndexTooOld, IndexFailure. Writers leave the empty log and its shared memory in
    place, so a reader without the right to write joins them; a bare catalog copied without them is read as a file that nobody
    changes.
    """
    with translated(folder):
        try:
            return _checked(folder, connect(folder, apsw.SQLITE_OPEN_READONLY))
        except (apsw.ReadOnlyError, apsw.CantOpenError) as error:
            log = folder / f"{CATALOG_FILE}-wal"
            if log.exists() and log.stat().st_size:
                what = f"{folder} is read-only, and {log.name} holds commits that are not yet in {CATALOG_FILE}"
                raise IndexFailure(what, remedy="run rag status once where it may be written") from error
            return _checked(folder, connect(folder, apsw.SQLITE_OPEN_READONLY, "?immutable=1"))


def open_to_write(folder: Path) -> apsw.Connection:
    """The writer's connection: WAL, every commit synced. Hold the lock first. Errors as `open_to_read`, and StorageFailed."""
    with translated(folder):
        connection = lasting(_checked(folder, connect(folder, apsw.SQLITE_OPEN_READWRITE)))
        connection.execute(f"PRAGMA cache_size = -{_WRITER_PAGES_KIB}")
        return connection


def lasting(connection: apsw.Connection) -> apsw.Connection:
    """The connection, set so that every commit is synced and the log stays in place, empty, when it is closed."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA journal_size_limit = 0")
    keep = ctypes.c_int(1)
    connection.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(keep))
    return connection


def open_unsummed(folder: Path) -> apsw.Connection:
    """A connection that writes checksums and does not compare them: for a catalog whose format has none yet."""
    connection = connect(folder, apsw.SQLITE_OPEN_READWRITE)
    connection.execute("PRAGMA checksum_verification = OFF")
    return connection


def format_on_disk(folder: Path) -> int:
    """The format number in the header of the file, without opening it; the log may hold a newer one. 0 where there is none.

    IndexFailure where the file cannot be read.
    """
    try:
        with (folder / CATALOG_FILE).open("rb") as opened:
            return int.from_bytes(opened.read(64)[60:], "big")
    except OSError as error:
        raise IndexFailure(f"{folder / CATALOG_FILE} cannot be opened: {error.strerror}", remedy=_MAY) from error


def format_of(folder: Path, connection: apsw.Connection) -> int:
    """The format number; IndexDamaged where the file is not a catalog."""
    if connection.pragma("application_id") != APPLICATION:
        raise IndexDamaged(f"{folder / CATALOG_FILE} is not a catalog", remedy=REBUILD)
    return int(connection.pragma("user_version"))


def generation_of(connection: apsw.Connection) -> int:
    """The number of the last commit, from 0."""
    return int(fact(connection, "generation"))


def compacted_of(connection: apsw.Connection) -> int:
    """The generation of the last compaction, which numbered vectors anew and removed what had ended before it; 0 for none."""
    return int(connection.execute("SELECT value FROM facts WHERE name = 'compacted'").get or 0)


def make_generation(connection: apsw.Connection, generation: int) -> None:
    """Raises the generation within a transaction, and gives that commit a random name, so that nobody takes another for it."""
    connection.execute("UPDATE facts SET value = ? WHERE name = 'generation'", (generation,))
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"commit {generation}", os.urandom(8).hex()))
    connection.execute("DELETE FROM facts WHERE name = ?", (f"commit {generation - _NAMED}",))


def commit_name(connection: apsw.Connection, generation: int) -> str | None:
    """The name of a commit; None of those that are long past, or were made before commits had names.

    A catalog put back from a copy counts on from an older generation: its commits have other names than those of before.
    """
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (f"commit {generation}",)).get
    return str(found) if found else None


def fact(connection: apsw.Connection, name: str) -> str | int:
    """One value of the table `facts`."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).get
    if not isinstance(found, str | int):
        raise apsw.CorruptError(f"no {name} is recorded")
    return found


@cache
def checksum_vfs() -> str:
    """The name of the VFS that keeps a checksum in every page; it is loaded once a process and outlives its connection.

    IndexFailure where a build of apsw comes without it; nothing is opened then: unchecked pages give silently wrong answers.
    """
    # SQLite adds the suffix of the platform. `apsw.sqlite_extra` would do the same, for 20 ms of imports.
    library = Path(apsw.__file__).with_name("sqlite_extra_binaries") / "cksumvfs"
    holder = apsw.Connection(":memory:")
    try:
        holder.enable_load_extension(True)
        holder.load_extension(str(library))
    except apsw.ExtensionLoadingError as error:
        what = f"this build of apsw comes without SQLite's page checksums: {error}"
        raise IndexFailure(what, remedy="install a wheel of it: pip install --only-binary apsw --force-reinstall apsw") from error
    finally:
        holder.close()
    return "cksmvfs"


def connect(folder: Path, flags: int, query: str = "") -> apsw.Connection:
    """A connection whose format nobody has looked at yet. IndexNotFound, IndexDamaged where the header is not a catalog's."""
    file = folder.absolute() / CATALOG_FILE
    if not file.is_file():
        raise IndexNotFound(folder)
    _refuse_other_header(file)
    # A URI, because it can spell folder names that are not UTF-8.
    connection = apsw.Connection(file.as_uri() + query, flags=flags | apsw.SQLITE_OPEN_URI, vfs=checksum_vfs())
    connection.set_busy_timeout(_PATIENCE_MS)
    return connection


def _refuse_other_header(file: Path) -> None:
    """Whether pages have checksums at all is written in the header, so a flip there would turn them off."""
    try:
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
    except OSError as error:
        raise IndexFailure(f"{file} cannot be opened: {error.strerror}", remedy=_MAY) from error
    if len(header) < _HEADER or not header.startswith(_MAGIC) or header[20] != PAGE_RESERVE:
        raise IndexDamaged(f"{file} is not what was written: its header is not that of a catalog", remedy=REBUILD)


def _checked(folder: Path, connection: apsw.Connection) -> apsw.Connection:
    try:
        unsummed = has_no_checksums(folder / CATALOG_FILE)
        if unsummed:
            connection.execute("PRAGMA checksum_verification = OFF")
        found = format_of(folder, connection)
        if found > FORMAT:
            raise IndexTooNew(folder, found, FORMAT)
        if found < FORMAT:
            raise IndexTooOld(folder, found, FORMAT)
        if unsummed:  # the pages with checksums are all in the log
            connection.execute("PRAGMA checksum_verification = ON")
        connection.execute(f"PRAGMA cache_size = -{_PAGES_KIB}")
    except (apsw.Error, IndexFailure):
        connection.close()
        raise
    return connection


def has_no_checksums(file: Path) -> bool:
    """Whether the first page is from before checksums: no page has eight zeros for one, save with odds of 1 to 2^64."""
    with file.open("rb") as opened:
        (page,) = struct.unpack(">H", opened.read(18)[16:])
        opened.seek(max(page, PAGE_RESERVE) - PAGE_RESERVE)
        return opened.read(PAGE_RESERVE) == bytes(PAGE_RESERVE)
