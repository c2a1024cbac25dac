"""Three plain baselines on the same tokens: bm25s, an OR of FTS5, and TF-IDF.

Knows texts and queries; knows nothing of this program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import apsw
import bm25s
import numpy as np
import Stemmer
from bm25s.stopwords import STOPWORDS_EN
from scipy.sparse import csr_matrix, diags

K1, B = 1.5, 0.75
DEPTH = 100
Rank = Callable[[str], list[int]]  # the words of a query → positions of texts, best first, at most DEPTH

_STOP = frozenset(STOPWORDS_EN)
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"[{_HAN}]+|[^\W{_HAN}]{{2,}}")
_stemmer = Stemmer.Stemmer("english")


def tokens(text: str) -> list[str]:
    """English words of two letters and more in Snowball stems, without stop words; Chinese in pairs of characters."""
    found: list[str] = []
    for run in _RUN.findall(text.lower()):
        if re.match(f"[{_HAN}]", run):
            found += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
        elif run not in _STOP:
            found.append(_stemmer.stemWord(run))
    return found


def bm25s_rank(texts: Sequence[Sequence[str]]) -> Rank:
    """BM25 of bm25s with k1 = 1.5 and b = 0.75 (its default, Lucene's variant)."""
    model = bm25s.BM25(k1=K1, b=B)
    model.index([list(each) for each in texts], show_progress=False)

    def rank(words: str) -> list[int]:
        asked = [token for token in tokens(words) if token in model.vocab_dict]
        if not asked:
            return []
        return _best(model.get_scores(asked))

    return rank


def fts5_rank(texts: Sequence[Sequence[str]]) -> Rank:
    """SQLite's own full text: any of the tokens, `ORDER BY bm25`. Its k1 = 1.2 and b = 0.75 are fixed."""
    numbers: dict[str, str] = {}
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(words, detail=full)")

    def coded(found: Sequence[str]) -> list[str]:
        return [numbers.setdefault(token, f"t{len(numbers)}") for token in found]

    connection.executemany(
        "INSERT INTO texts (rowid, words) VALUES (?, ?)", ((at + 1, " ".join(coded(each))) for at, each in enumerate(texts))
    )

    def rank(words: str) -> list[int]:
        asked = [numbers[token] for token in tokens(words) if token in numbers]
        if not asked:
            return []
        found = connection.execute(
            "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY bm25(texts), rowid LIMIT ?", (" OR ".join(asked), DEPTH)
        )
        return [row - 1 for (row,) in found]

    return rank


def tfidf_rank(texts: Sequence[Sequence[str]]) -> Rank:
    """Cosine of counts × (ln((1 + n) / (1 + df)) + 1), as scikit-learn's TfidfVectorizer makes them by default."""
    vocabulary: dict[str, int] = {}
    rows = [at for at, each in enumerate(texts) for _ in each]
    columns = [vocabulary.setdefault(token, len(vocabulary)) for each in texts for token in each]
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(vocabulary)))
    counts.sum_duplicates()
    present = np.bincount(counts.indices, minlength=len(vocabulary))
    idf = np.log((1 + len(texts)) / (1 + present)) + 1
    weighted = counts @ diags(idf)
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    unit = diags(1 / np.maximum(lengths, 1e-12)) @ weighted

    def rank(words: str) -> list[int]:
        query = np.zeros(len(vocabulary))
        for token in tokens(words):
            if token in vocabulary:
                query[vocabulary[token]] += idf[vocabulary[token]]
        return _best(unit @ query)

    return rank


BASELINES: Mapping[str, Callable[[Sequence[Sequence[str]]], Rank]] = {
    "bm25s": bm25s_rank,
    "FTS5 OR": fts5_rank,
    "TF-IDF": tfidf_rank,
}


def _best(scores: np.ndarray) -> list[int]:
    order = np.argsort(-scores, kind="stable")[:DEPTH]
    return [int(at) for at in order if scores[at] > 0]
