"""Objects as files of this machine: fetched once for each version, bounded, the least recently used go first.

Knows files and versions; what fetches is handed in. Several processes share the folder; what one of them uses stays.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import IO

_PIN = ".in-use"  # locked by whoever uses the files beside it
_FRESH = ".fresh-"
_FREE_BYTES = 500_000_000  # of the disk, that stay free
_STALE_SECONDS = 86_400.0  # after which what was not finished is removed
_CLEAR_SHARE = 0.05  # of the limit: so much comes in between two looks at the whole


class LocalFile:
    """A file of this machine that stays until `close`, or until nobody refers to this."""

    def __init__(self, path: Path, stamp: str = "", pin: IO[bytes] | None = None) -> None:
        """`stamp` is that of the version it holds, "" for a file that is no copy."""
        self.path, self.stamp = path, stamp
        self._pin = pin

    @property
    def is_held(self) -> bool:
        """Whether it is a copy that stays for this."""
        return self._pin is not None and not self._pin.closed

    def close(self) -> None:
        """It may go now."""
        if self._pin is not None:
            self._pin.close()

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ObjectCache:
    """Entries by name: each is a folder with a file, and what belongs beside it. Threads share it."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._lock = Lock()
        self._added = most_bytes  # bytes since the last look at the whole

    def get(self, place: str, stamp: str, name: str) -> LocalFile | None:
        """The file `name` of that version of a place; None where it is not kept."""
        return self._pinned(self._entry(place, stamp), stamp, name)

    def put(self, place: str, stamp: str, name: str, size: int, fill: Callable[[Path], None]) -> LocalFile:
        """Keeps what `fill` writes into a folder, among it the file `name`, and gives that. Whatever `fill` raises; OSError."""
        self._make_room(size)
        entry = self._entry(place, stamp)
        fresh = self._folder / f"{_FRESH}{secrets.token_hex(8)}"
        fresh.mkdir(mode=0o700)
        try:
            (fresh / _PIN).touch(mode=0o600)
            fill(fresh)
            entry.parent.mkdir(exist_ok=True, mode=0o700)
            try:
                fresh.rename(entry)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
        finally:  # also where another one was faster
            shutil.rmtree(fresh, ignore_errors=True)
        found = self._pinned(entry, stamp, name)
        if found is None:
            raise OSError(errno.ENOENT, "the copy was removed while it was made")
        return found

    def clear(self) -> None:
        """Removes what was never finished, and what was used longest ago where there is too much; what is in use stays."""
        entries: list[tuple[float, int, Path]] = []
        for folder in self._folder.glob("*"):
            if folder.name.startswith(_FRESH):
                with suppress(OSError):
                    if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                        shutil.rmtree(folder, ignore_errors=True)
                continue
            for entry in folder.glob("*"):
                with suppress(OSError):
                    entries.append(((entry / _PIN).stat().st_mtime, _bytes_of(entry), entry))
        total = sum(size for _, size, _ in entries)
        for _, size, entry in sorted(entries):
            if total <= self._most_bytes:
                return
            if _remove(entry):
                total -= size

    def _entry(self, place: str, stamp: str) -> Path:
        name = blake2b(f"{place}\0{stamp}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return self._folder / name[:2] / name

    def _pinned(self, entry: Path, stamp: str, name: str) -> LocalFile | None:
        try:
            pin = (entry / _PIN).open("rb")
        except OSError:
            return None
        try:
            fcntl.flock(pin, fcntl.LOCK_SH)
            os.utime(entry / _PIN)  # the least recently used go first
            if (entry / name).is_file():  # it may have been removed before it was locked
                return LocalFile(entry / name, stamp, pin)
        except OSError:
            pass
        pin.close()
        return None

    def _make_room(self, size: int) -> None:
        """OSError where the disk has no space for it."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock:
            self._added += size
            if self._added > _CLEAR_SHARE * self._most_bytes:
                self._added = size
                self.clear()
        if shutil.disk_usage(self._folder).free < size + _FREE_BYTES:
            raise OSError(errno.ENOSPC, f"no space for {size:,} bytes in {self._folder}")


def _bytes_of(entry: Path) -> int:
    return sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())


def _remove(entry: Path) -> bool:
    """Whether it went: it does not while somebody uses it."""
    try:
        with (entry / _PIN).open("rb") as pin:
            fcntl.flock(pin, fcntl.LOCK_EX | fcntl.LOCK_NB)
            going = entry.with_name(f"{entry.name}.gone-{secrets.token_hex(4)}")
            entry.rename(going)
    except OSError:
        return False
    shutil.rmtree(going, ignore_errors=True)
    return True
