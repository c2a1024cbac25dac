"""Thumbnails kept in the index folder: derived, bounded, rebuilt when lost; an index that cannot be written goes without.

Knows files and the shape of a WebP; knows no picture and no passage.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

FOLDER = "thumbs"  # in the index folder
MOST_BYTES = 256_000_000  # some 25,000 thumbnails
_KEPT = 0.8  # share left after a clearing
_LEFT_OVER = 3600.0  # seconds after which an unfinished file is rubbish
_LOOK_EVERY = 200  # kept thumbnails between two looks at the size


class Thumbnails:
    """The thumbnails of one index by name. Several processes may keep them at once."""

    def __init__(self, index_folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = index_folder / FOLDER
        self._most_bytes = most_bytes
        self._kept = 0
        self._writable = True

    def find(self, name: str) -> bytes | None:
        """The thumbnail, or None where there is none or it is not whole."""
        file = self._file(name)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        if not _whole(content):
            return None
        if self._writable:
            with suppress(OSError):
                os.utime(file)  # the least used go first
        return content

    def keep(self, name: str, content: bytes) -> None:
        """Keeps it where the folder can be written; else nothing happens."""
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
        if self._kept % _LOOK_EVERY == 1:
            self.clear()

    def clear(self) -> None:
        """Removes unfinished files, and the least used thumbnails where there are too many."""
        found: list[tuple[float, int, Path]] = []
        for file in self._folder.glob("*/*"):
            with suppress(OSError):
                seen = file.stat()
                if file.name.startswith("."):
                    if time.time() - seen.st_mtime > _LEFT_OVER:
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
            if total <= self._most_bytes * _KEPT:
                return

    def _file(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.webp"


def _whole(content: bytes) -> bool:
    """Whether it is a WebP as long as it says it is (RIFF: the length without its first eight bytes)."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP" and int.from_bytes(content[4:8], "little") + 8 == len(content)
