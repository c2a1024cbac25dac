"""Opens connections to the catalog, and translates SQLite's errors into those of this project.

Knows SQLite; of the tables it knows only `facts`, which holds the generation.
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

CHECK = "rag check --read-data lists the damage; rag repair repairs what it can"
REBUILD = "restore the folder from a backup, or rebuild it: rag index --rebuild FOLDER"
_CHECK_ACCESS = "check that you have permission to read this folder"
_READ_ERRORS = {apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS}
_BUSY_TIMEOUT_MS = 10_000  # how long a connection waits while another holds the catalog exclusively
_READER_CACHE_KIB = 64_000  # page cache of a reader's connection
_WRITER_CACHE_KIB = 12_000  # of the writer's: 64 MB, which fill as the corpus grows, made indexing 100,000 passages no cheaper
_COMMIT_NAMES_KEPT = 1_000  # latest commits whose names are kept
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100  # length of SQLite's header: the page size is at offset 16, the reserved bytes per page at 20


@contextmanager
def translate_errors(folder: Path) -> Iterator[None]:
    """Translates SQLite's errors into this project's; `folder` is the index folder.

    StorageFailed, IndexDamaged, IndexFailure, MemoryError.
    """
    try:
        yield
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError) as error:
        code = getattr(error, "extendedresult", 0)
        if code == apsw.SQLITE_IOERR_DATA:
            raise IndexDamaged(f"{folder / CATALOG_FILE} is damaged: the checksum of a page is wrong", remedy=CHECK) from error
        if code in _READ_ERRORS:
            raise IndexDamaged(f"{folder / CATALOG_FILE} cannot be read: {error}", remedy=REBUILD) from error
        raise StorageFailed(folder, f"{CATALOG_FILE}: {error}") from error
    except apsw.NoMemError as error:
        raise MemoryError(str(error)) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise IndexFailure(
            f"{folder / CATALOG_FILE} is locked by another program: {error}", remedy="close it and try again"
        ) from error
    except apsw.CantOpenError as error:
        raise IndexFailure(f"{folder / CATALOG_FILE} cannot be opened: {error}", remedy=_CHECK_ACCESS) from error
    except (apsw.Error, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{folder / CATALOG_FILE} is damaged: {error}", remedy=REBUILD) from error


def open_to_read(folder: Path) -> apsw.Connection:
    """A read-only connection, also on a read-only file system. The checksum of every page is verified when it is read.

    IndexNotFound, IndexDamaged, IndexTooNew, IndexTooOld, IndexFailure. Writers leave the empty log and its shared memory in
    place, so that a reader without write permission can join them. A catalog copied without them is opened as immutable.
    """
    with translate_errors(folder):
        try:
            return _checked_format(folder, connect(folder, apsw.SQLITE_OPEN_READONLY))
        except (apsw.ReadOnlyError, apsw.CantOpenError) as error:
            log = folder / f"{CATALOG_FILE}-wal"
            if log.exists() and log.stat().st_size:
                what = f"{folder} is read-only, and {log.name} holds commits that are not yet in {CATALOG_FILE}"
                raise IndexFailure(what, remedy="make the folder writable and run rag status once") from error
            return _checked_format(folder, connect(folder, apsw.SQLITE_OPEN_READONLY, "?immutable=1"))


def open_to_write(folder: Path) -> apsw.Connection:
    """The writer's connection: WAL, every commit synced. Take the lock first. Raises as `open_to_read`, and StorageFailed."""
    with translate_errors(folder):
        connection = make_durable(_checked_format(folder, connect(folder, apsw.SQLITE_OPEN_READWRITE)))
        connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
        return connection


