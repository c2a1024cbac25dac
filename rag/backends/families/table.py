"""The table of families: a name → "module:family", each loaded when it is first asked for.

Knows names; imports no family before it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from rag.backends.families.base import Family

_HERE = "rag.backends.families"
TABLE: Mapping[str, str] = MappingProxyType(
    {
        "qwen3-vl-embedding": f"{_HERE}.qwen3_vl:EMBEDDING",
        "qwen3-vl-reranker": f"{_HERE}.qwen3_vl:RERANKER",
        "qwen3-embedding": f"{_HERE}.qwen3:EMBEDDING",
        "qwen3-reranker": f"{_HERE}.qwen3:RERANKER",
        "bge-reranker": f"{_HERE}.bge:RERANKER",
        "mxbai-reranker": f"{_HERE}.mxbai:RERANKER",
        "mxbai-v2-reranker": f"{_HERE}.mxbai:RERANKER_V2",
        "jina-m0-reranker": f"{_HERE}.jina_m0:RERANKER",
        "colqwen3-reranker": f"{_HERE}.colqwen3:RERANKER",
        "gme-embedding": f"{_HERE}.gme:EMBEDDING",
        "wemm-embedding": f"{_HERE}.wemm:EMBEDDING",
        "jina-v4-embedding": f"{_HERE}.jina_v4:EMBEDDING",
        "nemotron-embedding": f"{_HERE}.nemotron:EMBEDDING",
        "nemotron-vl-embedding": f"{_HERE}.nemotron:EMBEDDING_VL",
        "siglip-embedding": f"{_HERE}.two_towers:SIGLIP",
        "clip-embedding": f"{_HERE}.two_towers:CLIP",
        "plain-embedding": f"{_HERE}.plain:EMBEDDING",
        "plain-reranker": f"{_HERE}.plain:RERANKER",
    }
)


class _Families(Mapping[str, Family]):
    """The table as a mapping of families; the keys are there before any family is loaded."""

    def __getitem__(self, name: str) -> Family:
        return _loaded(TABLE[name])

    def __iter__(self) -> Iterator[str]:
        return iter(TABLE)

    def __len__(self) -> int:
        return len(TABLE)


@cache
def _loaded(place: str) -> Family:
    module, _, attribute = place.partition(":")
    family: Family = getattr(import_module(module), attribute)
    return family


FAMILIES: Mapping[str, Family] = _Families()
