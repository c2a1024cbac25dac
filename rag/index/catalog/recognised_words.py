"""The recognised words that are committed, over a connection of their own: asked from any thread while the writer writes.

Knows the table `recognised`; knows no OCR and no transaction.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from rag.index.catalog.connection import open_to_read
from rag.index.catalog.picture_text import recognised


class RecognisedWords:
    """Open until closed; one thread asks at a time."""

    def __init__(self, folder: Path) -> None:
        self._connection = open_to_read(folder)

    def find(self, key: bytes) -> str | None:
        """The words in the picture with that hash; None if it was never recognised."""
        return recognised(self._connection, key)

    def close(self) -> None:
        """Closes the connection."""
        with closing(self._connection):
            pass
