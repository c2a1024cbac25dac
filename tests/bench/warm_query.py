"""A warm query with the `lite` models over 10,000 passages, all stages, beside what one would put together by hand.

Knows searchers, and bm25s, FAISS and SQLite as they come.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw
import bm25s
import faiss
import numpy as np

from rag.backends.lite.embedder import LiteEmbedder
from rag.config import load_settings
from rag.indexing.build import build_index
from rag.search.searcher import Searcher
from rag.text.idf import background
from rag.types import Content
from tests.bench.inputs import HOME
from tests.bench.measure import Row, show
from tests.bench.quality.baselines import tokens
from tests.zipf import passages

PASSAGES, DEPTH = 10_000, 100
LENGTHS = (((3, 6), 3.0), ((60, 200), 4.0))  # words of a query, and the bound
QUERIES, RUNS = 40, 2

Search = Callable[[str], object]


def rows() -> list[Row]:
    """A row for short queries and one for long ones; processor time, medians over the queries of alternating runs."""
    folder = HOME / f"warm-{PASSAGES}"
    if not (folder / "index").is_dir():
        _index(folder, _texts())
    with Searcher(folder / "index", load_settings({})) as searcher:
        by_hand = _by_hand(searcher)
        return [_row(searcher.query, by_hand, length, bound) for length, bound in LENGTHS]


def _row(ours: Search, floor: Search, length: tuple[int, int], bound: float) -> Row:
    asked = _queries(*length)
    for words in asked[:5]:
        ours(words), floor(words)
    taken = [[_seconds(search, words) for search in (ours, floor)] for words in asked for _ in range(RUNS)]
    mine, theirs = (1e3 * statistics.median(column) for column in zip(*taken, strict=True))
    what = f"warm query, {PASSAGES // 1000}k passages, {length[0]}–{length[1]} words"
    by_hand = f"bm25s, lite vector, flat FAISS, {DEPTH} rows {theirs:.1f} ms"
    return Row(what, f"{mine:.1f} ms", by_hand, mine / theirs, f"≤ {bound:g}", mine <= bound * theirs)


def _by_hand(searcher: Searcher) -> Search:
    """bm25s, the query's lite vector, a flat FAISS search over the same vectors, and 100 rows read by key."""
    with searcher.index.snapshot() as snapshot:
        numbers = snapshot.live.numbers.tolist()
        texts = [one.passage.text for one in snapshot.passages(numbers)]
        vectors = snapshot.vectors(numbers)
    model = bm25s.BM25()
    model.index([tokens(text) for text in texts], show_progress=False)
    embedder = LiteEmbedder()
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    stored = apsw.Connection(":memory:")
    stored.execute("CREATE TABLE texts(number INTEGER PRIMARY KEY, path TEXT, words TEXT)")
    stored.executemany("INSERT INTO texts VALUES (?, ?, ?)", ((at, f"{at}.txt", text) for at, text in enumerate(texts)))

    def search(words: str) -> object:
        known = [token for token in tokens(words) if token in model.vocab_dict]
        lexical = model.retrieve([known], k=DEPTH, show_progress=False).documents[0]
        _, near = flat.search(embedder.embed([Content("text", text=words)], role="query"), DEPTH)
        best = [*dict.fromkeys((*lexical.tolist(), *near[0].tolist()))][:DEPTH]
        return [stored.execute("SELECT path, words FROM texts WHERE number = ?", (number,)).fetchall() for number in best]

    return search


def _texts() -> list[str]:
    """Passages of English words, as common and as rare as those of real texts."""
    words = _vocabulary()
    return [" ".join(words[rank] for rank in ranks.tolist()) for ranks in passages(PASSAGES)]


def _queries(least: int, most: int) -> list[str]:
    """Words of made-up passages that are not indexed, so that some stand together and others do not."""
    words = _vocabulary()
    rng = np.random.default_rng(11)
    found = []
    for ranks in passages(PASSAGES, seed=2):
        count = int(rng.integers(least, most + 1))
        if len(ranks) >= count:
            found.append(" ".join(words[rank] for rank in rng.choice(ranks, count, replace=False).tolist()))
        if len(found) == QUERIES:
            break
    return found


def _vocabulary() -> list[str]:
    """200,000 words by rank, the commonest first: the listed English ones, then what no list has."""
    listed = sorted((rarity, term) for term, rarity in background().items() if term.isascii() and len(term) > 1)
    words = [term for _, term in listed]
    return words + [f"{words[at % len(words)]}{words[at * 7 % len(words)]}" for at in range(200_000 - len(words))]


def _index(folder: Path, texts: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for at, text in enumerate(texts):
        (corpus / f"{at:05}.txt").write_text(text)
    build_index(corpus, index=str(folder / "making"), ocr="never")
    (folder / "making").rename(folder / "index")


def _seconds(search: Search, words: str) -> float:
    """Seconds of processor time, which others on the machine do not move."""
    started = time.process_time()
    search(words)
    return time.process_time() - started


if __name__ == "__main__":
    show(rows())
