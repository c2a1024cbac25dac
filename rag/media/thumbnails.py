"""Keeps thumbnails in the index folder: derived, bounded, rebuilt when lost, left out where the folder cannot be written.

Knows files and the header of a WebP; knows no picture and no passage.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

FOLDER = "thumbs"  # in the index folder
MOST_BYTES = 512_000_000  # some 12,000 thumbnails
_CLEAR_TO = 0.8  # share of the limit that is left after clearing
_STALE_SECONDS = 3600.0  # after which an unfinished file is removed
_CLEAR_EVERY = 200  # thumbnails kept between two checks of the size


class Thumbnails:
    """The thumbnails of one index by name. Several processes may keep them at once."""

    def __init__(self, index_folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = index_folder / FOLDER
        self._most_bytes = most_bytes
        self._kept = 0
        self._writable = True

    def find(self, name: str) -> bytes | None:
        """The thumbnail; None where there is none, or it is truncated."""
        file = self._file(name)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        if not _is_complete(content):
            return None
        if self._writable:
            with suppress(OSError):
                os.utime(file)  # the least recently used go first
        return content

    def keep(self, name: str, content: bytes) -> None:
        """Stores the thumbnail; does nothing if the folder cannot be written."""
        if not self._writable:
            return
        file = self._file(name)
        fresh = file.with_name(f".{secrets.token_hex(8)}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(content)
            fresh.replace(file)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            self._writable = False
            return
        self._kept += 1
        if self._kept % _CLEAR_EVERY == 1:
            self.clear()

    def clear(self) -> None:
        """Removes unfinished files, and the least recently used thumbnails if there are too many."""
        found: list[tuple[float, int, Path]] = []
        for file in self._folder.glob("*/*"):
            with suppress(OSError):
                seen = file.stat()
                if file.name.startswith("."):
                    if time.time() - seen.st_mtime > _STALE_SECONDS:
                        file.unlink()
                else:
                    found.append((seen.st_mtime, seen.st_size, file))
        total = sum(size for _, size, _ in found)
        if total <= self._most_bytes:
            return
        for _, size, file in sorted(found):
            with suppress(OSError):
                file.unlink()
            total -= size
            if total <= self._most_bytes * _CLEAR_TO:
                return

    def _file(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.webp"


def _is_complete(content: bytes) -> bool:
    """Whether it is a WebP as long as it says it is (RIFF: the length without its first eight bytes)."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP" and int.from_bytes(content[4:8], "little") + 8 == len(content)
