"""In how many passages each word is, in memory: the answers that a query needs of the table `terms`, without a catalog.

Knows SQLite and the lexical lane; knows no passages.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import apsw

from rag.index.lexical import bm25_search
from rag.index.lexical.postings_search import Wanted
from rag.index.lexical.typing_errors import corrections
from rag.text.query_syntax import ParsedQuery, understand

_TERMS = "CREATE TABLE terms(term TEXT PRIMARY KEY, passages INTEGER NOT NULL) STRICT, WITHOUT ROWID"


class WordCounts:
    """The counts of one generation. Thread-safe: one thread is answered at a time."""

    def __init__(self, folding: int, live: int, terms: Mapping[str, int], length: float) -> None:
        """`live` passages hold `length` terms each in the mean."""
        self.folding, self.live, self.length = folding, live, length
        self._lock = threading.RLock()
        self._connection = apsw.Connection(":memory:")
        self._connection.execute(_TERMS)
        self.add(terms)

    def add(self, terms: Mapping[str, int]) -> None:
        """Adds what was counted; words that are known keep their counts."""
        with self._answering() as connection, connection:
            connection.executemany("INSERT OR IGNORE INTO terms VALUES (?, ?)", terms.items())

    def known(self, terms: Iterable[str]) -> dict[str, int]:
        """What was counted of some terms."""
        with self._answering() as connection:
            asked = [(term, connection.execute("SELECT passages FROM terms WHERE term = ?", (term,)).get) for term in terms]
        return {term: int(count) for term, count in asked if count}

    def wanted(self, words: str, everywhere: bm25_search.Frequencies | None = None) -> list[Wanted]:
        """The units of a query that the index knows, rarest first, with their weights."""
        with self._answering() as connection:
            return bm25_search.wanted_units(connection, words, self.live, self.folding, everywhere)

    def frequencies(self, words: str) -> bm25_search.Frequencies:
        """How often the words of a query occur, for a search of several indexes as one."""
        with self._answering() as connection:
            return bm25_search.frequencies(connection, words, self.live, self.folding)

    def document_frequencies(self, words: Iterable[str]) -> dict[str, int]:
        """How many live passages contain each word."""
        with self._answering() as connection:
            return bm25_search.document_frequencies(connection, words, self.folding)

    def corrections(self, words: str) -> dict[str, str]:
        """The words of a query that no passage holds, each with the one it is read as."""
        with self._answering() as connection:
            return corrections(connection, self._parsed(words).units)

    def _parsed(self, words: str) -> ParsedQuery:
        return understand(words, self.folding)

    @contextmanager
    def _answering(self) -> Iterator[apsw.Connection]:
        with self._lock:
            yield self._connection
