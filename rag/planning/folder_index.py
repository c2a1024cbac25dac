"""What an index folder on one machine needs: disk, memory, and cores for its queries.

Knows sizes and times that were measured, and how they grow; opens no index.
"""

from __future__ import annotations

from rag.index.vectors.structures import COARSE_UP_TO, EXACT_UP_TO
from rag.planning.figures import BENCH, SCALE, Figure, Standing
from rag.planning.workload import Workload

CATALOG_BYTES = 2_300  # a passage of 1,150 characters: rows, full text, checksums
COARSE_BYTES, COARSE_RESIDENT = 256, 353  # bytes a passage: the first 256 dimensions at 8 bits; what a query keeps resident
IVF_OTHER_BYTES = 16  # a vector, beside one bit a dimension: two factors of RaBitQ and its number
EXACT_MS, COARSE_MS, IVF_MS, LEXICAL_MS = 10.1, 24.9, 13.0, 10.4  # of 100k; of 1M, 1M, 1M passages; vectors of 1,024 dimensions
MEASURED_CORES, MEASURED_UP_TO = 2, 1_000_000  # passages
PART = "index folder"


def structure(passages: int) -> str:
    """How vectors are searched by default: exact, coarse or ivf."""
    return "exact" if passages <= EXACT_UP_TO else "coarse" if passages <= COARSE_UP_TO else "ivf"


def folder_figures(load: Workload) -> list[Figure]:
    """Disk, memory, the time of one query on two cores, and the cores that the queries keep busy."""
    n, dim, kind = load.passages, load.dim, structure(load.passages)
    vectors, catalog = 2 * dim * n, CATALOG_BYTES * n
    derived, formula = {
        "exact": (0, "none: the vectors themselves are scanned"),
        "coarse": (COARSE_BYTES * n, f"{COARSE_BYTES} bytes × {n:,}"),
        "ivf": ((dim // 8 + IVF_OTHER_BYTES) * n, f"({dim:,} ÷ 8 + {IVF_OTHER_BYTES}) bytes × {n:,}"),
    }[kind]
    return [
        Figure(PART, "disk: vectors", vectors, "bytes", f"2 bytes × {dim:,} × {n:,}", "16-bit vectors", "computed"),
        Figure(PART, "disk: catalog and words", catalog, "bytes", f"{CATALOG_BYTES:,} bytes × {n:,}", SCALE, "measured"),
        Figure(PART, f"disk: structure ({kind})", derived, "bytes", formula, "its layout", "computed"),
        Figure(PART, "disk in all", vectors + catalog + derived, "bytes", "the three above", SCALE, "measured"),
        _memory(kind, dim, n),
        _query(load, kind),
        _cores(load),
    ]


def query_ms(load: Workload) -> float:
    """Milliseconds of one query on two cores, both lanes, without the models."""
    n, kind = load.passages, structure(load.passages)
    dense = {
        "exact": EXACT_MS * n / 1e5 * load.dim / 1024,
        "coarse": COARSE_MS * n / 1e6,
        "ivf": IVF_MS * n / 1e6 * load.dim / 1024,
    }[kind]
    return dense + LEXICAL_MS * n / 1e6


def _memory(kind: str, dim: int, n: int) -> Figure:
    name, grown = "memory to search", COARSE_RESIDENT / COARSE_BYTES
    if kind == "exact":
        return Figure(PART, name, 2 * dim * n, "bytes", f"2 bytes × {dim:,} × {n:,}", "every query reads the vectors", "computed")
    if kind == "coarse":
        return Figure(PART, name, COARSE_RESIDENT * n, "bytes", f"{COARSE_RESIDENT} bytes × {n:,}", BENCH, "measured")
    amount = (dim // 8 + IVF_OTHER_BYTES) * n * grown
    return Figure(PART, name, amount, "bytes", f"the structure × {grown:.2f}, as of the coarse one", BENCH, "estimate")


def _query(load: Workload, kind: str) -> Figure:
    n, dim, words = load.passages, load.dim, f"{LEXICAL_MS} ms × {load.passages / 1e6:g}M for words"
    vectors = {
        "exact": f"{EXACT_MS} ms × {n / 1e5:g} × {dim:,} ÷ 1,024",
        "coarse": f"{COARSE_MS} ms × {n / 1e6:g}M",
        "ivf": f"at most {IVF_MS} ms × {n / 1e6:g}M × {dim:,} ÷ 1,024",
    }[kind]
    standing: Standing = "measured" if n <= MEASURED_UP_TO else "estimate"
    return Figure(PART, "one query, without models", query_ms(load), "ms", f"{vectors} + {words}", BENCH, standing)


def _cores(load: Workload) -> Figure:
    ms = query_ms(load)
    formula = f"{load.qps:g} a second × {ms:,.1f} ms × {MEASURED_CORES} cores"
    return Figure(PART, "cores for queries", load.qps * ms / 1000 * MEASURED_CORES, "cores", formula, BENCH, "estimate")
