"""Several models in one index: what a search over two costs, what filling costs beside the model, and lite at once.

Knows the Python interface; the second model is a sleeping one, or the first numbers of a lite vector.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

import rag
from rag.config import load_settings
from rag.errors import IndexFailure
from rag.index.reader.open_index import OpenIndex, open_index
from rag.indexing.spaces import add_model
from rag.search.searcher import Searcher
from tests.bench import inputs, warm_query
from tests.bench.measure import Row, show
from tests.bench.sleeping import DIM, SleepingEmbedder

FULL = "--full" in sys.argv
CONTENTS = 100_000 if FULL else 5_000  # that are filled
FILES = 20_000 if FULL else 2_000  # of the new index
RUNS = 3  # over all queries


def rows() -> list[Row]:
    """All rows; the load of the machine goes to stderr, because a busy one takes time from what waits for nothing."""
    print(f"load: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    with tempfile.TemporaryDirectory() as place:
        return [_searched(Path(place)), _filled(Path(place)), *_at_once(Path(place))]


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


def _at_once(place: Path) -> list[Row]:
    """From the start of the command until the first query has a hit, with a model of 50 ms a request behind lite; and the rise.

    While the model is filled, another process asks it for the ten nearest, over and over: which of those that it finds in the
    end it finds already, and the longest that one answer took.
    """
    corpus, folder = _corpus(place / "new", FILES), place / "at-once"
    words = ["index", str(corpus), "--index", str(folder), "--lite-first", "--ocr", "never", "-q"]
    began = time.perf_counter()
    run = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", *words, "--backend", "tests.bench.sleeping:SleepingEmbedder"],
        cwd=Path(__file__).parents[2],
    )
    answers: list[set[int]] = []
    slowest = 0.0
    try:
        while not _holds_something(folder):
            time.sleep(0.02)
        first = time.perf_counter() - began
        with open_index(folder) as opened:
            while run.poll() is None:
                started = time.perf_counter()
                answers.append(_nearest(opened))
                slowest = max(slowest, time.perf_counter() - started)
                time.sleep(0.2)
            final = _nearest(opened)
            status = opened.status()
    finally:
        run.kill()
        run.wait()
    recalls = [len(each & final) / len(final) for each in answers]
    share = status.spaces[0].passages / sum(status.passages.values())
    what = f"lite at once, {FILES:,} files"
    rising = (
        f"the model's recall@10 behind it: {recalls[0]:.2f} … {recalls[len(recalls) // 2]:.2f} … {recalls[-1]:.2f}, then 1.00"
    )
    lost = 1 + sum(max(0.0, before - after) for before, after in pairwise(recalls))  # 1: it never fell
    return [
        Row(what, f"{first:.2f} s", "the bound: 5 s", first / 5, "≤ 1", first <= 5),
        Row(
            rising,
            f"slowest of {len(answers)} answers {1e3 * slowest:.0f} ms",
            f"share {share:.2f}",
            lost,
            "≤ 1",
            lost <= 1 and share == 1,
        ),
    ]


def _nearest(opened: OpenIndex) -> set[int]:
    """The ten nearest of the further model to forty fixed queries; none while it is not there."""
    queries = np.random.default_rng(11).standard_normal((40, DIM)).astype(np.float32)
    with opened.snapshot() as snapshot:
        if not snapshot.spaces:
            return set()
        found = snapshot.nearest(queries, 10, space=snapshot.spaces[0].number)
    return {1_000_000 * at + number for at, each in enumerate(found) for number, _ in each}


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
