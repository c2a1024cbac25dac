"""jina-embeddings-v4, in the checkpoints made for vLLM, with the adapter for retrieval or for code merged in.

Knows no server and no arithmetic. The vector is the mean of the states of a text's tokens, or of a picture's own alone (with its
start and end), not normalised before. `Query: ` stands before a query, `Passage: ` before a document; a picture stands in a user
turn before `Describe the image.`, without a system turn. Source: model cards of jinaai/jina-embeddings-v4-vllm-code and
-text-matching (`pooling_type="ALL", normalize=False`). Pictures: 768 tokens of 28 × 28 pixels, jina.ai/models.
"""

from typing import Any

from rag.backends.families.base import Family, Parts
from rag.types import Role

_BEFORE, _AFTER = "<|im_start|>user\n", "Describe the image.<|im_end|>\n"


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    return f"{_BEFORE}{seen}{_AFTER}" if seen else f"{instruction} {text}"


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, Any]:
    shown = [part for part in parts if part["type"] != "text"]
    return {"messages": [{"role": "user", "content": [*shown, {"type": "text", "text": "Describe the image."}]}]}


EMBEDDING = Family(
    "jina-v4-embedding",
    sees=True,
    max_tokens=8192,
    query_instruction="Query:",
    document_instruction="Passage:",
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    conversation=_asked,
    mixed=False,
    template="jina_v4.jinja",
    pooling="tokens",
    around=(_BEFORE, _AFTER),
    videos=False,
    pictures=1,
    pixels=(0, 768 * 28 * 28),
    patch=28,
    names=r"jina-embeddings-v4-vllm-(retrieval|code)",
    not_in=("vllm", "transformers"),
    reads="text or pictures",
    source="model cards of jinaai/jina-embeddings-v4-vllm-code and -text-matching",
    proof="vLLM 0.32, cosine ≥ 0.9999",
)
