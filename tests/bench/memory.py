"""Peak memory of indexing, for a corpus and for one twenty times as large: of the run itself, and of the largest of its readers.

Knows processes and the kernel's account of them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Row

RUN = """
import resource, sys
from rag.indexing.build import build_index
build_index(sys.argv[1], index=sys.argv[2], ocr="never")
print(*(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""
TIMES = 20
TEXTS, PICTURES = 150, 15  # of the small corpus


def rows() -> list[Row]:
    """Distinct texts of about 30 kB and distinct pictures of 3 megapixels."""
    with tempfile.TemporaryDirectory() as folder:
        peaks, readers = [], []
        for times in (1, TIMES):
            corpus = Path(folder, f"corpus{times}")
            _make(corpus, times)
            words = [sys.executable, "-c", RUN, str(corpus), str(Path(folder, f"index{times}"))]
            run, reader = map(int, subprocess.run(words, check=True, capture_output=True, text=True).stdout.split())
            peaks.append(run / 1024)
            readers.append(reader / 1024)
    ratio = peaks[1] / peaks[0]
    small, large = (f"{peak:.0f} MiB, largest reader {reader:.0f}" for peak, reader in zip(peaks, readers, strict=True))
    return [Row(f"peak memory, {TIMES}× the corpus", large, f"1×: {small}", ratio, "≤ 1.25", ratio <= 1.25)]


def _make(folder: Path, times: int) -> None:
    import numpy as np
    from PIL import Image

    folder.mkdir()
    random = np.random.default_rng(times)
    words = np.array(["".join(random.choice(list("abcdefghijklmnoprstuw"), 6)) for _ in range(3_000)])
    for number in range(TEXTS * times):
        text = "\n\n".join(" ".join(random.choice(words, 60)) for _ in range(70))
        (folder / f"text{number:05}.txt").write_text(f"{number}\n{text}")
    for number in range(PICTURES * times):
        small = random.integers(0, 256, (15, 20, 3), dtype=np.uint8)
        Image.fromarray(small).resize((2000, 1500)).save(folder / f"picture{number:05}.jpg", quality=80)
