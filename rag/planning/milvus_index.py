"""What an index in Milvus needs under each of its vector indexes: memory, mapped data, objects, query nodes, hours to fill.

Knows the layouts of the structures and what was measured of a small server; speaks to none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rag.planning.figures import BENCH, SCALE, Figure
from rag.planning.workload import Workload

LINKS = 16  # M of HNSW; its lowest layer has twice as many, of 4 bytes
RABITQ_FACTORS = 8  # bytes a vector, beside one bit a dimension
TEXT_BYTES = 3_200  # a passage: text, terms, sparse vector, and the other fields, mapped from disk
HEADROOM = 1.2  # for what grows, and for segments that are loaded beside those they replace
CACHED = 0.2  # of mapped data that should find room in memory
INSERTS = 4_956  # rows a second of one client, 1,024 dimensions
HNSW_SECONDS, IVF_SECONDS = 84 / 1e5, 68 / 1e6  # to build, a vector of 1,024 dimensions, on two cores; IVF: of the index folder
SCANNED = 205e6 / 6.6e-3  # bytes a second that two cores read of 16-bit vectors: the floor of an exact query
LAYOUT, ROOM = "the structure's layout", "a fifth of room, a fifth cached: choices"


@dataclass(frozen=True, slots=True)
class IndexKind:
    """One vector index: bytes a vector in memory and mapped from disk, by dimensions; seconds to build one on two cores."""

    memory: Callable[[int], float]
    mapped: Callable[[int], float]
    memory_formula: str
    mapped_formula: str
    build: float


KINDS: Mapping[str, IndexKind] = {
    "FLAT": IndexKind(lambda dim: 2 * dim, lambda dim: 0, "2 × {dim}", "", 0),
    "HNSW": IndexKind(
        lambda dim: 2 * dim + 2 * LINKS * 4, lambda dim: 0, f"(2 × {{dim}} + 2 × {LINKS} links × 4)", "", HNSW_SECONDS
    ),
    "IVF_SQ8": IndexKind(lambda dim: dim, lambda dim: 0, "1 × {dim}", "", IVF_SECONDS),
    "IVF_RABITQ": IndexKind(
        lambda dim: dim / 8 + RABITQ_FACTORS, lambda dim: dim, f"({{dim}} ÷ 8 + {RABITQ_FACTORS})", "1 × {dim} + ", IVF_SECONDS
    ),
}


def milvus_figures(load: Workload, kind: str) -> list[Figure]:
    """Figures of one of KINDS."""
    n, dim, part, of = load.passages, load.dim, f"Milvus {kind}", KINDS[kind]
    memory, mapped = of.memory(dim) * n, (of.mapped(dim) + TEXT_BYTES) * n
    need, objects = memory * HEADROOM + mapped * CACHED, (2 * dim + TEXT_BYTES + of.memory(dim) + of.mapped(dim)) * n
    held, kept = of.memory_formula.format(dim=f"{dim:,}"), of.mapped_formula.format(dim=f"{dim:,}")
    return [
        Figure(part, "index in memory", memory, "bytes", f"{held} × {n:,}", LAYOUT, "computed"),
        Figure(part, "mapped from disk", mapped, "bytes", f"({kept}{TEXT_BYTES:,}) × {n:,}", SCALE, "estimate"),
        Figure(part, "memory in all", need, "bytes", f"{HEADROOM} × the index + {CACHED} × mapped", ROOM, "estimate"),
        *_scanning(load, kind),
        _nodes(load, kind, need, mapped),
        Figure(part, "object storage", objects, "bytes", "vectors, fields and index, once", SCALE, "estimate"),
        _writing(load, part),
        *_building(load, part, of),
    ]


def _nodes(load: Workload, kind: str, need: float, mapped: float) -> Figure:
    """Query nodes: one copy needs what memory and disk ask for, all copies together the cores of an exact scan."""
    copy = max(math.ceil(need / load.machine.memory), math.ceil(mapped / load.machine.disk), 1)
    busy = math.ceil(_scan_cores(load) / load.machine.cores) if kind == "FLAT" else 0
    formula = f"{copy} for memory and disk × {load.replicas} replicas" + (f", at least {busy} for cores" if busy else "")
    return Figure(f"Milvus {kind}", "query nodes", max(copy * load.replicas, busy), "nodes", formula, ROOM, "estimate")


def _scan_cores(load: Workload) -> float:
    return load.qps * 2 * load.dim * load.passages / SCANNED * 2


def _scanning(load: Workload, kind: str) -> list[Figure]:
    if kind != "FLAT":
        return []
    part, ms = f"Milvus {kind}", 2 * load.dim * load.passages / SCANNED * 1000
    formula = f"2 × {load.dim:,} × {load.passages:,} ÷ {SCANNED / 1e9:.0f} GB a second"
    cores = f"{load.qps:g} a second × that × 2"
    return [
        Figure(part, "one query, two cores", ms, "ms", formula, BENCH, "estimate"),
        Figure(part, "cores for queries", _scan_cores(load), "cores", cores, BENCH, "estimate"),
    ]


def _writing(load: Workload, part: str) -> Figure:
    hours = load.passages / INSERTS * max(1.0, load.dim / 1024) / 3600
    formula = f"{load.passages:,} ÷ {INSERTS:,} a second × max(1, {load.dim:,} ÷ 1,024)"
    return Figure(part, "writing, one client", hours, "hours", formula, SCALE, "estimate")


def _building(load: Workload, part: str, of: IndexKind) -> list[Figure]:
    if not of.build:
        return []
    hours = load.passages * of.build * 2 * load.dim / 1024 / 3600
    formula = f"{load.passages:,} × {of.build * 1e6:g} µs × 2 cores × {load.dim:,} ÷ 1,024"
    return [Figure(part, "building it", hours, "core hours", formula, SCALE, "estimate")]
