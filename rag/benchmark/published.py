"""The figures that the guides of vLLM Ascend print for one NPU, to stand beside one's own.

Knows published numbers only. Sources: docs.vllm.ai/projects/ascend, tutorials Qwen3-VL-Embedding and Qwen3-VL-Reranker, section
Performance: `vllm bench serve` with 1,000 requests of 200 random tokens, all sent at once, one document a request. The first
version of the guides prints them for the 8B models, later ones print the same figures under 2B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """The numbers of one printed table. Latencies are in milliseconds."""

    machine: str
    completed: int
    failed: int
    seconds: float
    tokens: int
    requests_per_second: float
    tokens_per_second: float
    mean: float
    median: float
    p99: float


_MACHINE = "8B on one Ascend NPU"
PUBLISHED: Mapping[str, PublishedRow] = {  # by what was measured
    "embedding texts": PublishedRow(_MACHINE, 1000, 0, 19.53, 200_000, 51.20, 10_240.42, 10_360.53, 10_354.37, 19_423.21),
    "reranking texts": PublishedRow(_MACHINE, 1000, 0, 13.70, 265_122, 72.99, 19_351.23, 7_474.64, 7_528.72, 13_523.32),
}