def make_durable(connection: apsw.Connection) -> apsw.Connection:
    """Sets the connection so that every commit is synced, and the log stays in place, empty, after closing; returns it."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA journal_size_limit = 0")
    keep = ctypes.c_int(1)
    connection.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(keep))
    return connection


def open_unverified(folder: Path) -> apsw.Connection:
    """A connection that writes page checksums but does not verify them: for a catalog whose format has none yet."""
    connection = connect(folder, apsw.SQLITE_OPEN_READWRITE)
    connection.execute("PRAGMA checksum_verification = OFF")
    return connection


def format_on_disk(folder: Path) -> int:
    """The format number in the file's header, read without SQLite; 0 where the file is too short. IndexFailure.

    The log may hold a newer one.
    """
    try:
        with (folder / CATALOG_FILE).open("rb") as opened:
            return int.from_bytes(opened.read(64)[60:], "big")
    except OSError as error:
        raise IndexFailure(f"{folder / CATALOG_FILE} cannot be opened: {error.strerror}", remedy=_CHECK_ACCESS) from error


def format_of(folder: Path, connection: apsw.Connection) -> int:
    """The format number. IndexDamaged where the file is not a catalog."""
    if connection.pragma("application_id") != APPLICATION:
        raise IndexDamaged(f"{folder / CATALOG_FILE} is not a catalog", remedy=REBUILD)
    return int(connection.pragma("user_version"))


def generation_of(connection: apsw.Connection) -> int:
    """The generation: the number of the last commit, from 0."""
    return int(fact(connection, "generation"))


def folding_of(connection: apsw.Connection) -> int:
    """The revision of the folding by which the full text was made."""
    return int(connection.execute("SELECT value FROM facts WHERE name = 'folding'").get or 1)


def compacted_of(connection: apsw.Connection) -> int:
    """The generation of the last compaction, which renumbered vectors and removed ended rows; 0 where there was none."""
    return int(connection.execute("SELECT value FROM facts WHERE name = 'compacted'").get or 0)


def advance_generation(connection: apsw.Connection, generation: int) -> None:
    """Sets the generation within the open transaction, and gives the commit a random name that no other commit has."""
    connection.execute("UPDATE facts SET value = ? WHERE name = 'generation'", (generation,))
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"commit {generation}", os.urandom(8).hex()))
    connection.execute("DELETE FROM facts WHERE name = ?", (f"commit {generation - _COMMIT_NAMES_KEPT}",))


def commit_name(connection: apsw.Connection, generation: int) -> str | None:
    """The random name of a commit; None for commits older than the last 1,000, or made before commits had names.

    A catalog restored from a backup reuses generation numbers, but its new commits have other names.
    """
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (f"commit {generation}",)).get
    return str(found) if found else None


def fact(connection: apsw.Connection, name: str) -> str | int:
    """One value of the table `facts`. apsw.CorruptError where it is missing."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).get
    if not isinstance(found, str | int):
        raise apsw.CorruptError(f"no {name} is recorded")
    return found


@cache
def checksum_vfs() -> str:
    """The name of the VFS that stores a checksum in every page. It is loaded once per process.

    IndexFailure where this build of apsw lacks it: unverified pages would give silently wrong answers.
    """
    # SQLite appends the platform's suffix. `apsw.sqlite_extra` does the same, but takes 20 ms to import.
    library = Path(apsw.__file__).with_name("sqlite_extra_binaries") / "cksumvfs"
    holder = apsw.Connection(":memory:")
    try:
        holder.enable_load_extension(True)
        holder.load_extension(str(library))
    except apsw.ExtensionLoadingError as error:
        what = f"the installed apsw lacks SQLite's page checksums: {error}"
        raise IndexFailure(what, remedy="install its wheel: pip install --only-binary apsw --force-reinstall apsw") from error
    finally:
        holder.close()
    return "cksmvfs"


def connect(folder: Path, flags: int, query: str = "") -> apsw.Connection:
    """A connection whose format has not been checked. IndexNotFound; IndexDamaged where the file has no catalog's header."""
    file = folder.absolute() / CATALOG_FILE
    if not file.is_file():
        raise IndexNotFound(folder)
    _refuse_foreign_header(file)
    # A URI, because it can express folder names that are not UTF-8.
    connection = apsw.Connection(file.as_uri() + query, flags=flags | apsw.SQLITE_OPEN_URI, vfs=checksum_vfs())
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    return connection


def _refuse_foreign_header(file: Path) -> None:
    """The header says whether pages have checksums: a flipped bit there would switch the verification off."""
    try:
        with file.open("rb") as opened:
            header = opened.read(_HEADER_BYTES)
    except OSError as error:
        raise IndexFailure(f"{file} cannot be opened: {error.strerror}", remedy=_CHECK_ACCESS) from error
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC) or header[20] != PAGE_RESERVE:
        raise IndexDamaged(f"{file} is damaged: it does not have the header of a catalog", remedy=REBUILD)


def _checked_format(folder: Path, connection: apsw.Connection) -> apsw.Connection:
    try:
        unverified = has_no_checksums(folder / CATALOG_FILE)
        if unverified:
            connection.execute("PRAGMA checksum_verification = OFF")
        found = format_of(folder, connection)
        if found > FORMAT:
            raise IndexTooNew(folder, found, FORMAT)
        if found < FORMAT:
            raise IndexTooOld(folder, found, FORMAT)
        if unverified:  # the migrated pages, with checksums, are still in the log
            connection.execute("PRAGMA checksum_verification = ON")
        connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
    except (apsw.Error, IndexFailure):
        connection.close()
        raise
    return connection


def has_no_checksums(file: Path) -> bool:
    """Whether the first page predates checksums: its checksum field is all zeros, which a real one is once in 2^64."""
    with file.open("rb") as opened:
        (page,) = struct.unpack(">H", opened.read(18)[16:])
        opened.seek(max(page, PAGE_RESERVE) - PAGE_RESERVE)
        return opened.read(PAGE_RESERVE) == bytes(PAGE_RESERVE)
