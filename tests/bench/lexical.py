"""The lexical lane at a million passages beside a plain FTS5 OR over the same words. Knows the lane's one function."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rag.index.lexical import containing
from tests.bench.measure import Row
from tests.zipf import full_text, queries

PASSAGES = 1_000_000


def rows() -> list[Row]:
    """Six common words, and how many of BM25's ten best are among the lane's, over 200 queries of common and rare words."""
    with tempfile.TemporaryDirectory() as folder:
        connection = full_text(str(Path(folder) / "full.sqlite"), PASSAGES)
        allowed = np.arange(1, PASSAGES + 1)
        statement = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY bm25(lexical, 1.0, 1.2, 0.7) LIMIT 100"
        asked = queries(connection, 200, PASSAGES)
        recalls, plain, ours = [], [], []
        for number, words in enumerate(asked):
            match = " OR ".join(f'"{word}"' for word in words.split())
            slow, truth = _timed(lambda match=match: [n for (n,) in connection.execute(statement, (match,))])
            fast, found = _timed(lambda words=words: [n for n, *_ in containing(connection, words, 100, allowed, PASSAGES)])
            recalls.append(len(set(truth[:10]) & set(found[:10])) / max(1, len(truth[:10])))
            if number % 5 == 0:
                plain.append(slow)
                ours.append(fast)
        connection.close()
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, plain, strict=True))
    recall = statistics.mean(recalls)
    usual, floor = f"{1e3 * statistics.median(ours):.0f} ms", f"plain FTS5 OR {1e3 * statistics.median(plain):.0f} ms"
    return [
        Row("lexical, 1M passages, six common words", usual, floor, ratio, "≤ 0.1", ratio <= 0.1),
        Row("lexical, 1M passages, recall@10", f"{recall:.3f}", "all of BM25's ten best", recall, "≥ 0.9", recall >= 0.9),
    ]


def _timed(work: Callable[[], list[int]]) -> tuple[float, list[int]]:
    """Seconds of processor time, which others on the machine do not move."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found
