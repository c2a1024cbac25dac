"""Scores the passages that the full text matches: BM25 over live passages alone, and the share of the query each contains.

Knows FTS5's functions; knows no query syntax, and of filters only a mask of passage numbers.
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
_MIN_IDF = 0.05  # nats: even a word in nearly every passage ranks those with it above those without
_ENDED_SAMPLE = 2_000  # ended passages whose length is read
_registered: WeakSet[apsw.Connection] = WeakSet()  # connections on which the scoring function is registered


def idf(live: int, count: int) -> float:
    """ln((N − n + ½) / (n + ½)) of a unit in n of N live passages, as FTS5 computes it; at least 0.05."""
    return max(_MIN_IDF, math.log((max(live - count, 0) + 0.5) / (count + 0.5)))


def information(live: int, count: int) -> float:
    """ln(1 + (N − n + ½) / (n + ½)): the information of a unit, above 0 also where most passages contain it."""
    return math.log1p((max(live - count, 0) + 0.5) / (count + 0.5))


def mean_length(connection: apsw.Connection) -> float:
    """The mean number of terms in a live passage. FTS5's own totals include ended passages that are not compacted away yet.

    Where more than 2,000 have ended, a sample of 2,000 stands for all: 10 ms.
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
    """(passages in the full text, their terms in all): row 1 of FTS5's data (fts5_index.c, "averages record")."""
    found = connection.execute("SELECT block FROM lexical_data WHERE id = 1").get
    rows, *totals = _numbers(found) if found else [0]
    return rows, sum(totals)


def _numbers(packed: bytes) -> list[int]:
    """Decodes SQLite's variable-length integers, seven bits per byte; none here takes nine bytes."""
    found, value = [], 0
    for byte in packed:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            found.append(value)
            value = 0
    return found


@dataclass(slots=True)
class Scoring:
    """The input of the scoring function, and the passages it has scored.

    score(p) = Σ over units  idf · f · (k1 + 1) / (f + k1 · (1 − b + b · |p| / mean |p|)), f weighted by column;
    share(p) = Σ weight of the units that p contains.
    """

    phrases: Sequence[int]  # number of phrases of each unit; the expression starts with the units, in this order
    idfs: Sequence[float]
    weights: Sequence[float]  # of each unit, for the share
    allowed: bytes  # by passage number: 1 where it may be found
    mean: float = 0.0  # mean terms of a live passage; 0: of all passages in the full text, ended ones too
    found: list[tuple[float, int, float]] = field(default_factory=list)  # (−score, number, share): the smallest is best

    def score_passage(self, api: apsw.FTS5ExtensionApi) -> None:
        """Scores the current passage of an FTS5 query."""
        number = api.rowid
        if number >= len(self.allowed) or not self.allowed[number]:
            return
        if not self.mean:
            self.mean = api.column_total_size() / max(api.row_count, 1) or 1.0
        damping = K1 * (1 - B + B * api.column_size() / self.mean)
        score = share = 0.0
        phrase = 0
        for count, rarity, weight in zip(self.phrases, self.idfs, self.weights, strict=True):
            frequency = 0.0
            for at in range(phrase, phrase + count):
                here = 0.0
                for column in api.phrase_columns(at):
                    here += COLUMN_WEIGHTS[column] * len(api.phrase_column_offsets(at, column))
                frequency = max(frequency, here)
            phrase += count
            if frequency:
                score += rarity * frequency * (K1 + 1) / (frequency + damping)
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
    """Scores the matching passages among `numbers` (int64) into `scoring.found`, until there are more than `most`. True if all.

    `numbers` limits them to some passages, `after` to those with a greater number.
    """
    if connection not in _registered:
        connection.register_fts5_function("rag_score", _score_passage)
        _registered.add(connection)
    only = "" if numbers is None else f" AND rowid IN ({','.join(map(str, numbers.tolist()))})"
    only += f" AND rowid > {after}" if after else ""
    statement = f"SELECT rag_score(lexical, ?) FROM lexical WHERE lexical MATCH ?{only}"
    rows = connection.execute(statement, (apsw.pyobject(scoring), match))
    for _ in rows:
        if len(scoring.found) > most:
            rows.close()
            return False
    return True


def _score_passage(api: apsw.FTS5ExtensionApi, *given: Any) -> None:
    given[0].score_passage(api)
