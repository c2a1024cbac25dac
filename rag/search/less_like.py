"""Less like some passages: the query moves away from them, and what is as near to them as nothing else is scores less.

Knows vectors and scores; knows no model and no words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import NoSuchPassage
from rag.search.reranking import Judged
from rag.search.spaces import SpaceQuery

if TYPE_CHECKING:
    from rag.index.room import Answering
    from rag.types import Vectors

AWAY = 0.15  # Rocchio's weight of what is not wanted, where the query weighs 1: the usual one
LOWERED = 0.5  # share of its score that a copy of what is not wanted loses


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Passages that the hits should not be like."""

    numbers: tuple[int, ...]
    vectors: Vectors  # float32 (passages, dim), of the first space


def read_unwanted(snapshot: Answering, ids: Sequence[str]) -> Unwanted | None:
    """The passages of these ids with their vectors; None for no ids. NoSuchPassage."""
    if not ids:
        return None
    found = []
    for id in ids:
        stored = snapshot.by_id(id)
        if stored is None:
            raise NoSuchPassage(id)
        found.append(stored.number)
    return Unwanted(tuple(found), snapshot.vectors(found))


def move_away(snapshot: Answering, asked: Sequence[SpaceQuery], unwanted: Unwanted | None) -> list[SpaceQuery]:
    """The query in every space, away from the mean of what is not wanted, by Rocchio:

        q' = (q - AWAY · mean(n)) / |q - AWAY · mean(n)|

    A space that has no vector of them keeps its query.
    """
    if unwanted is None:
        return list(asked)
    moved = []
    for one in asked:
        _, rows = snapshot.vectors_in(one.space.number, list(unwanted.numbers))
        vector = one.vector - AWAY * rows.mean(axis=0) if len(rows) else one.vector
        moved.append(replace(one, vector=(vector / np.linalg.norm(vector)).astype(np.float32)))
    return moved


def lower_alike(
    judged: Sequence[Judged], unwanted: Unwanted | None, vectors_of: Callable[[Sequence[int]], Vectors]
) -> list[Judged]:
    """The same, where what is like the unwanted scores less, best first; `vectors_of` gives float32 (passages, dim):

        score' = score · (1 - LOWERED · max(0, (s - m) / (1 - m)))

    with s, the largest inner product with one of them, and m, the median of s over the candidates: how near anything is to them
    depends on the model, so only what is nearer than usual is lowered. The order of `judged` decides between equal scores.
    """
    if unwanted is None or not judged:
        return list(judged)
    near = (vectors_of([one.candidate.number for one in judged]) @ unwanted.vectors.T).max(axis=1)
    usual = min(float(np.median(near)), 1 - 1e-6)
    shares = np.clip((near - usual) / (1 - usual), 0.0, 1.0)
    changed = [_lowered(one, LOWERED * float(share)) for one, share in zip(judged, shares, strict=True)]
    return sorted(changed, key=lambda one: -one.score)


def _lowered(one: Judged, by: float) -> Judged:
    if by < 0.005:
        return one
    return replace(one, score=one.score * (1 - by), decided=f"{one.decided}, less {by:.0%}: it is like what is not wanted")
