"""Qwen3-Embedding and Qwen3-Reranker, which read text alone. Source: the model cards of QwenLM/Qwen3-Embedding.

Knows no server. The embedder pools the `<|endoftext|>` that its tokenizer appends; the reranker's last token is the empty line
after its empty think block.
"""

from rag.backends.families.base import Family, has_type
from rag.backends.families.judge import JUDGE
from rag.types import Role

SOURCE = "QwenLM/Qwen3-Embedding: model cards"
_WEB_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"
_DIMS = {"0.6": 1024, "4": 2560, "8": 4096}


def _prompt(instruction: str, seen: str, text: str, role: Role) -> str:
    return f"Instruct: {instruction}\nQuery:{text}" if instruction else text


def _pair(instruction: str, query: str, document: str) -> str:
    pair = f"<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}"
    tail = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    return f"<|im_start|>system\n{JUDGE}<|im_end|>\n<|im_start|>user\n{pair}<|im_end|>\n{tail}"


EMBEDDING = Family(
    "qwen3-embedding",
    sees=False,
    max_tokens=8192,
    query_instruction=_WEB_SEARCH,
    document_instruction="",
    rerank_instruction="",
    templated=True,
    prompt=_prompt,
    names=r"qwen3-embedding",
    has_config=has_type("qwen3"),
    dims=_DIMS,
    overrides={"is_matryoshka": True},
    llamacpp=True,
    source=SOURCE,
    proof="vLLM 0.32 and transformers, cosine ≥ 0.9999",
)
RERANKER = Family(
    "qwen3-reranker",
    sees=False,
    max_tokens=8192,
    query_instruction="",
    document_instruction="",
    rerank_instruction=_WEB_SEARCH,
    templated=True,
    classifier="Qwen3ForSequenceClassification",
    pair=_pair,
    special_tokens=False,
    template="qwen3_reranker.jinja",
    names=r"qwen3-reranker",
    has_config=has_type("qwen3"),
    dims=_DIMS,
    llamacpp=True,
    source=SOURCE,
    proof="vLLM 0.32 and transformers, scores within 0.001",
)
