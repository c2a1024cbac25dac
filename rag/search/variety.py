"""Puts results that say what two before them say behind others, so that the first hits are not one sentence of fifty files.

Knows ranked results, words and vectors; knows no index and no model. What repeats a result in every number is folded under it
already (`dedup`); here are the minutes, tickets and log lines that differ in a date or a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.search.dedup import DuplicateGroup, SaidWords, WordTurn, nearly_same, said_words
from rag.search.grouping import Group, Scored

if TYPE_CHECKING:
    from rag.types import Vectors

MOST = 2  # results that say the same and keep their score
BEHIND = 0.5  # of its score: what a further one keeps
CLOSE = 0.9  # cosine from which the words of two results are compared
FIRST = 50  # results that are looked at: a person sees ten


def varied(results: Sequence[DuplicateGroup], vectors: Vectors) -> list[DuplicateGroup]:
    """The results, best first, where every third one that says the same lost half of its score; row i of `vectors` is result i's.

    Two results say the same if they are texts or pages, the cosine of their vectors is at least 0.9, and they share 0.85 of all
    words that are no numbers, counted with repeats.
    """
    first = list(results[:FIRST])
    cosines = vectors[: len(first)] @ vectors[: len(first)].T
    words: dict[int, SaidWords] = {}
    known: dict[WordTurn, WordTurn] = {}
    said: dict[int, int] = {}  # by the first result that says something: how many have said it
    kept = []
    for at, one in enumerate(first):
        near = [leader for leader in said if cosines[leader, at] >= CLOSE]
        leader = next((each for each in near if _say_the_same(first, words, known, each, at)), at)
        said[leader] = said.get(leader, 0) + 1
        kept.append(one if said[leader] <= MOST else replace(one, shown=_behind(one.shown)))
    return sorted((*kept, *results[FIRST:]), key=lambda one: -one.shown.best.score)


def _say_the_same(
    results: Sequence[DuplicateGroup], words: dict[int, SaidWords], known: dict[WordTurn, WordTurn], one: int, other: int
) -> bool:
    passages = [results[at].shown.best.stored.passage for at in (one, other)]
    if any(passage.kind not in ("text", "page") or not passage.text for passage in passages):
        return False
    for at, passage in zip((one, other), passages, strict=True):
        if at not in words:
            words[at] = said_words(passage, known)
    return nearly_same(words[one].plain, words[other].plain)


def _behind(group: Group) -> Group:
    members = tuple(Scored(one.stored, BEHIND * one.score) for one in group.members)
    return replace(group, best=Scored(group.best.stored, BEHIND * group.best.score), members=members)
