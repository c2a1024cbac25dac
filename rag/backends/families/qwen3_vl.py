"""Qwen3-VL-Embedding and Qwen3-VL-Reranker. Source: the reference code and model cards of QwenLM/Qwen3-VL-Embedding.

Knows no server and no pixels. Content order is videos, pictures, text, with nothing between; the embedder pools the
`<|endoftext|>` that its tokenizer appends; the reranker's last token is the newline after `assistant`.
"""

from rag.backends.families.base import Config, Conversation, Family, Parts, in_roles
from rag.backends.families.judge import JUDGE
from rag.types import Role

SOURCE = "QwenLM/Qwen3-VL-Embedding: reference code and model cards"


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    user = seen + text or "NULL"
    return f"<|im_start|>system\n{instruction}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


def _pair(instruction: str, query: str, document: str) -> str:
    pair = f"<Instruct>: {instruction}<Query>:{query}\n<Document>:{document}"
    return f"<|im_start|>system\n{JUDGE}<|im_end|>\n<|im_start|>user\n{pair}<|im_end|>\n<|im_start|>assistant\n"


def _asked(instruction: str, parts: Parts, role: Role) -> dict[str, object]:
    return in_roles(instruction, parts, "", add_generation_prompt=True, add_special_tokens=True)


def _is_qwen3_vl(config: Config) -> bool:
    return str(config.get("model_type", "")).startswith("qwen3_vl") and "vision_config" in config


_CONVERSATION: Conversation = _asked

EMBEDDING = Family(
    "qwen3-vl-embedding",
    sees=True,
    max_tokens=8192,
    query_instruction="Retrieve images or text relevant to the user's query.",
    document_instruction="Represent the user's input.",
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    conversation=_CONVERSATION,
    empty="NULL",
    full_stop=True,
    names=r"qwen3-vl-embedding",
    has_config=_is_qwen3_vl,
    dims={"2": 2048, "8": 4096},
    overrides={"is_matryoshka": True},
    together=8,
    reads="text, pictures, videos",
    llamacpp=True,
    source=SOURCE,
    proof="vLLM 0.32 and transformers, cosine ≥ 0.9999",
)
RERANKER = Family(
    "qwen3-vl-reranker",
    sees=True,
    max_tokens=10240,
    query_instruction="",
    document_instruction="",
    rerank_instruction="Given a search query, retrieve relevant candidates that answer the query.",
    templated=True,
    classifier="Qwen3VLForSequenceClassification",
    pair=_pair,
    empty="NULL",
    special_tokens=False,
    template="qwen3_vl_reranker.jinja",
    names=r"qwen3-vl-reranker",
    has_config=_is_qwen3_vl,
    dims={"2": 2048, "8": 4096},
    reads="text, pictures, videos",
    llamacpp=True,
    source=SOURCE,
    proof="vLLM 0.32 and transformers, scores within 0.001",
)
