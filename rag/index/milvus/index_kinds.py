"""The kinds of index that vectors may lie under in Milvus: which is right for how many, and what a search of each is asked.

Knows names and numbers; sends nothing. The scores of what is found are exact under every kind: they are computed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FLAT_UP_TO = 200_000  # rows that are quick to compare one by one
GRAPH_UP_TO = 20_000_000  # rows whose graph fits into the memory of one machine: 23 GB for ten million of 1,024 dimensions
EXACT_UP_TO = 5_000  # rows that a filter leaves and that are compared one by one: graphs lose some of the nearest then
HALVED_UP_TO = 32_000  # rows that a filter leaves and that Milvus itself compares, as it is asked for half of them
_MOST_EF = 32_768
_MOST_PROBES = 4_096


@dataclass(frozen=True, slots=True)
class IndexKind:
    """`name` as Milvus has it; `build` gives parameters for so many rows, `search` for k hits among that share of all rows.

    `least` is how many hits to ask for where a filter leaves so many rows, 0 for as many as are wanted.
    """

    name: str
    build: Callable[[int], Mapping[str, Any]]
    search: Callable[[int, float], Mapping[str, Any]]
    recall: str  # for people: what it finds of the nearest
    least: Callable[[int], int] = lambda rows: 0

    @property
    def is_exact(self) -> bool:
        """Whether it finds all of the nearest."""
        return self.name == FLAT


FLAT, HNSW, IVF_RABITQ = "FLAT", "HNSW", "IVF_RABITQ"
KINDS: Mapping[str, IndexKind] = {
    one.name: one
    for one in (
        IndexKind(FLAT, lambda rows: {}, lambda k, share: {}, "all of the nearest"),
        IndexKind(
            HNSW,
            lambda rows: {"M": 16, "efConstruction": 200},
            lambda k, share: {"ef": min(_MOST_EF, max(200, math.ceil(1.5 * k / share)))},
            ".996 of the nearest 100 (100,000 rows of 1,024 dimensions on Milvus 2.3.5)",
            # a filtered graph falls apart, whatever its ef; asked for half of what a filter leaves, Milvus compares it all
            lambda rows: rows // 2 + 1 if rows <= HALVED_UP_TO else 0,
        ),
        IndexKind(
            IVF_RABITQ,
            lambda rows: {"nlist": min(65_536, max(64, round(4 * math.sqrt(rows)))), "refine": True, "refine_type": "SQ8"},
            lambda k, share: {"nprobe": min(_MOST_PROBES, math.ceil(128 / share)), "refine_k": 4},
            "not measured: no server that has it was at hand",
        ),
    )
}


def kind_for(rows: int, has: Callable[[str], bool]) -> str:
    """The kind for so many rows, of those that an engine has."""
    if rows <= FLAT_UP_TO:
        return FLAT
    wanted = (HNSW,) if rows <= GRAPH_UP_TO else (IVF_RABITQ, HNSW)
    return next((name for name in wanted if has(name)), FLAT)
