"""The lexical lane at 200,000 passages (with --full a million) beside a plain FTS5 OR over the same words.

Knows the lane's one function, and how it keeps common words.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np

from rag.index.lexical.bm25_search import containing
from rag.index.lexical.postings import Postings, build_postings, open_postings
from tests.bench.measure import Row, show
from tests.zipf import full_text, queries

PASSAGES = 1_000_000 if "--full" in sys.argv else 200_000
EVERYTHING = np.arange(1, PASSAGES + 1)
_OR = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY bm25(lexical, 1.0, 1.2, 0.7) LIMIT 100"


def rows() -> list[Row]:
    """Six common words, three less common ones, and how many of BM25's ten best are found, over 200 queries of five kinds."""
    with tempfile.TemporaryDirectory() as folder:
        connection = full_text(str(Path(folder) / "full.sqlite"), PASSAGES)
        connection.execute("CREATE TABLE facts(name TEXT PRIMARY KEY, value ANY); INSERT INTO facts VALUES ('commit 1', 'bench')")
        started = time.perf_counter()
        build_postings(Path(folder), connection, 1, EVERYTHING)
        print(f"common words kept in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        found = measured(connection, open_postings(Path(folder), connection, 1))
        connection.close()
    return found


def measured(connection: apsw.Connection, kept: Postings | None) -> list[Row]:
    """The same for a full text that is there."""
    recalls = []
    times: list[list[tuple[float, float]]] = [[] for _ in range(5)]
    for number, words in enumerate(queries(connection, 200, PASSAGES)):
        match = " OR ".join(f'"{word}"' for word in words.split())
        plain, truth = _timed(lambda match=match: [n for (n,) in connection.execute(_OR, (match,))])
        ours, hits = _timed(
            lambda words=words: [n for n, *_ in containing(connection, words, 100, EVERYTHING, PASSAGES, kept=kept)]
        )
        recalls.append(len(set(truth[:10]) & set(hits[:10])) / max(1, len(truth[:10])))
        times[number % 5].append((ours, plain))
    recall, size = statistics.mean(recalls), f"{PASSAGES // 1000}k passages"
    return [
        _row(f"lexical, {size}, six common words", times[0], 0.1),
        _row(f"lexical, {size}, three less common words", times[3], 1.0),
        Row(f"lexical, {size}, recall@10", f"{recall:.3f}", "all of BM25's ten best", recall, "≥ 0.9", recall >= 0.9),
    ]


def _row(what: str, times: list[tuple[float, float]], most: float) -> Row:
    ours, plain = (1e3 * statistics.median(each) for each in zip(*times, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in times)
    return Row(what, f"{ours:.1f} ms", f"plain FTS5 OR {plain:.1f} ms", ratio, f"≤ {most:g}", ratio <= most)


def _timed(work: Callable[[], list[int]]) -> tuple[float, list[int]]:
    """Seconds of processor time, which others on the machine do not move."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


if __name__ == "__main__":
    show(rows())
