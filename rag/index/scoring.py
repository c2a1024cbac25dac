"""BM25 of passages as the full text meets them: over live passages alone, and how much of the question each one holds.

Knows the full text's own functions; knows no query syntax and no filters but a mask of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.schema import COLUMN_WEIGHTS

K1, B = 1.2, 0.75  # of BM25, as FTS5 has them (Robertson, Zaragoza 2009)
_LEAST = 0.05  # nats: a word that every passage has still puts those with it before those without
_ready: WeakSet[apsw.Connection] = WeakSet()  # those that know the function


def idf(live: int, count: int) -> float:
    """ln((N − n + ½) / (n + ½)) of a unit that stands in n of N live passages, as FTS5 has it; at least 0.05."""
    return max(_LEAST, math.log((max(live - count, 0) + 0.5) / (count + 0.5)))


def mass(live: int, count: int) -> float:
    """ln(1 + (N − n + ½) / (n + ½)): how much a unit says; above 0 also where most passages hold it, or where they are few."""
    return math.log1p((max(live - count, 0) + 0.5) / (count + 0.5))


@dataclass(slots=True)
class Scoring:
    """What the function needs to score, and what it has found.

    score(p) = Σ over units  idf · f · (k1 + 1) / (f + k1 · (1 − b + b · |p| / mean |p|)), f weighted by column;
    share(p) = Σ weight of the units that p holds.
    """

    phrases: Sequence[int]  # how many phrases each unit has; the expression begins with the units, in this order
    idfs: Sequence[float]
    weights: Sequence[float]  # of each unit in the share
    allowed: bytes  # by number: whether it may be found
    found: list[tuple[float, int, float]] = field(default_factory=list)  # −score, number, share: the smallest is best
    _mean: float = 0.0

    def see(self, api: apsw.FTS5ExtensionApi) -> None:
        """Scores the passage where the search stands."""
        number = api.rowid
        if number >= len(self.allowed) or not self.allowed[number]:
            return
        if not self._mean:
            self._mean = api.column_total_size() / max(api.row_count, 1) or 1.0
        damped = K1 * (1 - B + B * api.column_size() / self._mean)
        score = share = 0.0
        phrase = 0
        for count, rare, weight in zip(self.phrases, self.idfs, self.weights, strict=True):
            often = 0.0
            for at in range(phrase, phrase + count):
                here = 0.0
                for column in api.phrase_columns(at):
                    here += COLUMN_WEIGHTS[column] * len(api.phrase_column_offsets(at, column))
                often = max(often, here)
            phrase += count
            if often:
                score += rare * often * (K1 + 1) / (often + damped)
                share += weight
        self.found.append((-score, number, share))


def score(connection: apsw.Connection, match: str, scoring: Scoring, most: int, numbers: NDArray[np.int64] | None = None) -> bool:
    """Scores the passages that match, or those of some numbers, until more than `most` were found; whether that were all."""
    if connection not in _ready:
        connection.register_fts5_function("rag_see", _see)
        _ready.add(connection)
    only = "" if numbers is None else f" AND rowid IN ({','.join(map(str, numbers.tolist()))})"
    statement = f"SELECT rag_see(lexical, ?) FROM lexical WHERE lexical MATCH ?{only}"
    rows = connection.execute(statement, (apsw.pyobject(scoring), match))
    for _ in rows:
        if len(scoring.found) > most:
            rows.close()
            return False
    return True


def _see(api: apsw.FTS5ExtensionApi, *given: Any) -> None:
    given[0].see(api)
