"""Searches several segments at once: their candidates compete by estimate before any row is read for rescoring.

Knows structures; knows no passages. Searched one by one, ten segments would rescore ten times as many rows as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from rag.index.base import Competing, Estimating, Structure
from rag.index.files.parallel import parallel_map
from rag.index.vectors.rescore import rescore_query
from rag.index.vectors.row_mask import MaskPart

if TYPE_CHECKING:
    from rag.types import Vectors

Answer = tuple["Vectors", NDArray[np.int64]]  # (scores, rows) of one query: largest first, ties by smaller row


def nearest_in_all(searched: Sequence[tuple[Structure, MaskPart]], queries: Vectors, k: int) -> list[list[Answer]]:
    """Per structure and query the rows that can be among the k best of all; lower ones may be missing."""
    answers: list[list[Answer]] = [[] for _ in searched]
    groups: dict[object, list[tuple[int, Estimating]]] = {}
    for at, (structure, part) in enumerate(searched):
        estimating = _estimating(structure) if len(searched) > 1 else None
        if estimating is not None and estimating.estimates_for(part.count, k):
            groups.setdefault(estimating.comparable, []).append((at, estimating))
        else:
            scores, rows = structure.nearest(queries, k, part.mask)
            answers[at] = list(zip(scores, rows, strict=True))
    for group in groups.values():
        masks = [searched[at][1].mask for at, _ in group]
        competing = _competing([structure for _, structure in group], queries, k, masks)
        for query, asked in enumerate(queries):
            chosen = zip(group, competing, strict=True)
            tasks = [partial(rescore_query, structure.rows, rows[query], asked, k) for (_, structure), rows in chosen]
            for (at, _), answer in zip(group, parallel_map(_call, tasks), strict=True):
                answers[at].append(answer)
    return answers


def _estimating(structure: Structure) -> Estimating | None:
    """The structure, if it estimates: `isinstance` with a protocol takes 40 µs, and some indexes have dozens of segments."""
    return cast("Estimating", structure) if hasattr(structure, "estimates_for") else None


def _competing(
    group: Sequence[Estimating], queries: Vectors, k: int, masks: Sequence[NDArray[np.bool_] | None]
) -> list[list[NDArray[np.int64]]]:
    """For each structure and query the rows that compete."""
    if isinstance(group[0], Competing) and (shared := group[0].competing(group, queries, k, masks)) is not None:
        return shared
    found = [structure.candidates(queries, k, mask) for structure, mask in zip(group, masks, strict=True)]
    by_query = [_competing_rows(found, query) for query in range(len(queries))]
    return [[rows[at] for rows in by_query] for at in range(len(group))]


def _call(task: Callable[[], Answer]) -> Answer:
    return task()


def _competing_rows(found: Sequence[tuple[Vectors, NDArray[np.int64]]], query: int) -> list[NDArray[np.int64]]:
    """Per segment its rows among the best candidates of all, together as many as one segment alone would rescore."""
    estimates = np.concatenate([each[query] for each, _ in found])
    wanted = max(each.shape[1] for each, _ in found)
    last = np.partition(estimates, len(estimates) - wanted)[len(estimates) - wanted]
    return [rows[query][each[query] >= last] for each, rows in found]
