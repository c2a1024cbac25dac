"""ColQwen3 (TomoroAI): a vector for every token, compared by MaxSim; used for reranking alone.

Knows no server and no arithmetic. A text is read as it is; a picture stands in a user turn before `Describe the image.`, rendered
with the checkpoint's own chat template. Source: vLLM's examples/pooling/token_embed/colqwen3_token_embed_online.py, which mirrors
TomoroAI's inference code (queries and pictures; texts as documents are read like queries, as its /score example does).
"""

from typing import Any

from rag.backends.families.base import Family, Parts, has_type
from rag.types import Role

_TASK = "Describe the image."


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    return text


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, Any]:
    shown = [part for part in parts if part["type"] != "text"]
    return {"messages": [{"role": "user", "content": [*shown, {"type": "text", "text": _TASK}]}]}


RERANKER = Family(
    "colqwen3-reranker",
    sees=True,
    max_tokens=4096,
    query_instruction="",
    document_instruction="",
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    conversation=_asked,
    late=True,
    mixed=False,
    takes_instruction=False,
    videos=False,
    pictures=1,
    names=r"tomoro-(ai-)?colqwen3",
    has_config=has_type("colqwen3"),
    not_in=("vllm", "transformers"),
    reads="text or pictures",
    source="vLLM's colqwen3_token_embed_online.py",
    proof="vLLM 0.32, scores within 0.003",
)
