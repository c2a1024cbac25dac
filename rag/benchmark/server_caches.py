"""Reads from a server's metrics how much it answered from its caches.

Knows vLLM's counters at /metrics; knows no request. A counter that a server lacks is not known, not zero.
"""

from __future__ import annotations

import re

import httpx

from rag.backends.base import Choice
from rag.benchmark.measurement import CacheHits
from rag.models.probe import talking

METRICS = "/metrics"
PREFIXES = "vllm:prefix_cache_hits_total"  # tokens
PICTURES = "vllm:mm_cache_hits_total"  # pictures and videos that were not processed again


def read_counters(choice: Choice) -> CacheHits:
    """The counters of all endpoints together, since they started; those that one of them does not give are None."""
    pages = [_page(choice, url) for url in choice.urls]
    return CacheHits(tokens=_sum(pages, PREFIXES), pictures=_sum(pages, PICTURES))


def hits_between(before: CacheHits, after: CacheHits) -> CacheHits:
    """What was answered from caches in between."""
    return CacheHits(_difference(before.tokens, after.tokens), _difference(before.pictures, after.pictures))


def _page(choice: Choice, url: str) -> str:
    try:
        with talking(choice, url.rstrip("/").removesuffix("/v1")) as client:
            answer = client.get(METRICS)
            return answer.text if answer.is_success else ""
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""


def _sum(pages: list[str], name: str) -> int | None:
    values = [re.findall(rf"^{re.escape(name)}(?:{{.*}})? (\S+)$", page, re.MULTILINE) for page in pages]
    if not values or not all(values):
        return None
    return round(sum(float(value) for found in values for value in found))


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(0, after - before)
