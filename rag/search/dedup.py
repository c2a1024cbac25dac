"""Folds near-duplicates: one result is shown, with the others under it.

Knows vectors, words and groups; knows no index, no model and no file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
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


WordTurn = tuple[str, int]  # a word, and the how manieth time a text says it, from 0


class SaidWords(NamedTuple):
    """The words of a passage, each with its turn, so that a set counts repeats; those that hold a digit, and the others."""

    words: frozenset[WordTurn]
    numbers: frozenset[WordTurn]
    plain: frozenset[WordTurn]


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
    said: dict[int, SaidWords] = {}
    known: dict[WordTurn, WordTurn] = {}

    def said_in(at: int) -> SaidWords:
        found = said.get(at)
        if found is None:
            found = said[at] = said_words(groups[at].best.stored.passage, known)
        return found

    def repeats(leader: int, at: int, cosine: float) -> bool:
        first, second = groups[leader].best.stored.passage, groups[at].best.stored.passage
        if first.kind != second.kind:
            return False
        return cosine >= EQUAL or _texts_agree(said_in(leader), said_in(at), wordless=first.modality != "text")

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


def _texts_agree(first: SaidWords, second: SaidWords, *, wordless: bool) -> bool:
    """Whether two passages have nearly the same words and the same numbers; `wordless` is the answer for two without words."""
    if not first.words and not second.words:
        return wordless
    return first.numbers == second.numbers and nearly_same(first.words, second.words)


def nearly_same(first: frozenset[WordTurn], second: frozenset[WordTurn]) -> bool:
    """Whether two texts share 0.85 of all words, counted with repeats."""
    if min(len(first), len(second)) < SAME_WORDS * max(len(first), len(second)):
        return False  # of dozens of results of one length or another, most pairs end here
    shared = len(first & second)
    return shared >= SAME_WORDS * (len(first) + len(second) - shared)


def said_words(passage: Passage, known: dict[WordTurn, WordTurn]) -> SaidWords:
    """The words of a passage, without its own page or slide number.

    `known` holds those of passages it is compared with: sets of the same objects are compared several times as fast.
    """
    counts = Counter(_WORD.findall(f"{passage.text}\n{passage.caption}".casefold()))
    if isinstance(passage.locator, Page | Slide):
        counts[str(passage.locator.number)] -= 1
    pairs = [(word, turn) for word, count in counts.items() for turn in range(count)]
    words = frozenset([known.setdefault(pair, pair) for pair in pairs])
    numbers = frozenset([pair for pair in words if any(map(str.isdigit, pair[0]))])
    return SaidWords(words, numbers, words - numbers)
