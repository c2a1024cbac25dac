"""Counts the tokens of bare texts by the tokenizer of whichever program serves the model.

Knows vLLM's and llama.cpp's /tokenize; knows no prompt and no vector.
"""

from __future__ import annotations

from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal
from rag.backends.server.llamacpp import properties
from rag.backends.server.model_info import ServedModel
from rag.backends.server.truncation import TOKENIZE


class TextTokens:
    """The tokens of texts, without those that a tokenizer adds. Safe to share between threads."""

    def __init__(self, endpoints: Endpoints, served: ServedModel) -> None:
        """Sends nothing."""
        self._endpoints, self._served = endpoints, served

    def count(self, text: str) -> int | None:
        """The number of tokens; None if the server does not count (TEI's /tokenize is another one). BackendError as `ask`."""
        if self._served.llamacpp:
            return len(properties.tokens_of(self._endpoints, text, special=False))
        body = {"model": self._served.request_name, "prompt": text, "add_special_tokens": False}
        try:
            answer = self._endpoints.ask(TOKENIZE, body)
        except HttpRefusal:
            return None
        counted = answer.content.get("count") if isinstance(answer.content, dict) else None
        return counted if isinstance(counted, int) else None
