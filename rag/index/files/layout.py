"""Where the files of an index lie, and how much room they take.

Knows names and sizes; opens nothing.
"""

from __future__ import annotations

from pathlib import Path

from rag.corpus.file_types import CATALOG_FILE

SEGMENTS = "segments"


def is_index(folder: Path) -> bool:
    """Whether an index lies in that folder: its catalog does."""
    return (folder / CATALOG_FILE).exists()


def size_on_disk(folder: Path) -> int:
    """Bytes of all files below the folder; a file that vanishes meanwhile counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def segment_file(folder: Path, number: int) -> Path:
    """Where the segment of that number lies."""
    return folder / SEGMENTS / f"{number:06d}.faiss"
