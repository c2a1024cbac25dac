"""The words of an index in memory: in how many live passages each is, as the lexical room counts them; and scores of candidates.

Knows SQLite and the formula of `rag.index.lexical`; sends nothing. An index of up to `COUNTED` passages is counted exactly; of a
larger one so many are counted, which the hashes of their documents choose, and the numbers are scaled up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.lexical import bm25_search
from rag.index.lexical.bm25 import Scoring, score
from rag.index.lexical.postings_search import Wanted
from rag.index.lexical.pruning import any_of
from rag.index.lexical.word_counts import WordCounts
from rag.index.milvus.rows import columns_of
from rag.text.query_syntax import ParsedQuery, Unit

COUNTED = 200_000  # passages
_EXPANDED = 200  # words that begin as a query's word does
_FULL_TEXT = """
CREATE VIRTUAL TABLE lexical USING fts5(text, caption, path, content = '', contentless_delete = 1, tokenize = 'ascii')
"""


class Vocabulary(WordCounts):
    """The counts of one generation. Thread-safe: one thread is answered at a time."""

    def __init__(self, folding: int, live: int, terms: Mapping[str, int], length: float, *, exact: bool) -> None:
        """`live` passages hold `length` terms each in the mean."""
        super().__init__(folding, live, terms, length)
        self.exact = exact
        self._connection.execute(_FULL_TEXT)

    @classmethod
    def of(cls, folding: int, fields: Iterable[str], live: int | None = None) -> Vocabulary:
        """Counts the `terms` fields of passages: all live ones, or some of `live`."""
        counts: Counter[str] = Counter()
        passages = length = 0
        for field in fields:
            columns = [column.split() for column in columns_of(field)]
            counts.update(set(chain.from_iterable(columns)))
            length += sum(map(len, columns))
            passages += 1
        mean = length / passages if passages else 1.0
        if live is None or live <= passages:
            return cls(folding, passages, counts, mean or 1.0, exact=True)
        scale = live / max(passages, 1)
        return cls(
            folding, live, {term: max(1, round(count * scale)) for term, count in counts.items()}, mean or 1.0, exact=False
        )

    def missing(self, words: str) -> list[str]:
        """The terms of a query that were not counted: in a large index they may be there all the same."""
        with self._answering() as connection:
            asked = dict.fromkeys(term for unit in self._parsed(words).units for term in _terms_of(unit))
            return [term for term in asked if not connection.execute("SELECT 1 FROM terms WHERE term = ?", (term,)).get]

    def add_rare(self, terms: Iterable[str]) -> None:
        """Counts terms as in one passage: they are there, and not among those counted."""
        self.add(dict.fromkeys(terms, 1))

    def spelled(self, wanted: Sequence[Wanted]) -> str:
        """The terms by which the engine proposes candidates: all of the units, and the words that begin as a prefix does."""
        found: dict[str, None] = {}
        with self._answering() as connection:
            for unit in (one.unit for one in wanted):
                found.update(dict.fromkeys(_terms_of(unit)))
                for phrase in unit.phrases:
                    terms = phrase.removesuffix(" *").strip('"').split()
                    found.update(dict.fromkeys(terms if not phrase.endswith("*") else terms[:-1]))
                    if phrase.endswith("*"):
                        question = "SELECT term FROM terms WHERE term >= ? AND term < ? ORDER BY passages DESC, term LIMIT ?"
                        rows = connection.execute(question, (terms[-1], f"{terms[-1]}\U0010ffff", _EXPANDED))
                        found.update(dict.fromkeys(term for (term,) in rows))
        return " ".join(found)

    def scores(self, wanted: Sequence[Wanted], fields: Sequence[str]) -> list[tuple[int, float, float]]:
        """(place, score, share) of the candidates that match, by the places of their `terms` fields; unordered."""
        if not wanted or not fields:
            return []
        scoring = Scoring(
            phrases=[len(one.unit.phrases) for one in wanted],
            idfs=[one.factor for one in wanted],
            weights=[one.share for one in wanted],
            allowed=bytes([1]) * (len(fields) + 1),
            mean=self.length,
        )
        with self._holding(fields) as connection:
            score(connection, any_of([one.unit for one in wanted]), scoring, len(fields))
        return [(number - 1, -low / (1 - low), min(1.0, share)) for low, number, share in scoring.found]

    def meeting(self, question: ParsedQuery, fields: Sequence[str]) -> list[bool]:
        """Whether each candidate contains every required unit of a query and no excluded one."""
        if not fields:
            return []
        with self._holding(fields) as connection:
            numbers: NDArray[np.int64] = np.arange(1, len(fields) + 1)
            kept = set(bm25_search.meeting(connection, question, numbers).tolist())
        return [number in kept for number in range(1, len(fields) + 1)]

    @contextmanager
    def _holding(self, fields: Sequence[str]) -> Iterator[apsw.Connection]:
        """The full text with these candidates, numbered from 1, and with nothing else."""
        with self._lock:
            connection = self._connection
            with connection:
                connection.execute("INSERT INTO lexical(lexical) VALUES ('delete-all')")
                rows = [(number, *columns_of(field)) for number, field in enumerate(fields, 1)]
                connection.executemany("INSERT INTO lexical(rowid, text, caption, path) VALUES (?, ?, ?, ?)", rows)
            yield connection


def _terms_of(unit: Unit) -> list[str]:
    return [term for term in (*unit.terms, unit.whole, *chain.from_iterable(unit.others)) if term]
