"""Several models in one index: what a search over two costs, what filling costs beside the model, and lite at once.

Knows the Python interface; the second model is a sleeping one, or the first numbers of a lite vector.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import rag
from rag.config import load_settings
from rag.errors import IndexFailure
from rag.index.reader.open_index import open_index
from rag.indexing.spaces import add_model
from rag.search.searcher import Searcher
from tests.bench import inputs, warm_query
from tests.bench.measure import Row, show
from tests.bench.sleeping import SleepingEmbedder

FULL = "--full" in sys.argv
CONTENTS = 100_000 if FULL else 5_000  # that are filled
FILES = 20_000 if FULL else 2_000  # of the new index
RUNS = 3  # over all queries


def rows() -> list[Row]:
    """All three rows."""
    with tempfile.TemporaryDirectory() as place:
        return [_searched(Path(place)), _filled(Path(place)), _at_once(Path(place))]


def _searched(place: Path) -> Row:
    """The same queries to both models and to the first one; processor time, medians of alternating runs."""
    corpus = _corpus(place / "searched", warm_query.PASSAGES)
    rag.build_index(corpus, index=str(place / "two"), ocr="never")
    add_model(place / "two", backend="tests.unit.half_model:HalfEmbedder")
    asked = warm_query._queries(3, 6)
    with Searcher(place / "two", load_settings({})) as searcher:
        for words in asked[:5]:
            searcher.query(words), searcher.query(words, spaces=["lite"])
        taken = [
            (_processor(lambda: searcher.query(words)), _processor(lambda: searcher.query(words, spaces=["lite"])))  # noqa: B023
            for words in asked
            for _ in range(RUNS)
        ]
    both, one = (1e3 * statistics.median(column) for column in zip(*taken, strict=True))
    what = f"a query to two models, {warm_query.PASSAGES // 1000}k passages"
    return Row(what, f"{both:.1f} ms", f"to the first of them: {one:.1f} ms", both / one, "≤ 1.9", both <= 1.9 * one)


def _filled(place: Path) -> Row:
    """`add_model` beside the time that the model itself took."""
    corpus = _corpus(place / "filled", CONTENTS)
    rag.build_index(corpus, index=str(place / "fill"), ocr="never")
    SleepingEmbedder.seconds.clear()
    began = time.perf_counter()
    done = add_model(place / "fill", backend="tests.bench.sleeping:SleepingEmbedder")
    taken, model = time.perf_counter() - began, sum(SleepingEmbedder.seconds)
    what = f"filling a model, {done.vectors:,} contents"
    return Row(what, f"{taken:.1f} s", f"in the model: {model:.1f} s", taken / model, "≤ 1.1", taken <= 1.1 * model)


def _at_once(place: Path) -> Row:
    """From the start of the command until the first query has a hit, with a model of 50 ms a request behind lite."""
    corpus, folder = _corpus(place / "new", FILES), place / "at-once"
    words = ["index", str(corpus), "--index", str(folder), "--lite-first", "--ocr", "never", "-q"]
    began = time.perf_counter()
    run = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", *words, "--backend", "tests.bench.sleeping:SleepingEmbedder"],
        cwd=Path(__file__).parents[2],
    )
    try:
        while not _holds_something(folder):
            time.sleep(0.02)
        first = time.perf_counter() - began
        shares = []
        while run.poll() is None:
            with open_index(folder) as opened:
                shares += [space.passages for space in opened.status().spaces]
            time.sleep(0.2)
    finally:
        run.kill()
        run.wait()
    assert shares == sorted(shares) and shares[-1] > 0, "the second model rises behind"
    what = f"lite at once, {FILES:,} files"
    return Row(what, f"{first:.2f} s", "the bound: 5 s", first / 5, "≤ 1", first <= 5)


def _holds_something(folder: Path) -> bool:
    try:
        with open_index(folder) as opened:
            return sum(opened.status().passages.values()) > 0
    except IndexFailure:
        return False


def _corpus(folder: Path, files: int) -> Path:
    folder.mkdir(parents=True)
    chance = np.random.default_rng(3)
    for at in range(files):
        words = " ".join(inputs.word(rank) for rank in chance.integers(0, 20_000, 40).tolist())
        (folder / f"{at:06}.txt").write_text(f"{at} {words}\n")
    return folder


def _processor(work: object) -> float:
    """Seconds of processor time, which others on the machine do not move."""
    began = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - began


if __name__ == "__main__":
    show(rows())
