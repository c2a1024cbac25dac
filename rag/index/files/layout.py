"""The paths of an index's files, and their size on disk.

Knows names and sizes; opens nothing.
"""

from __future__ import annotations

from pathlib import Path

from rag.corpus.file_types import CATALOG_FILE

SEGMENTS = "segments"


def is_index(folder: Path) -> bool:
    """Whether the folder holds an index, that is, a catalog."""
    return (folder / CATALOG_FILE).exists()


def size_on_disk(folder: Path) -> int:
    """Bytes of all files below the folder; a file that vanishes meanwhile counts as 0."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def segment_file(folder: Path, number: int) -> Path:
    """The path of the segment with that number."""
    return folder / SEGMENTS / f"{number:06d}.faiss"
