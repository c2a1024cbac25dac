"""bge-reranker-v2-m3, bge-reranker-base and -large: cross-encoders of XLM-RoBERTa.

Knows no server. The tokenizer joins query and document (`<s> query </s></s> document </s>`), and the score is the sigmoid of the
one logit. Source: model card of BAAI/bge-reranker-v2-m3 (FlagReranker, normalize=True), and FlagOpen/FlagEmbedding,
inference/reranker/encoder_only/base.py. The layerwise and the Gemma rerankers of the same name have prompts of their own.
"""

from rag.backends.families.base import Family

RERANKER = Family(
    "bge-reranker",
    sees=False,
    max_tokens=8192,
    query_instruction="",
    document_instruction="",
    rerank_instruction="",
    templated=False,
    takes_instruction=False,
    pooling="own",
    names=r"bge-reranker-(v2-m3|base|large)",
    source="model card of BAAI/bge-reranker-v2-m3",
    proof="vLLM 0.32 and transformers, scores within 0.003",
)
