"""ROOM 2: content → numbers. The tables of embedders and rerankers, by backend."""

EMBEDDERS = {"lite": "rag.backends.lite:LiteEmbedder"}
RERANKERS = {"lite": "rag.backends.lite_reranker:LiteReranker"}
