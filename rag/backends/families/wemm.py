"""WeMM-Embedding: text and pictures (its videos are not proved here), on Qwen3.5.

Knows no server. One user turn, then `<embedding>`, whose state is the vector; no newline stands after the role if a picture comes
first. An instruction stands before the text, with nothing between. Sources: Tencent/WeMM-Embedding, README and
wemm_sentence_transformers.py, for order, instruction, pooling and lengths; for the characters of `embedding_chat_template.jinja`,
which is not in that repository, four programs that were checked against it and agree.
"""

from typing import Any

from rag.backends.families.base import Config, Family, Parts
from rag.types import Role

_END = "<embedding>"


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    words = _harmless(instruction + text)
    return f"<|im_start|>user{seen}{words}<|im_end|>{_END}" if seen else f"<|im_start|>user\n{words}<|im_end|>{_END}"


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, Any]:
    words = _harmless(instruction + next((part["text"] for part in parts if part["type"] == "text"), ""))
    shown = [part for part in parts if part["type"] != "text"]
    told = [{"type": "text", "text": words}] if words or not shown else []
    return {"messages": [{"role": "user", "content": [*shown, *told]}], "add_special_tokens": False}


def _harmless(words: str) -> str:
    """The words without the token whose state is the vector, which strangers' texts must not hold."""
    return words.replace(_END, "‹embedding›")


def _is_wemm(config: Config) -> bool:
    return "wemm" in str(config.get("auto_map", "")).lower()


EMBEDDING = Family(
    "wemm-embedding",
    sees=True,
    max_tokens=8192,
    query_instruction="",
    document_instruction="",
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    conversation=_asked,
    special_tokens=False,
    template="wemm_embedding.jinja",
    videos=False,
    names=r"wemm-embedding",
    has_config=_is_wemm,
    dims={"2": 2048, "4": 2560, "9": 4096},
    overrides={"is_matryoshka": True},
    reads="text, pictures",
    source="Tencent/WeMM-Embedding, and programs checked against its template",
    proof="transformers, cosine ≥ 0.9999; vLLM 0.32 in bfloat16, ≥ 0.99",
)
