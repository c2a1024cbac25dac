"""Folds near-duplicates: one result is shown, with the others under it.

Knows vectors, words and groups; knows no index, no model and no file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rag.search.grouping import Group
from rag.types import Page, Passage, Slide

if TYPE_CHECKING:
    from rag.types import Vectors

ALIKE = 0.97  # cosine from which two passages may be duplicates. Measured with `lite`: a picture at two sizes and photos of a
# burst 0.999, different crops and different pictures below 0.92. Not measured with neural models: a cautious guess, which the
# setting `fold_from` overrides.
EQUAL = 0.99999  # equal content: the vectors differ only by rounding to 16 bits
SAME_WORDS = 0.85  # share of all words, counted with repeats, that both texts contain
_ROWS = 256  # of the matrix of cosines, held at once
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """A group and its near-duplicates, best first."""

    shown: Group
    others: tuple[Group, ...]


class _WordCounts(NamedTuple):
    """The words and numbers of a passage, counted."""

    words: Counter[str]
    numbers: dict[str, int]


def unfolded(groups: Sequence[Group]) -> list[DuplicateGroup]:
    """Every group by itself."""
    return [DuplicateGroup(one, ()) for one in groups]


def fold(groups: Sequence[Group], vectors: Vectors, alike: float = ALIKE) -> list[DuplicateGroup]:
    """Groups in their order, each under the first one that it repeats; row i of `vectors` is the best passage of group i.

    Two results are duplicates if they are of one kind, the cosine of their vectors is at least `alike`, and their texts agree:
    in at least 0.85 of all words, and in every number. Vectors hardly encode numbers, and two invoices from one template are
    two documents. Equal vectors mean equal contents, whose words need no comparison. Pictures without text are compared by
    their vectors alone. Nothing is folded under a folded result, so that similarity does not chain.
    """
    folded: dict[int, list[Group]] = {}  # by the position of the group shown
    cache: dict[int, _WordCounts] = {}

    def counts(at: int) -> _WordCounts:
        if at not in cache:
            words = plain_words(groups[at].best.stored.passage)
            cache[at] = _WordCounts(words, _numbers(words))
        return cache[at]

    def repeats(leader: int, at: int, cosine: float) -> bool:
        first, second = groups[leader].best.stored.passage, groups[at].best.stored.passage
        if first.kind != second.kind:
            return False
        return cosine >= EQUAL or _texts_agree(counts(leader), counts(at), wordless=first.modality != "text")

    for at, one in enumerate(groups):
        if at % _ROWS == 0:
            cosines = vectors[at : at + _ROWS] @ vectors.T
        row = cosines[at % _ROWS, :at]
        near = (leader for leader in (row >= min(alike, EQUAL)).nonzero()[0].tolist() if leader in folded)
        leader = next((each for each in near if repeats(each, at, float(row[each]))), None)
        if leader is None:
            folded[at] = []
        else:
            folded[leader].append(one)
    return [DuplicateGroup(groups[leader], tuple(others)) for leader, others in folded.items()]


def _texts_agree(first: _WordCounts, second: _WordCounts, *, wordless: bool) -> bool:
    """Whether two passages have nearly the same words and the same numbers; `wordless` is the answer for two without words."""
    if not first.words and not second.words:
        return wordless
    if first.numbers != second.numbers:
        return False
    return (first.words & second.words).total() >= SAME_WORDS * (first.words | second.words).total()


def plain_words(passage: Passage) -> Counter[str]:
    """The words of a passage, counted, without its own page or slide number."""
    found = Counter(_WORD.findall(f"{passage.text}\n{passage.caption}".casefold()))
    if isinstance(passage.locator, Page | Slide):
        own = str(passage.locator.number)
        found[own] -= 1
    return +found


def _numbers(words: Mapping[str, int]) -> dict[str, int]:
    return {word: count for word, count in words.items() if any(character.isdigit() for character in word)}
