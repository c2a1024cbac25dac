"""What vLLM must be told on Huawei's NPUs, by platform and version: flags of a server, keywords of an engine in this process.

Knows keywords and versions; knows no model and starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rag.errors import WrongRequest

# Tokens of a prompt on an Atlas 300I DUO, whose attention mask grows with the square: one largest picture and its prompt.
SMALL_CONTEXT = 2048
HALF = "float16"  # the only short numbers of an Atlas 300I DUO
FEW_STREAMS: Mapping[str, Mapping[str, Any]] = MappingProxyType(  # it has few hardware streams: vLLM Ascend's guides
    {
        "compilation_config": {"cudagraph_capture_sizes": [1024, 512]},
        "additional_config": {"ascend_compilation_config": {"fuse_norm_quant": False}},
    }
)
ALLOCATOR = {"PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True"}


def release(version: str) -> tuple[int, ...]:
    """`0.23.0.post1` → (0, 23, 0). WrongRequest where it does not start with a number."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    if found is None:
        raise WrongRequest(f"{version} is no version of vLLM", remedy="such as 0.33.0")
    return tuple(int(part) for part in found.group(1).split(".")[:3])


def caches_wrongly(version: str) -> bool:
    """Whether prefix caching gives wrong pooled results in that version of vllm-ascend."""
    return release(version) < (0, 19, 1)


def engine_keywords(platform: str, version: str, longest: int) -> dict[str, Any]:
    """Keywords for `vllm.LLM` on an NPU. `version`: of vllm-ascend; `longest`: tokens of a prompt, at most; 0: not known."""
    told: dict[str, Any] = {}
    if platform == "ascend-310p":
        told |= {"dtype": HALF, "max_model_len": min(longest or SMALL_CONTEXT, SMALL_CONTEXT), **map_of(FEW_STREAMS)}
    if caches_wrongly(version):
        told["enable_prefix_caching"] = False
    return told


def map_of(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Plain dictionaries, as vLLM takes them."""
    return {name: dict(value) for name, value in values.items()}
