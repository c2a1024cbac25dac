"""The best passages for some words, added up from arrays, block by block.

Knows postings; knows no full text and no question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.index.lexical.postings import BLOCK, Posting


class WeightedPosting(NamedTuple):
    """The passages of one unit of a question, and what it counts."""

    posting: Posting
    factor: float  # weight × factor = its part of BM25
    share: float  # of the question


def make_posting(numbers: NDArray[np.int64], weights: NDArray[np.uint16] | NDArray[np.float32], blocks: int) -> Posting:
    """As the file would keep them: numbers ascend, those after the last block are left out."""
    starts = np.searchsorted(numbers, np.arange(blocks + 1) * BLOCK)
    return Posting((numbers[: starts[-1]] % BLOCK).astype(np.uint16), weights[: starts[-1]], starts)


def top_sums(
    units: Sequence[WeightedPosting], allowed_numbers: NDArray[np.bool_], blocks: int, k: int
) -> list[tuple[float, int, float]]:
    """(−BM25, number, share) of the best k passages that hold a unit and are `held`, one bool a number; equal ones by number.

    Six words that together stand 800,000 times in 1,000,000 passages: 6 ms.
    """
    numbers, sums = np.empty(0, np.int64), np.empty(0, np.float32)
    least = np.float32(0)
    scores = np.empty(BLOCK, np.float32)
    for block in range(blocks):
        allowed = allowed_numbers[block * BLOCK : (block + 1) * BLOCK]
        if not allowed.any():
            continue
        scores[:] = 0
        for posting, factor, _ in units:
            start, end = posting.starts[block], posting.starts[block + 1]
            if start < end:  # a number stands once in a posting
                scores[posting.lows[start:end]] += posting.weights[start:end] * np.float32(factor)
        scores[: len(allowed)][~allowed] = 0
        scores[len(allowed) :] = 0
        found = np.flatnonzero(scores > least) if least else np.flatnonzero(scores)
        if len(found):
            numbers, sums = np.concatenate((numbers, found + block * BLOCK)), np.concatenate((sums, scores[found]))
            if len(numbers) > k:
                numbers, sums, least = _top_k(numbers, sums, k)
    shares = np.zeros(len(numbers))
    for posting, _, share in units:
        shares[_holds(numbers, posting)] += share
    return sorted(zip((-sums).tolist(), numbers.tolist(), shares.tolist(), strict=True))


def _top_k(
    numbers: NDArray[np.int64], sums: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], np.float32]:
    """The best k, equal ones by smaller number: numbers ascend, and so do those that are kept."""
    last = np.partition(sums, len(sums) - k)[len(sums) - k]
    above, ties = np.flatnonzero(sums > last), np.flatnonzero(sums == last)
    kept = np.sort(np.concatenate((above, ties[: k - len(above)])))
    return numbers[kept], sums[kept], last


def _holds(numbers: NDArray[np.int64], posting: Posting) -> NDArray[np.bool_]:
    """Which of the numbers, which ascend, the posting has."""
    found = np.zeros(len(numbers), np.bool_)
    blocks, lows = numbers // BLOCK, (numbers % BLOCK).astype(np.uint16)
    for block in np.unique(blocks).tolist():
        start, end = np.searchsorted(blocks, (block, block + 1))
        here = posting.lows[posting.starts[block] : posting.starts[block + 1]]
        if len(here):
            places = np.searchsorted(here, lows[start:end]).clip(max=len(here) - 1)
            found[start:end] = here[places] == lows[start:end]
    return found
