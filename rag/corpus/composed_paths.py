"""Paths in the form in which they are compared with what people type.

Knows Unicode; knows no file.
"""

from __future__ import annotations

import unicodedata


def composed(path: str) -> str:
    """The path in NFC, to compare it with what people type: some systems and archives decompose accents."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)
