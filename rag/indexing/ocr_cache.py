"""OCR results by the digest of the pixels: no picture is recognised twice.

Knows the index's table of them; knows no OCR and no file.
"""

from __future__ import annotations

import threading
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.index.room import Room
    from rag.index.writing import IndexWriter


class OcrCache:
    """Read from any thread, written by the writer thread; uncommitted results are kept here."""

    def __init__(self, writer: IndexWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._fresh: dict[bytes, str] = {}
        self._committed = writer.pictures.open_recognised()

    def find(self, digest: bytes) -> str | None:
        """The words in the picture with that digest; None if it was never recognised."""
        key = _key(digest)
        with self._lock:
            words = self._fresh.get(key)
            return self._committed.find(key) if words is None else words

    def keep(self, digest: bytes, words: str) -> None:
        """Stores the words of a picture."""
        key = _key(digest)
        with self._lock:
            self._fresh[key] = words
        self._writer.pictures.put_recognised(key, words)

    def committed(self) -> None:
        """Call after each commit: new results can now be read from the catalog."""
        with self._lock:
            self._fresh.clear()

    def close(self) -> None:
        """Closes what it reads from."""
        with self._lock:
            self._committed.close()


def carry_over(old: Room, writer: IndexWriter) -> None:
    """Copies the OCR results of an older index."""
    for key, words in old.recognised():
        writer.pictures.put_recognised(key, words)


def _key(digest: bytes) -> bytes:
    from rag.loaders.picture.ocr import ENGINE

    return blake2b(ENGINE.encode() + digest, digest_size=16).digest()
