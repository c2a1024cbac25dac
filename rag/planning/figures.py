"""A planned figure: an amount with the formula that gave it, where its constants are from, and how sure it is.

Knows no formula itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Standing = Literal["computed", "measured", "published", "estimate"]
# computed: arithmetic of a known layout; measured: from a measurement of this program, scaled; published: from others' figures,
# scaled; estimate: at least one constant is a guess.

BENCH = "tests/bench/README.md, two cores"
SCALE = "docs/scale.md, two cores"
GUIDES = "vLLM Ascend's guides, 8B on one NPU, texts of 200 tokens"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a plan."""

    part: str  # of the plan: "folder", "milvus HNSW", "models", …
    name: str
    amount: float
    unit: str  # bytes, hours, cores, nodes, ms, accelerators, tokens/s
    formula: str  # with the numbers in it
    source: str
    standing: Standing
