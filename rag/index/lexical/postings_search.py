"""A question whose common words are kept as arrays: the best passages by sums, instead of one by one.

Knows postings and the full text; knows no query syntax and no filters but a mask of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.lexical.accumulator import WeightedPosting, make_posting, top_sums
from rag.index.lexical.bm25 import Scoring, idf, score, totals
from rag.index.lexical.postings import FACTOR, Postings, weights_of
from rag.index.lexical.pruning import any_of
from rag.text.query_syntax import Unit

_MAX_UNKEPT = 4_000  # passages of a unit that is not kept: 1 µs each for a word, 2–3 µs for others, which are scored one by one
_MAX_LATER = 20_000  # passages later than the file that hold a unit, scored one by one as well


def search_postings(
    connection: apsw.Connection,
    postings: Postings,
    ranked: Sequence[tuple[Unit, int]],
    shares: Sequence[float],
    held: NDArray[np.bool_],
    live: int,
    mean: float,
    k: int,
) -> list[tuple[float, int, float]] | None:
    """(−BM25, number, share) of at least the best k that are `held`, one bool a number.

    None where sums are not the way: a common unit is not kept (a phrase, the start of many words), or too much is later.
    """
    units = []
    allowed = held.tobytes()
    rows, _ = totals(connection)
    for (unit, count), share in zip(ranked, shares, strict=True):
        rare = idf(live, count)
        word = unit.terms[0] if unit.phrases == (f'"{unit.terms[0]}"',) else ""
        posting = postings.of(word)
        if posting is None and count > _MAX_UNKEPT:
            return None
        if posting is None and word:
            posting = make_posting(*weights_of(connection, word, rows, 0, postings.last), postings.blocks)
        if posting:
            units.append(WeightedPosting(posting, rare * FACTOR, share))
            continue
        alone = Scoring([len(unit.phrases)], [rare], [share], allowed, mean)
        if not score(connection, unit.expression, alone, _MAX_UNKEPT):
            return None
        found = sorted((number, -low) for low, number, _ in alone.found)
        numbers = np.array([number for number, _ in found], np.int64)
        weights = np.array([each for _, each in found], np.float32)
        units.append(WeightedPosting(make_posting(numbers, weights, postings.blocks), 1.0, share))
    best = top_sums(units, held[: postings.last + 1], postings.blocks, k)
    if held[postings.last + 1 :].any():
        later = Scoring([len(u.phrases) for u, _ in ranked], [idf(live, n) for _, n in ranked], shares, allowed, mean)
        if not score(connection, any_of([unit for unit, _ in ranked]), later, _MAX_LATER, after=postings.last):
            return None
        best += later.found
    return best
