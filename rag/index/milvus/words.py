"""The lexical lane of one moment of an index in Milvus: the engine proposes, counts of words score; of all passages or of some.

Knows rows and the vocabulary; knows no filter and no root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rag.index.milvus.names import both
from rag.index.milvus.schema import PASSAGE_FIELDS

if TYPE_CHECKING:
    from rag.index.lexical.bm25_search import Frequencies
    from rag.index.milvus.live_rows import LiveRows
    from rag.index.milvus.numbers import Numbers
    from rag.index.milvus.selection import Selection
    from rag.index.milvus.vocabulary import Vocabulary

LISTED = 1_000  # keys: so few are read by key


class MilvusWords:
    """As `Words`, of the live passages that an expression selects; "": all. For one thread."""

    def __init__(self, rows: LiveRows, numbers: Numbers, counts: Callable[[], Vocabulary], expression: str) -> None:
        self._rows, self._numbers, self._counts, self._expression = rows, numbers, counts, expression

    def containing(
        self, words: str, k: int, within: Selection | None, *, everywhere: Frequencies | None = None
    ) -> list[tuple[int, float, float]]:
        """The k passages that match the words best, as (number, score, share), best first.

        The engine proposes twice as many by its own count of words; `rag.index.lexical` scores them.
        """
        vocabulary = self._vocabulary(words)
        wanted = vocabulary.wanted(words, everywhere)
        if k <= 0 or not wanted or (within is not None and not len(within)):
            return []
        if within is not None and within.keys is not None and len(within.keys) <= LISTED:
            keys = sorted(within.keys)
        else:
            expression, check = (within.expression, within.check) if within is not None else ("", None)
            spelled, fields = vocabulary.spelled(wanted), PASSAGE_FIELDS if k <= LISTED else ()
            found, _ = self._rows.best("bm25", spelled, k, both(expression, self._expression), check, fields=fields)
            keys = [row["key"] for row in found]
        rows = self._rows.read(keys)
        scored = vocabulary.scores(wanted, [row["terms"] for row in rows])
        ranked = sorted(
            ((self._numbers.of(rows[at]), score, share) for at, score, share in scored), key=lambda one: (-one[1], one[0])
        )
        return ranked[:k]

    def corrections(self, words: str) -> dict[str, str]:
        """The words of a query that none of the passages holds, each with the one a letter away that it is read as."""
        return self._vocabulary(words).corrections(words)

    def frequencies(self, words: str) -> Frequencies:
        """How often the words of a query occur, for a search of several indexes as one."""
        return self._vocabulary(words).frequencies(words)

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """How many of the passages contain each word, and how many passages there are."""
        listed = list(words)
        vocabulary = self._vocabulary(" ".join(listed))
        return vocabulary.document_frequencies(listed), vocabulary.live

    def _vocabulary(self, words: str) -> Vocabulary:
        vocabulary = self._counts()
        if words and not vocabulary.exact:  # rare words were perhaps not among those counted
            rare = [term for term in vocabulary.missing(words) if self._rows.best("bm25", term, 1, self._expression, None)[0]]
            vocabulary.add_rare(rare)
        return vocabulary
