"""jina-reranker-m0: pages and texts against a query or a picture.

Knows no server. The document stands before the query, a picture in place of its words, never both; score =
sigmoid(head(h) − 2.65) at the token 100, which vLLM's class appends. Pictures have 3,136 … 602,112 pixels. Source: modeling.py
of jinaai/jina-reranker-m0 (formatting_prompts_func, compute_score) and vllm/model_executor/models/jina_vl.py.
"""

from rag.backends.families.base import Family, has_class


def _pair(instruction: str, query: str, document: str) -> str:
    return f"**Document**:\n{document}\n**Query**:\n{query}"


RERANKER = Family(
    "jina-m0-reranker",
    sees=True,
    max_tokens=10240,
    query_instruction="",
    document_instruction="",
    rerank_instruction="",
    templated=True,
    pair=_pair,
    special_tokens=False,
    mixed=False,
    appended=(100,),
    takes_instruction=False,
    videos=False,
    pictures=1,
    pixels=(3_136, 602_112),
    patch=28,
    resizes=True,
    names=r"jina-reranker-m0",
    has_config=has_class("JinaVLForRanking"),
    not_in=("transformers",),
    reads="text or pictures",
    source="modeling.py of jinaai/jina-reranker-m0",
    proof="vLLM 0.32, scores within 0.003",
)
