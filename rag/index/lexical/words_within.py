"""The lexical lane of some passages of a full text as if there were no others: rarity, lengths and corrections are theirs alone.

Knows the full text and the table `terms`; knows no root, no filter and no key. Nothing is counted before a query asks for it, and
then kept: a word costs what its posting costs, 0.4 µs for each occurrence in the whole full text.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.schema import COLUMNS
from rag.index.lexical import bm25_search
from rag.index.lexical.compounds import signs_and_compounds
from rag.index.lexical.phrase_postings import PhrasePostings
from rag.index.lexical.postings_search import Wanted
from rag.index.lexical.typing_errors import neighbours
from rag.index.lexical.word_counts import WordCounts
from rag.text.query_syntax import Unit, understand, units_of

_MOST_LEARNED = 50_000


class CountsWithin:
    """What was counted so far in some passages of one generation. Thread-safe; each thread brings its connection."""

    def __init__(self, connection: apsw.Connection, numbers: NDArray[np.int64], folding: int) -> None:
        """`numbers` are those of the passages, ascending."""
        lengths = PhrasePostings(1.0).lengths_of(connection, numbers)
        length = float(lengths.mean()) if len(lengths) and lengths.any() else 1.0
        self.counts = WordCounts(folding, len(numbers), {}, length)
        self.read = PhrasePostings(length)
        self._inside = np.zeros(int(numbers[-1]) + 1 if len(numbers) else 0, np.bool_)
        self._inside[numbers] = True
        self._asked: set[str] = set()  # terms
        self._learned: set[tuple[Unit, str]] = set()  # units, with what was typed
        self._lock = threading.Lock()

    def learn(self, connection: apsw.Connection, units: Sequence[Unit]) -> None:
        """Counts all words whose number any of these units may ask for."""
        units = [unit for unit in units if (unit, unit.typed) not in self._learned]
        own = dict.fromkeys(chain.from_iterable(map(_terms_of, units)))
        found = self._count(connection, own)
        for unit in units:
            if not any(found.get(term) for term in unit.terms):
                self._count(connection, neighbours(unit))
            if unit.prefix and len(unit.terms) == 1:
                self._count(connection, _beginning(connection, unit.terms[0]))
            if unit.inside and not unit.quoted:
                self._count(connection, signs_and_compounds(connection, unit))
        with self._lock:
            if len(self._learned) > _MOST_LEARNED:
                self._learned.clear()  # the counts stay
            self._learned.update((unit, unit.typed) for unit in units)

    def _count(self, connection: apsw.Connection, terms: Iterable[str]) -> dict[str, int]:
        """Counts those of the terms that were not counted yet; returns what is known of all of them."""
        listed = list(terms)
        with self._lock:
            fresh = [term for term in listed if term not in self._asked]
        known = [term for term in fresh if connection.execute("SELECT 1 FROM terms WHERE term = ?", (term,)).get]
        counted = {term: count for term in known if (count := self._holding(connection, term))}
        self.counts.add(counted)
        with self._lock:
            self._asked.update(fresh)
        return counted if len(fresh) == len(listed) else self.counts.known(listed)

    def _holding(self, connection: apsw.Connection, term: str) -> int:
        numbers = self.read.of(connection, f'"{term}"').numbers
        return int(np.count_nonzero(self._inside[numbers[: np.searchsorted(numbers, len(self._inside))]]))


class WordsWithin:
    """Answers about words over one connection, by counts that are kept. For one thread."""

    def __init__(self, connection: apsw.Connection, counts: CountsWithin) -> None:
        self._connection, self._within, self._counts = connection, counts, counts.counts
        self._wanted: dict[tuple[str, bm25_search.Frequencies | None], Sequence[Wanted]] = {}  # a search asks twice

    def containing(
        self, words: str, k: int, allowed: NDArray[np.int64], everywhere: bm25_search.Frequencies | None = None
    ) -> list[tuple[int, float, float]]:
        """As `bm25_search.containing`, among the ascending passage numbers `allowed`, int64 (n,), some of those counted."""
        if (words, everywhere) not in self._wanted:
            self._learn(words)
            self._wanted[words, everywhere] = self._counts.wanted(words, everywhere)
        ranked = self._wanted[words, everywhere]
        live = self._counts.live if everywhere is None else everywhere.live
        return bm25_search.best_of(
            self._connection, ranked, k, allowed, live, COLUMNS, self._counts.length, None, self._within.read
        )

    def corrections(self, words: str) -> dict[str, str]:
        """The words of a query that none of the passages holds, each with the one it is read as."""
        self._learn(words)
        return self._counts.corrections(words)

    def frequencies(self, words: str) -> bm25_search.Frequencies:
        """How often the words of a query occur in the passages, for a search of several indexes as one."""
        self._learn(words)
        return self._counts.frequencies(words)

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """How many of the passages contain each word, and how many passages there are."""
        listed = list(words)
        units = [unit for word in listed for unit in units_of(word, self._counts.folding)]
        self._within.learn(self._connection, units)
        return self._counts.document_frequencies(listed), self._counts.live

    def _learn(self, words: str) -> None:
        self._within.learn(self._connection, understand(words, self._counts.folding).units)


def _terms_of(unit: Unit) -> Iterator[str]:
    yield from (term for term in (*unit.terms, unit.whole, *chain.from_iterable(unit.others)) if term)


def _beginning(connection: apsw.Connection, start: str) -> list[str]:
    rows = connection.execute("SELECT term FROM terms WHERE term >= ? AND term < ?", (start, f"{start}\U0010ffff"))
    return [term for (term,) in rows]
