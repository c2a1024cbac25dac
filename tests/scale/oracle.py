"""What every room must answer, by brute force from the documents themselves. Knows the formulas, and no index."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.index.catalog.documents import word_columns
from rag.index.catalog.schema import COLUMN_WEIGHTS
from rag.text.analyzer import stems, stored_terms
from rag.types import DocumentId, Passage
from tests.unit.index_samples import document, key_of, passage, vector_of

K1, B = 1.2, 0.75


@dataclass(frozen=True)
class Known:
    """A passage that the index must hold."""

    passage: Passage
    vector: np.ndarray
    modified: float
    columns: tuple[list[str], ...]

    @property
    def place(self) -> tuple[str, str, int]:
        return self.passage.document.root, self.passage.document.path, self.passage.ordinal


class Oracle:
    """The documents of an index by their ids."""

    def __init__(self) -> None:
        self.documents: dict[DocumentId, list[Known]] = {}

    def put(
        self, path: str, texts: Sequence[str], *, words: str = "", modified: float = 1000.0, root: str = "docs", **more
    ) -> None:
        of = document(path, root, modified=modified)
        made = [passage(of, at, text, **more) for at, text in enumerate(texts)]
        terms = stored_terms(words)
        self.documents[of.id] = [
            Known(
                one,
                vector_of(key_of(one.text)).astype(np.float16).astype(np.float32),
                modified,
                tuple(list(column) for column in word_columns(one, terms)),
            )
            for one in made
        ]

    def all(self, allowed: Callable[[Known], bool] = lambda _: True) -> list[Known]:
        return [one for each in self.documents.values() for one in each if allowed(one)]

    def nearest(self, query: np.ndarray, allowed: Callable[[Known], bool] = lambda _: True) -> list[tuple[tuple, float]]:
        scored = [(one.place, float(one.vector @ query)) for one in self.all(allowed)]
        return sorted(scored, key=lambda pair: -pair[1])

    def containing(self, words: str, allowed: Callable[[Known], bool] = lambda _: True) -> Mapping[tuple, float]:
        """b / (1 + b) of every passage that holds a word, by BM25 over all passages; words must be plain and known."""
        asked = Counter(stems(words.split()))
        everything = self.all()
        held = {term: sum(any(term in column for column in one.columns) for one in everything) for term in asked}
        mean = sum(len(column) for one in everything for column in one.columns) / len(everything)
        found = {}
        for one in self.all(allowed):
            length = sum(map(len, one.columns))
            total = 0.0
            for term, times in asked.items():
                frequency = sum(weight * column.count(term) for weight, column in zip(COLUMN_WEIGHTS, one.columns, strict=True))
                rarity = max(0.05, math.log((len(everything) - held[term] + 0.5) / (held[term] + 0.5)))
                total += times * rarity * frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * length / mean))
            if total:
                found[one.place] = total / (1 + total)
        return found
