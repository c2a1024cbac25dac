"""Answers about the words of some roots of one snapshot.

Knows what a filter allows and `words_within`; knows no root by name, and no key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rag.index.reader import filters

if TYPE_CHECKING:
    from rag.index.lexical.bm25_search import Frequencies
    from rag.index.lexical.words_within import WordsWithin
    from rag.index.reader.filters import Allowed
    from rag.index.reader.live_passages import LivePassages


class WordsOfRoots:
    """As `Words`; for one thread, and only within the `with` of its snapshot."""

    def __init__(self, live: LivePassages, within: WordsWithin) -> None:
        self._live, self._within = live, within

    def containing(
        self, words: str, k: int, within: Allowed, *, everywhere: Frequencies | None = None
    ) -> list[tuple[int, float, float]]:
        """As `Snapshot.containing`, among passages of the roots."""
        numbers = self._live.numbers[filters.allowed_mask(self._live, within)]
        return self._within.containing(words, k, numbers, everywhere)

    def corrections(self, words: str) -> dict[str, str]:
        """As `Snapshot.corrections`, of the words that the roots hold."""
        return self._within.corrections(words)

    def frequencies(self, words: str) -> Frequencies:
        """As `Snapshot.frequencies`, in the roots."""
        return self._within.frequencies(words)

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """As `Snapshot.document_frequencies`, in the roots."""
        return self._within.document_frequencies(words)
