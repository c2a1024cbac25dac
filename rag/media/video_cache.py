"""Keeps videos that were converted for browsers: bounded, the least recently used go first, removed when the program ends.

Knows files; knows no codec and no passage.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rag.errors import UnreadableDocument

MOST_BYTES = 4_000_000_000
_PREFIX = "rag-video-"
_FREE_BYTES = 500_000_000  # of the disk, that stay free


class VideoCache:
    """Files by name, each made once. A file is handed out open: it may leave the cache while it is read."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._folder: Path | None = None
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        self._making: weakref.WeakValueDictionary[str, threading.Lock] = (
            weakref.WeakValueDictionary()
        )  # by name, while a file is being made

    def close(self) -> None:
        """Removes everything."""
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._sizes.clear()

    def open(self, name: str, room: int, make: Callable[[int], None]) -> int:
        """A descriptor of the file, which the caller closes. `make` writes a new file to a descriptor, about `room` bytes.

        UnreadableDocument where there is no space for it, and whatever `make` raises.
        """
        with self._lock:
            making = self._making.setdefault(name, threading.Lock())
        with making:
            found = self._find(name)
            if found is not None:
                return found
            folder = self._made_folder()
            if room > self._most_bytes or shutil.disk_usage(folder).free < room + _FREE_BYTES:
                raise UnreadableDocument(
                    "is too large to convert for the browser",
                    remedy=f"download the original, or free {room + _FREE_BYTES:,} bytes in {folder}",
                )
            fresh = folder / f".{name}"
            try:
                with fresh.open("x+b") as out:
                    make(out.fileno())
                fresh.rename(folder / name)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
            self._put(name, (folder / name).stat().st_size)
            found = self._find(name)
        if found is None:
            raise UnreadableDocument("was converted, but the result is gone", remedy="try again")
        return found

    def _made_folder(self) -> Path:
        with self._lock:
            if self._folder is None:
                _sweep()
                self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))  # readable by nobody else
            return self._folder

    def _find(self, name: str) -> int | None:
        with self._lock:
            if name not in self._sizes or self._folder is None:
                return None
            self._sizes.move_to_end(name)
            try:
                return os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except OSError:  # a cleaner of temporary files has removed it
                del self._sizes[name]
                return None

    def _put(self, name: str, size: int) -> None:
        with self._lock:
            self._sizes[name] = size
            while sum(self._sizes.values()) > self._most_bytes and len(self._sizes) > 1:
                oldest, _ = self._sizes.popitem(last=False)
                if self._folder is not None:
                    (self._folder / oldest).unlink(missing_ok=True)


def _sweep() -> None:
    """Removes the folders of this user's programs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        with suppress(OSError):
            seen = folder.lstat()
            if owner.isdigit() and seen.st_uid == os.getuid() and stat.S_ISDIR(seen.st_mode) and not _is_running(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
