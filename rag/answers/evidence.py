"""What a chat model gets to read: sources, each a hit with whole passages of its document, within a budget of tokens.

Knows hits, passages and pixels; knows no model and no prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.search.hits import shown_words
from rag.types import Hit, StoredPassage

if TYPE_CHECKING:
    from rag.answers.pictures import Picture

GAP = "[…]"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One numbered source."""

    number: int  # from 1: what an answer cites
    hit: Hit
    passages: tuple[StoredPassage, ...]  # of the hit, and neighbours, in document order
    pictures: tuple[Picture, ...] = ()  # shown instead of the words where there are any
    tokens: int = 0  # that it takes in the prompt

    @property
    def words(self) -> str:
        """All that is known of it as text: what a model without eyes reads, and what quotes are checked against."""
        return words_of(self.passages)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The sources for one question, best first, and how many tokens they take."""

    question: str
    sources: tuple[Source, ...] = ()
    tokens: int = 0  # of the sources
    exact: bool = False  # counted by the model's own tokenizer; else an upper bound
    left_out: int = 0  # hits that found no room
    good: bool | None = None  # whether the best hit is a good match; None if unknown
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)  # of each stage


def words_of(passages: tuple[StoredPassage, ...]) -> str:
    """The words of passages as a person reads them, each once; `[…]` where passages between them are left out."""
    told: set[str] = set()
    lines: list[str] = []
    last = None
    for one in passages:
        words = shown_words(one.passage)
        if not words or words in told:
            continue
        if last is not None and one.passage.ordinal > last + 1:
            lines.append(GAP)
        lines.append(words)
        told.add(words)
        last = one.passage.ordinal
    return "\n".join(lines)
