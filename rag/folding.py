"""Folds results that say or show the same: one is shown, with the others under it.

Knows vectors, words and groups; knows no index, no model and no file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.grouping import Group
from rag.types import Page, Passage, Slide

if TYPE_CHECKING:
    from rag.types import Vectors

ALIKE = 0.97  # cosine from which on two passages may be the same. Measured with `lite`: a picture at two sizes and photos of a
# burst 0.999, different crops and different pictures below 0.92. With neural models it is a guess on the careful side.
EQUAL = 0.99999  # the same content: only the rounding of 16-bit vectors lies between
SAME_WORDS = 0.85  # of all words, counted with repeats, those that both texts have
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Folded:
    """A group, and those like it, best first."""

    shown: Group
    others: tuple[Group, ...]


def unfolded(groups: Sequence[Group]) -> list[Folded]:
    """Every group by itself."""
    return [Folded(one, ()) for one in groups]


def fold(groups: Sequence[Group], vectors: Vectors, alike: float = ALIKE) -> list[Folded]:
    """Groups in their order, each under the first one that it repeats; row i of `vectors` is the best passage of group i.

    Two results are the same where they are of one kind, the cosine of their vectors is at least `alike`, and what they say is
    the same: at least 0.85 of all words, and every number. A vector says little of a number, and two invoices from one
    template are two documents. Equal vectors come from equal contents and need no look at the words. Pictures without words
    are compared by their vectors alone. Nothing is folded under what is itself folded, so likeness does not creep.
    """
    shown: list[int] = []
    under: dict[int, list[Group]] = {}
    closeness = vectors @ vectors.T if len(groups) else vectors
    for at, one in enumerate(groups):
        for leader in shown:
            if _same(groups[leader], one, float(closeness[leader, at]), alike):
                under[leader].append(one)
                break
        else:
            shown.append(at)
            under[at] = []
    return [Folded(groups[leader], tuple(under[leader])) for leader in shown]


def _same(one: Group, other: Group, cosine: float, alike: float) -> bool:
    first, second = one.best.stored.passage, other.best.stored.passage
    if first.kind != second.kind or cosine < alike:
        return False
    if cosine >= EQUAL:
        return True
    return say_the_same(first, second)


def say_the_same(one: Passage, other: Passage) -> bool:
    """Whether the words of two passages are nearly the same, numbers and all; their own page or slide number aside."""
    first, second = _words(one), _words(other)
    if not first and not second:
        return one.modality != "text"
    if _numbers(first) != _numbers(second):
        return False
    return (first & second).total() >= SAME_WORDS * (first | second).total()


def _words(passage: Passage) -> Counter[str]:
    found = Counter(_WORD.findall(f"{passage.text}\n{passage.caption}".casefold()))
    if isinstance(passage.locator, Page | Slide):
        own = str(passage.locator.number)
        found[own] -= 1
    return +found


def _numbers(words: Mapping[str, int]) -> dict[str, int]:
    return {word: count for word, count in words.items() if any(character.isdigit() for character in word)}
