"""Searches several segments at once: their candidates compete by estimate before any row is read for rescoring.

Knows structures; knows no passages. Searched one by one, ten segments would rescore ten times as many rows as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.index.base import Estimating, Structure
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
        if isinstance(structure, Estimating) and len(searched) > 1 and structure.estimates_for(part.count, k):
            groups.setdefault(structure.comparable, []).append((at, structure))
        else:
            scores, rows = structure.nearest(queries, k, part.mask)
            answers[at] = list(zip(scores, rows, strict=True))
    for group in groups.values():
        found = [structure.candidates(queries, k, searched[at][1].mask) for at, structure in group]
        for query, asked in enumerate(queries):
            chosen = zip(group, _competing_rows(found, query), strict=True)
            tasks = [partial(rescore_query, structure.rows, rows, asked, k) for (_, structure), rows in chosen]
            for (at, _), answer in zip(group, parallel_map(_call, tasks), strict=True):
                answers[at].append(answer)
    return answers


def _call(task: Callable[[], Answer]) -> Answer:
    return task()


def _competing_rows(found: Sequence[tuple[Vectors, NDArray[np.int64]]], query: int) -> list[NDArray[np.int64]]:
    """Per segment its rows among the best candidates of all, together as many as one segment alone would rescore."""
    estimates = np.concatenate([each[query] for each, _ in found])
    wanted = max(each.shape[1] for each, _ in found)
    last = np.partition(estimates, len(estimates) - wanted)[len(estimates) - wanted]
    return [rows[query][each[query] >= last] for each, rows in found]
