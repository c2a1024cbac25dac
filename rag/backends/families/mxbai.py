"""mxbai-rerank: the first version is a cross-encoder of DeBERTa, the second a language model that says 0 or 1.

Knows no server. Source: mixedbread-ai/mxbai-rerank, mxbai_rerank/mxbai_rerank_v1.py and mxbai_rerank_v2.py. The second version:
prefix, `instruction: …` if there is one, `query: …`, `document: …`, the task and the suffix, each on a line of its own; score =
sigmoid(logit(1) − logit(0)) at the last newline. The reference joins the pieces as tokens, vLLM and we as text: where a text
ends in punctuation, `.⏎` may then be one token instead of two.
"""

from rag.backends.families.base import Family

SOURCE = "mixedbread-ai/mxbai-rerank: mxbai_rerank_v2.py"
_TASK = (
    "You are a search relevance expert who evaluates how well documents match search queries. For each query-document pair, "
    "carefully analyze the semantic relationship between them, then provide your binary relevance judgment (0 for not relevant, "
    "1 for relevant).\nRelevance:"
)


def _pair(instruction: str, query: str, document: str) -> str:
    told = f"instruction: {instruction}\n" if instruction else ""
    return (
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        f"{told}query: {query}\ndocument: {document}\n{_TASK}<|im_end|>\n<|im_start|>assistant\n"
    )


RERANKER = Family(
    "mxbai-reranker",
    sees=False,
    max_tokens=512,
    query_instruction="",
    document_instruction="",
    rerank_instruction="",
    templated=False,
    takes_instruction=False,
    pooling="own",
    names=r"mxbai-rerank-(xsmall|base|large)-v1",
    not_in=("vllm",),
    source="mixedbread-ai/mxbai-rerank: mxbai_rerank_v1.py",
    proof="transformers, scores within 0.003; vLLM 0.32 has no DeBERTa",
)
RERANKER_V2 = Family(
    "mxbai-v2-reranker",
    sees=False,
    max_tokens=8192,
    query_instruction="",
    document_instruction="",
    rerank_instruction="",
    templated=True,
    classifier="Qwen2ForSequenceClassification",
    pair=_pair,
    special_tokens=False,
    answers=("0", "1"),
    template="mxbai_rerank_v2.jinja",
    names=r"mxbai-rerank-(base|large)-v2",
    source=SOURCE,
    proof="vLLM 0.32 and transformers, scores within 0.003",
)
