"""The text block of a `lite` vector: terms weighted by rarity, hashed into a fixed number of dimensions.

Knows no pictures and no other block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.lite_idf import rarity
from rag.backends.lite_words import features, surfaces, weighted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Vectors

DIM = 1005
SATURATION = 0.5  # an occurrence counts tf·(1+s)/(tf+s): the tenth adds little
PIVOT = 30.0  # nats; a text with less to say than four or five rare words does not fill its block
ASIDE = 0.5  # of its rarity: a word beside the text
_WHOLE_POSITIONS = 8  # of a term's own feature: so many dimensions share it, so that no single collision hides it
_PART_POSITIONS = 1  # of an n-gram
_WIDTH = 64  # positions kept for a term at most
_TERMS = 32_768  # remembered at most: 16 MiB
_TEXTS = 64  # summed at once


class TermTable:
    """Where each term met so far falls in the block. Only a memory of `_places`: the same term falls there in every table."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.positions = np.zeros((1024, _WIDTH), np.int32)
        self.values = np.zeros((1024, _WIDTH), np.float32)
        self.rarities: list[float] = []

    def row(self, term: str) -> int:
        """The row of a term in `positions` and `values`, made on the first call."""
        row = self.rows.get(term)
        if row is None:
            row = len(self.rows)
            if row == len(self.positions):
                self.positions = np.concatenate([self.positions, np.zeros_like(self.positions)])
                self.values = np.concatenate([self.values, np.zeros_like(self.values)])
            places, values = _places(term)
            self.positions[row, : len(places)] = places
            self.values[row, : len(values)] = values
            self.rarities.append(rarity(term))
            self.rows[term] = row
        return row


def _places(term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Signed feature hashing (Weinberger et al. 2009): dimensions and values of a term of rarity 1; at most `_WIDTH` of them."""
    hashes, weights = features(term)
    copies = np.full(len(hashes), _PART_POSITIONS)
    copies[0] = _WHOLE_POSITIONS
    copy = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
    mixed = _mix(np.repeat(np.array(hashes, np.uint64), copies) + (copy.astype(np.uint64) << np.uint64(32)))
    values = np.repeat(np.array(weights) / np.sqrt(copies), copies) * np.where(mixed >> np.uint64(63), 1.0, -1.0)
    places = ((mixed & np.uint64(0xFFFFFFFF)) * np.uint64(DIM)) >> np.uint64(32)
    return places[:_WIDTH].astype(np.int32), values[:_WIDTH].astype(np.float32)


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64 (Steele, Lea and Flood 2014): 64 well-mixed bits of each input."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


class TextBlock:
    """Texts to rows of the block. Safe to share between threads."""

    def __init__(self) -> None:
        self._table = TermTable()
        self._lock = Lock()

    def embed(self, texts: Sequence[str], asides: Sequence[str] = ()) -> Vectors:
        """float32 of shape (len(texts), DIM); `asides`, one for each text where given, are words that count half.

        The length of a row is n / max(n, PIVOT), where n is the length of its weighted and hashed terms: 1 for a passage, less
        for a few words, 0 only for a text without a term. So one common word alone is no perfect match.
        """
        asides = asides or [""] * len(texts)
        block = np.zeros((len(texts), DIM), np.float64)
        for start in range(0, len(texts), _TEXTS):
            stop = start + _TEXTS
            block[start:stop] = self._sum(texts[start:stop], asides[start:stop])
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        return np.asarray(block / np.maximum(lengths, PIVOT), np.float32)

    def _sum(self, texts: Sequence[str], asides: Sequence[str]) -> NDArray[np.float64]:
        """The hashed terms of each text, summed with weights rarity × tf(1+s)/(tf+s)."""
        documents: list[int] = []
        rows: list[int] = []
        totals: list[float] = []
        with self._lock:
            if len(self._table.rows) > _TERMS:
                self._table = TermTable()
            table = self._table
            for number, (text, aside) in enumerate(zip(texts, asides, strict=True)):
                counted = term_weights(text)
                if aside:
                    for term, weight in term_weights(aside).items():
                        counted[term] = counted.get(term, 0.0) + ASIDE * weight
                documents.extend([number] * len(counted))
                totals.extend(counted.values())
                rows.extend([table.row(term) for term in counted])
            positions, values, rarities = table.positions, table.values, np.array(table.rarities)
        if not rows:
            return np.zeros((len(texts), DIM))
        chosen = np.array(rows)
        rare, total = rarities[chosen], np.array(totals)
        strengths = total * rare * (1.0 + SATURATION) / (total + SATURATION * rare)
        places = positions[chosen] + (np.array(documents, np.int32) * DIM)[:, None]
        weights = values[chosen] * strengths[:, None]
        summed = np.bincount(places.reshape(-1), weights.reshape(-1), minlength=len(texts) * DIM)
        return np.asarray(summed, np.float64).reshape(-1, DIM)


def term_weights(text: str) -> dict[str, float]:
    """Each term of a text with frequency × rarity, less for a term that only repeats part of another."""
    summed: dict[str, float] = {}
    for surface, count in Counter(surfaces(text)).items():
        for term, weight in weighted(surface):
            summed[term] = summed.get(term, 0.0) + count * weight
    return summed
