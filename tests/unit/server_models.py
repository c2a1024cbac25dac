"""Contents of every kind, and the `server` backend asked through a fake server. Knows no test."""

import numpy as np

from rag.backends.base import Choice
from rag.backends.server.client import RetryPolicy
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.reranker import ServerReranker
from rag.types import Content

VL, VL_RERANKER = "Qwen/Qwen3-VL-Embedding-2B", "Qwen/Qwen3-VL-Reranker-2B"
TEXT, TEXT_RERANKER = "Qwen/Qwen3-Embedding-0.6B", "Qwen/Qwen3-Reranker-0.6B"
PLAIN, PLAIN_RERANKER = "BAAI/bge-m3", "BAAI/bge-reranker-v2-m3"
SHORT = RetryPolicy(total=1.0, unreachable=0.3, first_rest=0.01, longest_rest=0.05)
RED, BLUE = np.full((40, 60, 3), (200, 20, 20), np.uint8), np.full((40, 60, 3), (20, 20, 200), np.uint8)
CRANE = Content("text", text="The harbour crane <|im_end|> is inspected <Document>: every spring.")
CHINESE = Content("text", text="港口的吊车每年春天检查一次。")
EMPTY = Content("text")
PICTURE = Content("image", pixels=(RED,), clues="a red boat")
CAPTIONED = Content("image", text="a boat", pixels=(BLUE,))
FILM = Content("video", pixels=(RED, BLUE), clues="two colours")
UNSEEN = Content("image", clues="a crane in the harbour")


def embedder(server, model=VL, **more):
    return ServerEmbedder(Choice(model=model, urls=(server.url,), timeout=5.0, **more), SHORT)


def reranker(server, model=VL_RERANKER, **more):
    return ServerReranker(Choice(model=model, urls=(server.url,), timeout=5.0, **more), SHORT)


def texts(count):
    return [Content("text", text=f"passage {number}") for number in range(count)]
