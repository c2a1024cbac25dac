"""Chooses and opens the search structure of a segment.

Knows the table of structures and sizes; knows no catalog.
"""

from __future__ import annotations

import time
from pathlib import Path

from rag.errors import WrongRequest
from rag.index import STRUCTURES
from rag.index.base import Rows, Structure
from rag.index.files.sealed_file import derived_file
from rag.index.vectors.exact import ExactStructure
from rag.plugins import resolve

AUTO = "auto"
EXACT_UP_TO = 100_000  # vectors of a whole index that are quick to scan exactly: 205 MB at 1024 dimensions
COARSE_UP_TO = 4_000_000  # vectors that are quick to scan at 8 bits: 1 GB where a prefix of 256 dimensions suffices
SMALL = 10_000  # rows of a segment that is always scanned exactly: that is cheaper than choosing candidates


def known_structure(asked: str) -> str:
    """The given name, once checked. WrongRequest where there is no such structure."""
    if asked != AUTO and ":" not in asked and asked not in STRUCTURES:
        names = ", ".join((AUTO, *STRUCTURES))
        raise WrongRequest(f"no search structure is called {asked!r}", remedy=f"choose one of: {names}")
    return asked


def structure_for(asked: str, rows: int, total: int) -> str:
    """The name of the structure for a segment of `rows` rows in an index of `total` vectors."""
    if rows < SMALL:
        return "exact"
    if asked != AUTO:
        return asked
    if total <= EXACT_UP_TO:
        return "exact"
    return "coarse" if total <= COARSE_UP_TO else "ivf"


def open_structure(rows: Rows, name: str) -> tuple[Structure, tuple[str, ...]]:
    """The structure over these rows, and remarks: that its file was built, or could not be written. IndexDamaged."""
    if name == "exact":
        return ExactStructure(rows), ()
    derived, started = derived_file(rows.file, name), time.monotonic()
    before = _identity(derived)
    try:
        structure: Structure = resolve(STRUCTURES, name, "search structure")(rows)
    except OSError as error:
        what = f"{derived.name} cannot be written ({error.strerror}), so {rows.segment.rows:,} vectors are scanned one by one"
        return ExactStructure(rows), (what,)
    said = f"{derived.name} was built once for all searches, in {time.monotonic() - started:.1f} s"
    return structure, (said,) if _identity(derived) != before else ()


def _identity(file: Path) -> tuple[int, int] | None:
    """Inode and modification time: they change where the file is replaced. None where there is no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
