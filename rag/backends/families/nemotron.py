"""Nemotron-Embed for text: a Llama that attends both ways, the mean of its last states.

Knows no server. `query: ` stands before a query, `passage: ` before a document. Sources: vLLM's tests of
nvidia/llama-nemotron-embed-vl-1b-v2 (the same prefixes), vllm/model_executor/models/config.py (LlamaBidirectionalConfig).
"""

from rag.backends.families.base import Family, has_class
from rag.types import Role


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    return f"{instruction} {text}"


EMBEDDING = Family(
    "nemotron-embedding",
    sees=False,
    max_tokens=8192,
    query_instruction="query:",
    document_instruction="passage:",
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    pooling="mean",
    names=r"llama-nemotron-embed(?!-vl)",
    has_config=has_class("LlamaBidirectionalModel"),
    dims={"1": 2048},
    overrides={"is_matryoshka": True},
    not_in=("transformers",),
    source="vLLM's tests and configuration of the models",
    proof="vLLM 0.32, cosine ≥ 0.9999",
)
