"""SigLIP and CLIP: one tower reads a caption, another sees a picture, and both end in one space.

Knows no server. An input is a text or a picture, never both. SigLIP was trained on texts padded to 64 tokens, without a mask;
CLIP reads up to 77 tokens, without padding. Sources: transformers' documentation of SigLIP, SigLIP 2 and CLIP, and vLLM's tests
of both.
"""

from typing import Any

from rag.backends.families.base import Family, Parts, has_type
from rag.types import Role


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    return "" if seen else instruction + text


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part for part in parts if part["type"] != "text"]}]}


def _family(name: str, max_tokens: int, **more: Any) -> Family:
    return Family(
        name,
        sees=True,
        max_tokens=max_tokens,
        query_instruction="",
        document_instruction="",
        rerank_instruction="",
        templated=True,
        prompt=_prompt,
        conversation=_asked,
        mixed=False,
        pooling="own",
        videos=False,
        pictures=1,
        image="",
        reads="captions or pictures",
        **more,
    )


SIGLIP = _family(
    "siglip-embedding",
    64,
    tokenizing={"padding": "max_length", "max_length": 64},
    names=r"(^|-)siglip",
    has_config=has_type("siglip", "siglip2"),
    source="transformers' documentation of SigLIP, vLLM's test_siglip.py",
    proof="vLLM 0.32 and transformers, cosine ≥ 0.9999",
)
CLIP = _family(
    "clip-embedding",
    77,
    names=r"(^|-)clip-vit",
    has_config=has_type("clip"),
    width="projection_dim",
    source="transformers' documentation of CLIP, vLLM's test_clip.py",
    proof="vLLM 0.32 and transformers, cosine ≥ 0.9999",
)
