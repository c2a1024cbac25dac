"""Nemotron-Embed for text, and for text and pages: a Llama that attends both ways, the mean of its last states.

Knows no server. `query: ` stands before a query, `passage: ` before a document, `<image> ` for a picture, before the text.
Sources: vLLM's tests and template of nvidia/llama-nemotron-embed-vl-1b-v2, its model_executor/models/config.py
(LlamaBidirectionalConfig), and for the prefixes of the text model the guide of NVIDIA's catalogue.
"""

from typing import Any

from rag.backends.families.base import Family, Parts, has_class, in_roles
from rag.types import Role


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    return f"{instruction} {seen}{text}"


def _prompt_vl(instruction: str, seen: str, text: str, role: Role) -> str:
    return f"{instruction} {seen}{_harmless(text)}"


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, Any]:
    cleaned = [{**part, "text": _harmless(part["text"])} if part["type"] == "text" else part for part in parts]
    return in_roles(instruction, cleaned, "", add_special_tokens=False)  # the template writes the beginning of the text


def _harmless(text: str) -> str:
    """The text without what would be taken for a picture."""
    return text.replace("<image>", "‹image›")


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
EMBEDDING_VL = Family(
    "nemotron-vl-embedding",
    sees=True,
    max_tokens=8192,
    query_instruction="query:",
    document_instruction="passage:",
    rerank_instruction="",
    templated=True,
    prompt=_prompt_vl,
    conversation=_asked,
    template="nemotron_embed_vl.jinja",
    pooling="mean",
    videos=False,
    pictures=1,
    image="<image> ",
    names=r"llama-nemotron-embed-vl",
    has_config=has_class("LlamaNemotronVLModel"),
    dims={"1": 2048},
    not_in=("transformers",),
    reads="text, pictures",
    source="vLLM's examples/pooling/embed/template/nemotron_embed_vl.jinja",
    proof="",
)
