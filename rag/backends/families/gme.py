"""GME-Qwen2-VL: text, pictures and both in one space.

Knows no server. The reference writes the pooled `<|endoftext|>` itself, after the assistant's turn; its tokenizer appends
nothing. Documents always get the default instruction. Pictures have 256 … 1,280 tokens of 28 × 28 pixels, prompts 1,800 tokens.
Source: gme_inference.py of Alibaba-NLP/gme-Qwen2-VL-2B-Instruct.
"""

from typing import Any

from rag.backends.families.base import Config, Family, Parts, in_roles
from rag.types import Role

_END = "<|endoftext|>"
_DEFAULT = "You are a helpful assistant."
_TOKEN = 28 * 28  # pixels


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    user = seen + text
    return f"<|im_start|>system\n{instruction}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n{_END}"


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, Any]:
    return in_roles(instruction, parts, _END, add_generation_prompt=False, continue_final_message=True, add_special_tokens=False)


def _is_gme(config: Config) -> bool:
    return "gme" in str(config.get("auto_map", "")).lower()


EMBEDDING = Family(
    "gme-embedding",
    sees=True,
    max_tokens=1800,
    query_instruction=_DEFAULT,
    document_instruction=_DEFAULT,
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    conversation=_asked,
    special_tokens=False,
    videos=False,
    pictures=1,
    pixels=(256 * _TOKEN, 1280 * _TOKEN),
    patch=28,
    resizes=True,
    names=r"gme-qwen2-vl",
    has_config=_is_gme,
    dims={"2": 1536, "7": 3584},
    reads="text, pictures",
    source="gme_inference.py of Alibaba-NLP/gme-Qwen2-VL-2B-Instruct",
    proof="vLLM 0.32 and transformers, cosine ≥ 0.9999",
)
