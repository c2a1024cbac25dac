"""Searches by adding up postings: those stored for the common words, and those that the full text gives.

Knows postings; knows no query syntax, and of filters only a mask of passage numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.lexical.accumulator import WeightedPosting, make_posting, top_sums
from rag.index.lexical.phrase_postings import PhrasePosting, PhrasePostings
from rag.index.lexical.postings import BLOCK, FACTOR, Posting, Postings
from rag.text.query_syntax import Unit


class Wanted(NamedTuple):
    """A unit of a query with all that its part of the score depends on."""

    unit: Unit
    holding: int  # passages that hold it
    factor: float  # its rarity × how often the query says it
    share: float  # of the query


def search_postings(
    connection: apsw.Connection,
    stored: Postings | None,
    read: PhrasePostings,
    wanted: Sequence[Wanted],
    allowed: NDArray[np.bool_],
    k: int,
) -> list[tuple[float, int, float]]:
    """(−BM25, number, share) of the best k allowed passages; `allowed` is a bool per passage number."""
    blocks = -(-len(allowed) // BLOCK)
    units = []
    for unit, _, factor, share in wanted:
        word = _word(unit)
        since = 0
        if stored is not None and word in stored and (posting := stored.of(word)):
            units.append(WeightedPosting(_over(posting, blocks), factor * FACTOR, share))
            since = stored.last
        if since < len(allowed) - 1:
            numbers, weights = reduce(_either, (read.of(connection, phrase, since) for phrase in unit.phrases))
            units.append(WeightedPosting(make_posting(numbers, weights, blocks), factor, share))
    return top_sums(units, allowed, blocks, k)


def occurrences(stored: Postings | None, read: PhrasePostings, wanted: Sequence[Wanted]) -> int:
    """About how many occurrences of the units must be read from the full text."""
    return sum(
        one.holding
        for one in wanted
        if not (stored is not None and _word(one.unit) in stored) and not all(phrase in read for phrase in one.unit.phrases)
    )


def _word(unit: Unit) -> str:
    """The only term of a unit that is a plain word, else ""."""
    return unit.terms[0] if unit.phrases == (f'"{unit.terms[0]}"',) else ""


def _over(posting: Posting, blocks: int) -> Posting:
    """The same posting with `blocks` blocks."""
    starts = posting.starts[: blocks + 1]
    return posting._replace(starts=np.pad(starts, (0, blocks + 1 - len(starts)), mode="edge"))


def _either(one: PhrasePosting, other: PhrasePosting) -> PhrasePosting:
    """The passages with either phrase; the weight in one with both is the larger: that of the more frequent."""
    numbers = np.union1d(one.numbers, other.numbers)
    weights = np.zeros(len(numbers), np.float32)
    for each in (one, other):
        places = np.searchsorted(numbers, each.numbers)
        weights[places] = np.maximum(weights[places], each.weights)
    return PhrasePosting(numbers, weights)
