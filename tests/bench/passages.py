"""Text passages by the ten thousand through the `lite` models, beside their features and FAISS alone.

Knows the write path and the parts it is made of. `--full` takes the 100,000 passages of the promise.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import inputs
from tests.bench.measure import Row

FULL = "--full" in sys.argv
CHAPTERS, RUNS = (4_000, 1) if FULL else (400, 3)  # files of 25 passages or so
BOUND = 0.7

OURS = """
import json, sys, time
from rag.indexing.build import build_index
started = time.perf_counter()
report = build_index(sys.argv[1], index=sys.argv[2], ocr="never")
print(json.dumps([time.perf_counter() - started, report.passages["text"]]))
"""
FLOOR = """
import json, sys, time
import apsw, faiss
from rag.backends.lite.embedder import DIM, LiteEmbedder
from rag.types import Content
texts = [text for (text,) in apsw.Connection(sys.argv[1] + "/catalog.sqlite").execute("SELECT text FROM texts ORDER BY passage")]
contents = [Content("text", text=text) for text in texts]
embedder = LiteEmbedder()
index = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
started = time.perf_counter()
for start in range(0, len(contents), 256):
    index.add(embedder.embed(contents[start : start + 256], role="document"))
print(json.dumps([time.perf_counter() - started, len(contents)]))
"""


def rows() -> list[Row]:
    """The whole of `rag index` in a fresh process, and the same passages in a bare loop in another: imports count for neither."""
    chapters = inputs.folder_of("chapter", CHAPTERS, inputs.chapter, ".txt")
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as home:
        for run in range(RUNS):
            index = str(Path(home, f"index{run}"))
            seconds, count = _seconds(OURS, str(chapters), index)
            ours.append(seconds)
            seconds, same = _seconds(FLOOR, index)
            bare.append(seconds)
            assert count == same
    taken, least = statistics.median(ours), statistics.median(bare)
    what = f"{count:,} text passages in {CHAPTERS:,} files, `lite`"
    ratio = least / taken
    return [Row(what, f"{taken:.1f} s", f"features and FAISS, one loop: {least:.1f} s", ratio, f"≥ {BOUND}", ratio >= BOUND)]


def _seconds(program: str, *words: str) -> tuple[float, int]:
    done = subprocess.run([sys.executable, "-c", program, *words], check=True, capture_output=True, text=True)
    taken, count = json.loads(done.stdout)
    return taken, count


if __name__ == "__main__":
    from tests.bench.measure import show

    show(rows())
