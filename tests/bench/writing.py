"""The write path beside a model's own limit, and how soon it commits. (`media.py` has it beside bare loops of decoders.)

Knows files, the write path and floors. `--full` takes the counts of the promise; without it a few minutes are enough.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from rag.backends.base import EmbedderCapabilities
from rag.backends.lite.embedder import DIM, LiteEmbedder
from rag.backends.lite.pixels import SHORTER_SIDE
from rag.indexing.build import build_index
from rag.types import Content, Role
from tests.bench import inputs
from tests.bench.measure import Row, show

FULL = "--full" in sys.argv
PHOTOS, LETTERS = (2_000, 20_000) if FULL else (60, 4_000)
IN_FLIGHT, REQUEST = 8, 0.05  # of the slow model: calls at once, seconds of each


def rows() -> list[Row]:
    """A slow model, and the first commit."""
    return _slow()


def _index(folder: Path, **flags: object) -> None:
    with tempfile.TemporaryDirectory() as home:
        build_index(folder, index=str(Path(home, "index")), ocr="never", **flags)


class SlowEmbedder(LiteEmbedder):
    """A model behind a wire: 50 ms a call, eight calls at once, and nothing to do for this machine."""

    batch = IN_FLIGHT  # a call for each content
    capabilities = EmbedderCapabilities(concurrent_calls=IN_FLIGHT, shorter_side=SHORTER_SIDE)
    room = threading.Semaphore(IN_FLIGHT)
    calls: ClassVar[list[tuple[float, float]]] = []  # when each began and ended, by time.perf_counter

    def embed(self, contents: Sequence[Content], *, role: Role) -> np.ndarray:
        with SlowEmbedder.room:
            began = time.perf_counter()
            time.sleep(REQUEST)
            SlowEmbedder.calls.append((began, time.perf_counter()))
        rows = np.zeros((len(contents), DIM), np.float32)
        rows[:, 0] = 1
        return rows


def _slow() -> list[Row]:
    """A mixed folder before a model that takes a call for every content: what share of its limit is reached, and when not."""
    mixed = inputs.HOME / f"mixed-{LETTERS}"
    letters = inputs.folder_of("letter", LETTERS, inputs.letter, ".txt")
    if not mixed.exists():
        shutil.copytree(letters, mixed)
        for file in inputs.folder_of("photo", PHOTOS, inputs.photo, ".jpg").iterdir():
            if int(file.stem[-5:]) % 10 == 0:
                shutil.copy(file, mixed)
    SlowEmbedder.calls.clear()
    started = time.perf_counter()
    _index(mixed, backend="tests.bench.writing:SlowEmbedder")
    taken = time.perf_counter() - started
    limit = len(SlowEmbedder.calls) * REQUEST / IN_FLIGHT
    first, last = min(SlowEmbedder.calls)[0], max(ended for _, ended in SlowEmbedder.calls)
    steady, ratio = limit / (last - first), limit / taken
    what = f"mixed folder of {len(SlowEmbedder.calls):,}, a model of {REQUEST * 1000:.0f} ms a request, {IN_FLIGHT} at once"
    parts = f"first call after {first - started:.2f} s, then {steady:.2f} of the limit, end {taken - last + started:.2f} s"
    row = Row(what, f"{taken:.2f} s ({parts})", f"its limit {limit:.2f} s", ratio, "≥ 0.95", ratio >= 0.95)
    return [row, *_first_commit(mixed)]


def _first_commit(folder: Path) -> list[Row]:
    """Seconds from the start of the command until a query could find something."""
    with tempfile.TemporaryDirectory() as home:
        index = Path(home, "index")
        words = [sys.executable, "-m", "rag.cli", "index", str(folder), "--index", str(index), "--ocr", "never", "--quiet"]
        started = time.monotonic()
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            while running.poll() is None and not any(Path(index, "segments").glob("*.faiss")):
                time.sleep(0.02)
            taken = time.monotonic() - started
            running.terminate()
    return [Row("first commit after the start of the command", f"{taken:.1f} s", "5 s", taken / 5, "≤ 1", taken <= 5)]


if __name__ == "__main__":
    from tests.bench import writing  # the one that the backend is found in

    show(writing.rows())
