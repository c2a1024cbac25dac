"""Reads postings from the full text itself: the passages that hold a phrase, and its weight in each. Keeps what it has read.

Knows FTS5's tables; knows no query, and of an index only its full text. A passage's words never change, so what was read of one
generation stays valid as long as that generation is asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import chain, islice
from typing import NamedTuple
from weakref import WeakSet

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.schema import COLUMN_WEIGHTS, COLUMNS
from rag.index.lexical.bm25 import K1, B, totals

_MOST_BYTES = 64 << 20  # of the postings kept
_ROWS_AT_ONCE = 20_000  # lengths decoded together
_BY_NUMBER = 3  # a length looked up by number costs as much as three read in order
_CODES = " ".join(f"WHEN '{column}' THEN {code}" for code, column in enumerate(COLUMNS))
_OCCURRENCES = f"SELECT doc * 4 + CASE col {_CODES} END FROM temp.occurrences WHERE term = ?"
_WEIGHTS = np.array((*COLUMN_WEIGHTS, 0.0))
_declared: WeakSet[apsw.Connection] = WeakSet()  # connections that have the table `occurrences`


class PhrasePosting(NamedTuple):
    """The passages that hold a phrase, ascending, and its weight in each: BM25 without the factor for its rarity."""

    numbers: NDArray[np.int64]
    weights: NDArray[np.float32]


class PhrasePostings:
    """The postings read from one full text at one generation. Thread-safe; each thread brings its connection."""

    def __init__(self, mean: float) -> None:
        """`mean` is the mean number of terms in a live passage; 0: that of the full text, which counts ended passages too."""
        self._mean = mean
        self._lengths = np.full(0, -1, np.int32)  # terms of each passage, by number; -1: not read yet
        self._kept: OrderedDict[tuple[str, int], PhrasePosting] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __contains__(self, phrase: str) -> bool:
        """Whether the posting of a phrase, in FTS5's grammar, is in memory."""
        return (phrase, 0) in self._kept

    def of(self, connection: apsw.Connection, phrase: str, since: int = 0) -> PhrasePosting:
        """The posting of a phrase in FTS5's grammar, among the passages with greater numbers than `since`.

        A word costs 0.4 µs for each occurrence, anything else 3 µs for each passage; once read, nothing.
        """
        with self._lock:
            if (found := self._kept.get((phrase, since))) is not None:
                self._kept.move_to_end((phrase, since))
                return found
        word = phrase.strip('"')
        if not since and phrase == f'"{word}"' and " " not in word:
            numbers, frequencies = _occurrences(connection, word)
            found = PhrasePosting(numbers, self._weights(connection, numbers, frequencies))
        else:
            found = self._by_full_text(connection, phrase, since)
        with self._lock:
            self._kept[(phrase, since)] = found
            self._bytes += _size(found)
            while self._bytes > _MOST_BYTES and len(self._kept) > 1:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
        return found

    def _weights(
        self, connection: apsw.Connection, numbers: NDArray[np.int64], frequencies: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """f · (k1 + 1) / (f + k1 · (1 − b + b · |p| / mean |p|)) of each passage."""
        damping = K1 * (1 - B + B * self.lengths_of(connection, numbers) / self._mean_of(connection))
        return (frequencies * (K1 + 1) / (frequencies + damping)).astype(np.float32)

    def _mean_of(self, connection: apsw.Connection) -> float:
        if not self._mean:
            rows, terms = totals(connection)
            self._mean = terms / rows if rows and terms else 1.0
        return self._mean

    def lengths_of(self, connection: apsw.Connection, numbers: NDArray[np.int64]) -> NDArray[np.int32]:
        """The number of terms in each passage, int32 (n,), of the ascending numbers, int64 (n,)."""
        if not len(numbers):
            return np.empty(0, np.int32)
        with self._lock:
            if numbers[-1] >= len(self._lengths):
                grown = np.full(max(int(numbers[-1]) + 1, 2 * len(self._lengths)), -1, np.int32)
                grown[: len(self._lengths)] = self._lengths
                self._lengths = grown
            missing = numbers[self._lengths[numbers] < 0]
            if len(missing):
                rows, _ = totals(connection)
                some = "" if _BY_NUMBER * len(missing) > rows else f" WHERE id IN ({','.join(map(str, missing.tolist()))})"
                read = connection.execute(f"SELECT id, sz FROM lexical_docsize{some}")
                while rows_read := list(islice(read, _ROWS_AT_ONCE)):
                    found = np.array([number for number, _ in rows_read], np.int64)
                    known = found < len(self._lengths)
                    self._lengths[found[known]] = _sums_of([packed for _, packed in rows_read])[known]
            return self._lengths[numbers]

    def _by_full_text(self, connection: apsw.Connection, phrase: str, since: int) -> PhrasePosting:
        """By FTS5's own count of a phrase, a prefix, or the words of a few passages."""
        counting = f"""SELECT rowid, bm25(lexical, {", ".join(map(str, COLUMN_WEIGHTS))}) FROM lexical
            WHERE lexical MATCH ? AND rowid > ? ORDER BY rowid"""
        rows, terms = totals(connection)
        holding = int(connection.execute("SELECT count(*) FROM lexical WHERE lexical MATCH ?", (phrase,)).get)
        rarity = np.log((rows - holding + 0.5) / (holding + 0.5)) if 2 * holding < rows else _LEAST_IDF
        table = np.fromiter(chain.from_iterable(connection.execute(counting, (phrase, since))), np.float64).reshape(-1, 2)
        numbers = table[:, 0].astype(np.int64)
        weights = -table[:, 1] / max(rarity, _LEAST_IDF)
        # FTS5 divides by its own mean length: solved for the frequency, and weighed with that of the live passages.
        lengths = self.lengths_of(connection, numbers)
        damping = K1 * (1 - B + B * lengths / (terms / rows if rows and terms else 1.0))
        frequencies = weights * damping / (K1 + 1 - weights)
        return PhrasePosting(numbers, self._weights(connection, numbers, frequencies))


_LEAST_IDF = 1e-6  # as FTS5 has it


def _occurrences(connection: apsw.Connection, word: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The passages that hold a term, ascending, and how often, weighted by column."""
    if connection not in _declared:
        connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.occurrences USING fts5vocab('main', 'lexical', 'instance')")
        _declared.add(connection)
    found = np.fromiter(chain.from_iterable(connection.execute(_OCCURRENCES, (word,))), np.int64)
    numbers, places = np.unique(found >> 2, return_inverse=True)
    return numbers.astype(np.int64), np.bincount(places, _WEIGHTS[found & 3], len(numbers)).astype(np.float64)


def _sums_of(packed: Sequence[bytes]) -> NDArray[np.int64]:
    """The sum of the variable-length integers of SQLite in each, seven bits per byte; none here takes nine bytes."""
    content = np.frombuffer(b"".join(packed), np.uint8)
    ends = np.flatnonzero(content < 0x80)
    places = np.arange(len(content))
    shifts = 7 * (ends[np.searchsorted(ends, places)] - places) if len(ends) else places
    owners = np.repeat(np.arange(len(packed)), [len(each) for each in packed])
    parts = (content & 0x7F).astype(np.int64) << shifts
    return np.bincount(owners, parts, len(packed)).astype(np.int64)


def _size(posting: PhrasePosting) -> int:
    return 200 + posting.numbers.nbytes + posting.weights.nbytes
