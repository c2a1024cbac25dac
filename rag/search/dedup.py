"""Folds results that say or show the same: one is shown, with the others under it.

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

ALIKE = 0.97  # cosine from which on two passages may be the same. Measured with `lite`: a picture at two sizes and photos of a
# burst 0.999, different crops and different pictures below 0.92. Not measured with neural models: a guess on the careful side,
# which the setting `fold_from` overrides.
EQUAL = 0.99999  # the same content: only the rounding of 16-bit vectors lies between
SAME_WORDS = 0.85  # of all words, counted with repeats, those that both texts have
_ROWS = 256  # cosines of so many results with all others are held at once
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """A group, and those like it, best first."""

    shown: Group
    others: tuple[Group, ...]


class _Said(NamedTuple):
    """What a passage says, counted with repeats."""

    words: Counter[str]
    numbers: dict[str, int]


def unfolded(groups: Sequence[Group]) -> list[DuplicateGroup]:
    """Every group by itself."""
    return [DuplicateGroup(one, ()) for one in groups]


def fold(groups: Sequence[Group], vectors: Vectors, alike: float = ALIKE) -> list[DuplicateGroup]:
    """Groups in their order, each under the first one that it repeats; row i of `vectors` is the best passage of group i.

    Two results are the same where they are of one kind, the cosine of their vectors is at least `alike`, and what they say is
    the same: at least 0.85 of all words, and every number. A vector says little of a number, and two invoices from one
    template are two documents. Equal vectors come from equal contents and need no look at the words. Pictures without words
    are compared by their vectors alone. Nothing is folded under what is itself folded, so likeness does not creep.
    """
    under: dict[int, list[Group]] = {}  # by the place of the one shown
    counted: dict[int, _Said] = {}

    def said(at: int) -> _Said:
        if at not in counted:
            words = _words(groups[at].best.stored.passage)
            counted[at] = _Said(words, _numbers(words))
        return counted[at]

    def repeats(leader: int, at: int, cosine: float) -> bool:
        first, second = groups[leader].best.stored.passage, groups[at].best.stored.passage
        if first.kind != second.kind:
            return False
        return cosine >= EQUAL or _say_the_same(said(leader), said(at), wordless=first.modality != "text")

    for at, one in enumerate(groups):
        if at % _ROWS == 0:
            closeness = vectors[at : at + _ROWS] @ vectors.T
        row = closeness[at % _ROWS, :at]
        near = (leader for leader in (row >= min(alike, EQUAL)).nonzero()[0].tolist() if leader in under)
        leader = next((each for each in near if repeats(each, at, float(row[each]))), None)
        if leader is None:
            under[at] = []
        else:
            under[leader].append(one)
    return [DuplicateGroup(groups[leader], tuple(others)) for leader, others in under.items()]


def _say_the_same(first: _Said, second: _Said, *, wordless: bool) -> bool:
    """Whether the words of two passages are nearly the same, and all numbers; `wordless`: what holds for two without words."""
    if not first.words and not second.words:
        return wordless
    if first.numbers != second.numbers:
        return False
    return (first.words & second.words).total() >= SAME_WORDS * (first.words | second.words).total()


def _words(passage: Passage) -> Counter[str]:
    """Its words, counted; its own page or slide number aside."""
    found = Counter(_WORD.findall(f"{passage.text}\n{passage.caption}".casefold()))
    if isinstance(passage.locator, Page | Slide):
        own = str(passage.locator.number)
        found[own] -= 1
    return +found


def _numbers(words: Mapping[str, int]) -> dict[str, int]:
    return {word: count for word, count in words.items() if any(character.isdigit() for character in word)}
