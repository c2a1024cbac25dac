"""A second run over an unchanged folder, beside a bare walk of the same tree.

Knows files and the write path.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from rag.indexing.build import build_index
from tests.bench.measure import Row, alternate

FILES = 20_000


def rows() -> list[Row]:
    """20,000 small files in 200 folders, indexed once; then nothing changed."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, index = Path(folder, "corpus"), str(Path(folder, "index"))
        for number in range(FILES):
            file = corpus / f"d{number % 200:03}" / f"note-{number:05}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"note {number} about quay {number % 37} and crane {number % 11}\n")
        build_index(corpus, index=index)
        ours, floor = alternate(lambda: _again(corpus, index), lambda: _bare(str(corpus)), runs=5)
    ratio = ours / floor
    return [Row(f"no change in {FILES:,} files", f"{ours:.3f} s", f"scandir + stat {floor:.3f} s", ratio, "≤ 5", ratio <= 5)]


def _again(corpus: Path, index: str) -> None:
    report = build_index(corpus, index=index)
    assert (report.unchanged, report.embedded) == (FILES, 0)


def _bare(folder: str) -> int:
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                count += _bare(entry.path)
            else:
                entry.stat(follow_symlinks=False)
                count += 1
    return count
