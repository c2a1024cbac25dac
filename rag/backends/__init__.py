"""ROOM 2: content → numbers. The tables of embedders and rerankers, by backend."""

EMBEDDERS = {
    "lite": "rag.backends.lite:LiteEmbedder",
    "server": "rag.backends.server:ServerEmbedder",
    "vllm": "rag.backends.vllm_engine:EngineEmbedder",
    "transformers": "rag.backends.transformers:TransformersEmbedder",
}
RERANKERS = {
    "lite": "rag.backends.lite_reranker:LiteReranker",
    "server": "rag.backends.server_reranker:ServerReranker",
    "vllm": "rag.backends.vllm_engine:EngineReranker",
    "transformers": "rag.backends.transformers:TransformersReranker",
}
