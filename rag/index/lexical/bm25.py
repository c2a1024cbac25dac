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

from rag.index.catalog.schema import COLUMN_WEIGHTS

K1, B = 1.2, 0.75  # of BM25, as FTS5 has them (Robertson, Zaragoza 2009)
_MIN_IDF = 0.05  # nats: a word that every passage has still puts those with it before those without
_ENDED_SAMPLE = 2_000  # ended passages
_registered: WeakSet[apsw.Connection] = WeakSet()  # those that know the function


def idf(live: int, count: int) -> float:
    """ln((N − n + ½) / (n + ½)) of a unit that stands in n of N live passages, as FTS5 has it; at least 0.05."""
    return max(_MIN_IDF, math.log((max(live - count, 0) + 0.5) / (count + 0.5)))


def information(live: int, count: int) -> float:
    """ln(1 + (N − n + ½) / (n + ½)): how much a unit says; above 0 also where most passages hold it, or where they are few."""
    return math.log1p((max(live - count, 0) + 0.5) / (count + 0.5))


def mean_length(connection: apsw.Connection) -> float:
    """How many terms a live passage has. What FTS5 counts includes those that ended and were not compacted away yet.

    Of more than 2,000 of them a part stands for all: 10 ms.
    """
    rows, total = totals(connection)
    ended = int(connection.execute("SELECT count(*) FROM passages WHERE ended IS NOT NULL").get)
    question = """SELECT sz FROM (SELECT number FROM passages WHERE ended IS NOT NULL LIMIT ?)
        JOIN lexical_docsize ON id = number"""
    sizes = [sum(_numbers(size)) for (size,) in connection.execute(question, (_ENDED_SAMPLE,))]
    live = rows - ended
    if live <= 0 or not sizes:
        return total / rows if rows else 1.0
    return max(total - sum(sizes) * ended / len(sizes), live) / live


def totals(connection: apsw.Connection) -> tuple[int, int]:
    """Passages in the full text, and their terms: row 1 of FTS5's data (fts5_index.c, "averages record")."""
    found = connection.execute("SELECT block FROM lexical_data WHERE id = 1").get
    rows, *totals = _numbers(found) if found else [0]
    return rows, sum(totals)


def _numbers(packed: bytes) -> list[int]:
    """SQLite's variable-length integers, of seven bits a byte; none here takes nine."""
    found, value = [], 0
    for byte in packed:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            found.append(value)
            value = 0
    return found


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
    mean: float = 0.0  # terms of a live passage; 0: that of all in the full text, ended ones too
    found: list[tuple[float, int, float]] = field(default_factory=list)  # −score, number, share: the smallest is best

    def score_passage(self, api: apsw.FTS5ExtensionApi) -> None:
        """Scores the passage where the search stands."""
        number = api.rowid
        if number >= len(self.allowed) or not self.allowed[number]:
            return
        if not self.mean:
            self.mean = api.column_total_size() / max(api.row_count, 1) or 1.0
        damped = K1 * (1 - B + B * api.column_size() / self.mean)
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


def score(
    connection: apsw.Connection,
    match: str,
    scoring: Scoring,
    most: int,
    numbers: NDArray[np.int64] | None = None,
    after: int = 0,
) -> bool:
    """Scores the passages that match, those of some numbers, or those after a number, until more than `most` were found.

    Whether that were all.
    """
    if connection not in _registered:
        connection.register_fts5_function("rag_see", _score_passage)
        _registered.add(connection)
    only = "" if numbers is None else f" AND rowid IN ({','.join(map(str, numbers.tolist()))})"
    only += f" AND rowid > {after}" if after else ""
    statement = f"SELECT rag_see(lexical, ?) FROM lexical WHERE lexical MATCH ?{only}"
    rows = connection.execute(statement, (apsw.pyobject(scoring), match))
    for _ in rows:
        if len(scoring.found) > most:
            rows.close()
            return False
    return True


def _score_passage(api: apsw.FTS5ExtensionApi, *given: Any) -> None:
    given[0].score_passage(api)
