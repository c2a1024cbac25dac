"""ROOM 2: content → numbers. The tables of embedders and rerankers, by backend."""

EMBEDDERS = {"lite": "rag.backends.lite:LiteEmbedder", "server": "rag.backends.server:ServerEmbedder"}
RERANKERS = {"lite": "rag.backends.lite_reranker:LiteReranker", "server": "rag.backends.server_reranker:ServerReranker"}
