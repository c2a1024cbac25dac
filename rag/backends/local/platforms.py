"""The settings vLLM needs on Huawei's NPUs, by platform and version, for a server and for an engine in this process.

Knows keywords and versions; knows no model and starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rag.errors import WrongRequest

# Tokens of a prompt on an Atlas 300I DUO, whose attention mask grows with their square: one largest picture and its text.
SMALL_CONTEXT = 2048
HALF = "float16"  # the only 16-bit format of an Atlas 300I DUO
FEW_STREAMS: Mapping[str, Mapping[str, Any]] = MappingProxyType(  # for its few hardware streams, from vLLM Ascend's guides
    {
        "compilation_config": {"cudagraph_capture_sizes": [1024, 512]},
        "additional_config": {"ascend_compilation_config": {"fuse_norm_quant": False}},
    }
)
ALLOCATOR = {"PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True"}


def release(version: str) -> tuple[int, ...]:
    """`0.23.0.post1` → (0, 23, 0). WrongRequest if it does not start with a number."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    if found is None:
        raise WrongRequest(f"{version} is not a version of vLLM", remedy="write one such as 0.33.0")
    return tuple(int(part) for part in found.group(1).split(".")[:3])


def caches_wrongly(version: str) -> bool:
    """Whether prefix caching gives wrong pooled results in this version of vllm-ascend."""
    return release(version) < (0, 19, 1)


def engine_keywords(platform: str, version: str, longest: int) -> dict[str, Any]:
    """Keywords for `vllm.LLM` on an NPU. `version`: of vllm-ascend; `longest`: tokens of the longest prompt, 0 if not known."""
    keywords: dict[str, Any] = {}
    if platform == "ascend-310p":
        keywords |= {"dtype": HALF, "max_model_len": min(longest or SMALL_CONTEXT, SMALL_CONTEXT), **_as_dicts(FEW_STREAMS)}
    if caches_wrongly(version):
        keywords["enable_prefix_caching"] = False
    return keywords


def _as_dicts(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Plain dictionaries, as vLLM takes them."""
    return {name: dict(value) for name, value in values.items()}
