"""Searches by adding up stored postings, instead of scoring passages one by one.

Knows postings and the full text; knows no query syntax, and of filters only a mask of passage numbers.
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

_MAX_UNKEPT = 4_000  # passages of a unit without a stored posting: 1 µs each for a word; others are scored one by one, 2–3 µs
_MAX_LATER = 20_000  # matching passages newer than the file, which are scored one by one


def search_postings(
    connection: apsw.Connection,
    postings: Postings,
    ranked: Sequence[tuple[Unit, int]],
    shares: Sequence[float],
    allowed: NDArray[np.bool_],
    live: int,
    mean: float,
    k: int,
) -> list[tuple[float, int, float]] | None:
    """(−BM25, number, share) of at least the best k allowed passages; `allowed` is a bool per passage number.

    None where this way does not pay: a common unit has no stored posting (a phrase, a prefix), or too many matches are newer.
    """
    units = []
    allowed_bytes = allowed.tobytes()
    rows, _ = totals(connection)
    for (unit, count), share in zip(ranked, shares, strict=True):
        rarity = idf(live, count)
        word = unit.terms[0] if unit.phrases == (f'"{unit.terms[0]}"',) else ""
        posting = postings.of(word)
        if posting is None and count > _MAX_UNKEPT:
            return None
        if posting is None and word:
            posting = make_posting(*weights_of(connection, word, rows, 0, postings.last), postings.blocks)
        if posting:
            units.append(WeightedPosting(posting, rarity * FACTOR, share))
            continue
        alone = Scoring([len(unit.phrases)], [rarity], [share], allowed_bytes, mean)
        if not score(connection, unit.expression, alone, _MAX_UNKEPT):
            return None
        found = sorted((number, -low) for low, number, _ in alone.found)
        numbers = np.array([number for number, _ in found], np.int64)
        weights = np.array([each for _, each in found], np.float32)
        units.append(WeightedPosting(make_posting(numbers, weights, postings.blocks), 1.0, share))
    best = top_sums(units, allowed[: postings.last + 1], postings.blocks, k)
    if allowed[postings.last + 1 :].any():
        later = Scoring([len(u.phrases) for u, _ in ranked], [idf(live, n) for _, n in ranked], shares, allowed_bytes, mean)
        if not score(connection, any_of([unit for unit, _ in ranked]), later, _MAX_LATER, after=postings.last):
            return None
        best += later.found
    return best
