"""ROOM 2: content → numbers. The tables of embedders and rerankers, by backend name.

Knows names; imports none of them.
"""

EMBEDDERS = {
    "lite": "rag.backends.lite.embedder:LiteEmbedder",
    "small": "rag.backends.small.embedder:SmallEmbedder",
    "server": "rag.backends.server.embedder:ServerEmbedder",
    "vllm": "rag.backends.local.vllm_engine:EngineEmbedder",
    "transformers": "rag.backends.local.transformers:TransformersEmbedder",
}
RERANKERS = {
    "lite": "rag.backends.lite.reranker:LiteReranker",
    "server": "rag.backends.server.reranker:ServerReranker",
    "vllm": "rag.backends.local.vllm_engine:EngineReranker",
    "transformers": "rag.backends.local.transformers:TransformersReranker",
}
