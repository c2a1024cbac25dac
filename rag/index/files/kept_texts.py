"""Small named texts beside an index, each written at once and durably.

Knows one folder; does not know what the texts say.
"""

from __future__ import annotations

import os
from pathlib import Path

from rag.errors import StorageFailed


class KeptTexts:
    """The texts of one folder: the name of a text is that of its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str:
        """The text of that name; "" where there is none, or it cannot be read."""
        try:
            return (self._folder / name).read_text("utf-8")
        except (OSError, ValueError):
            return ""

    def write(self, name: str, text: str) -> None:
        """Replaces the text of that name. StorageFailed."""
        temporary = self._folder / f"{name}.new"
        try:
            with temporary.open("w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            temporary.rename(self._folder / name)
        except OSError as error:
            raise StorageFailed(self._folder, error.strerror or str(error)) from error
