"""The text block of a `lite` vector: terms weighted by rarity and hashed into a fixed number of dimensions.

Knows texts; knows no pictures and no other block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends.lite.words import REVISION, features, surfaces, weighted
from rag.text.idf import rarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Vectors

DIM = 1005
SATURATION = 0.5  # s: a term counts tf·(1+s)/(tf+s), so its tenth occurrence adds little
PIVOT = 30.0  # nats; a text of fewer than four or five rare words does not fill its block
CORRECTION = 0.5  # share of its weight: a word from `corrections`
_WHOLE_POSITIONS = 8  # dimensions that share a term's own feature, so that no single collision hides it
_WIDTH = 60  # positions kept per term, at most: 8 for itself, 45 n-grams and its consonants fit
_TERMS = 32_768  # remembered, at most: 16 MiB
_TEXTS = 64  # summed at once


class TermTable:
    """The positions in the block of each term seen so far: a cache of `_places`, so every table gives a term the same ones."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.positions = np.zeros((0, _WIDTH), np.int32)
        self.values = np.zeros((0, _WIDTH), np.float32)
        self.rarities = np.zeros(0)

    def learn(self, terms: Iterable[str]) -> None:
        """Adds a row for each new term."""
        new = [term for term in dict.fromkeys(terms) if term not in self.rows]
        if not new:
            return
        known, needed = len(self.rows), len(self.rows) + len(new)
        if needed > len(self.positions):
            grown = max(1024, needed, 2 * len(self.positions))
            self.positions = _grown(self.positions, (grown, _WIDTH))
            self.values = _grown(self.values, (grown, _WIDTH))
            self.rarities = _grown(self.rarities, (grown,))
        self.positions[known:needed], self.values[known:needed] = _places(new)
        self.rarities[known:needed] = [rarity(term) for term in new]
        self.rows.update(zip(new, range(known, needed), strict=True))


def _grown(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    larger = np.zeros(shape, array.dtype)
    larger[: len(array)] = array
    return larger


def _places(terms: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Signed feature hashing (Weinberger et al. 2009): dimensions and values of each term at rarity 1, (terms, _WIDTH) each.

    The first columns are the term's own feature, the next its parts; unused columns have the value 0.
    """
    hashed = [features(term) for term in terms]
    hashes = np.zeros((len(terms), _WIDTH), np.uint64)
    values = np.zeros((len(terms), _WIDTH))
    for row, (numbers, weights) in enumerate(hashed):
        parts = numbers[1 : 1 + _WIDTH - _WHOLE_POSITIONS]
        hashes[row, :_WHOLE_POSITIONS] = numbers[0]
        hashes[row, _WHOLE_POSITIONS : _WHOLE_POSITIONS + len(parts)] = parts
        values[row, :_WHOLE_POSITIONS] = weights[0] / _WHOLE_POSITIONS**0.5
        values[row, _WHOLE_POSITIONS : _WHOLE_POSITIONS + len(parts)] = weights[1 : 1 + len(parts)]
    copies = np.zeros(_WIDTH, np.uint64)
    copies[:_WHOLE_POSITIONS] = np.arange(_WHOLE_POSITIONS)
    mixed = _mix(hashes + (copies << np.uint64(32)))
    signed = values * np.where(mixed >> np.uint64(63), 1.0, -1.0)
    places = ((mixed & np.uint64(0xFFFFFFFF)) * np.uint64(DIM)) >> np.uint64(32)
    return places.astype(np.int32), signed.astype(np.float32)


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64 (Steele, Lea and Flood 2014): 64 well-mixed bits for each input."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


class TextBlock:
    """Texts to rows of the text block. Safe to share between threads."""

    def __init__(self, revision: int = REVISION) -> None:
        """`revision` is that of the features; vectors of different ones cannot be compared."""
        self._revision = revision
        self._table = TermTable()
        self._lock = Lock()

    def embed(self, texts: Sequence[str], corrections: Sequence[str] = ()) -> Vectors:
        """float32 of shape (len(texts), DIM); `corrections`, if given one for each text, are words that count half.

        The norm of a row is n / max(n, PIVOT), where n is the norm of its weighted and hashed terms: 1 for a passage, less for a
        few words, 0 only for a text without terms. So a single common word is not a perfect match.
        """
        corrections = corrections or [""] * len(texts)
        block = np.zeros((len(texts), DIM), np.float64)
        for start in range(0, len(texts), _TEXTS):
            stop = start + _TEXTS
            block[start:stop] = self._sum(texts[start:stop], corrections[start:stop])
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        return np.asarray(block / np.maximum(lengths, PIVOT), np.float32)

    def _sum(self, texts: Sequence[str], corrections: Sequence[str]) -> NDArray[np.float64]:
        """The hashed terms of each text, summed with the weights rarity × tf·(1+s)/(tf+s): (len(texts), DIM)."""
        counted = [term_weights(text, self._revision) for text in texts]
        for weights, correction in zip(counted, corrections, strict=True):
            for term, weight in term_weights(correction, self._revision).items():
                weights[term] = weights.get(term, 0.0) + CORRECTION * weight
        terms = [term for weights in counted for term in weights]
        if not terms:
            return np.zeros((len(texts), DIM))
        with self._lock:
            if len(self._table.rows) > _TERMS:
                self._table = TermTable()
            self._table.learn(terms)
            chosen = np.array([self._table.rows[term] for term in terms])
            places, values = self._table.positions[chosen], self._table.values[chosen]
            rare = self._table.rarities[chosen]
        total = np.array([total for weights in counted for total in weights.values()])
        strengths = total * rare * (1.0 + SATURATION) / (total + SATURATION * rare)
        places += np.repeat(np.arange(len(texts), dtype=np.int32) * DIM, [len(weights) for weights in counted])[:, None]
        values *= strengths[:, None]
        summed = np.bincount(places.reshape(-1), values.reshape(-1), minlength=len(texts) * DIM)
        return np.asarray(summed, np.float64).reshape(-1, DIM)


def term_weights(text: str, revision: int = REVISION) -> dict[str, float]:
    """Each term of a text with frequency × rarity, reduced for a term that only repeats part of another."""
    summed: dict[str, float] = {}
    for surface, count in Counter(surfaces(text, revision)).items():
        for term, weight in weighted(surface, revision):
            summed[term] = summed.get(term, 0.0) + count * weight
    return summed
