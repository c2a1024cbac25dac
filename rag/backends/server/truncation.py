"""Texts cut to what a server's model reads at once, counted by the server's own tokenizer.

Knows /tokenize; knows no vector. For models in this process
`rag.backends.local.shared.fitted` does the same with their own tokenizer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal
from rag.types import Content

_log = logging.getLogger("rag.server")
TOKENIZE = "/tokenize"
LETTERS = 3  # of ASCII that are one token at least, in any ordinary text; any other letter may be one by itself
TRIES = 8  # a shorter text is not shorter in proportion


class Cutter:
    """Cuts texts for one model of some endpoints, and says so once. `limit`: tokens of a whole prompt; 0: not known."""

    def __init__(self, endpoints: Endpoints, model: str, limit: int) -> None:
        self.model, self.limit = model, limit
        self._endpoints = endpoints
        self._counts = bool(limit)
        self._told = False

    def is_suspect(self, text: str) -> bool:
        """Whether a text may well have more tokens than the model reads: worth counting them before it is sent."""
        if not self._counts or len(text) < self.limit // 2:
            return False
        ascii_letters = sum(letter < "\x80" for letter in text)
        return ascii_letters // LETTERS + len(text) - ascii_letters >= self.limit

    def cut(self, content: Content, render: Callable[[Content], str]) -> Content:
        """The content with as much of its text as fits when rendered; the content itself where the server counts no tokens."""
        kept = content
        for _ in range(TRIES):
            count = self._count(render(kept))
            if count <= self.limit or not kept.text:
                break
            frame = self._count(render(replace(kept, text="")))
            room = max(0, self.limit - frame)
            kept = replace(kept, text=kept.text[: len(kept.text) * room // max(1, count - frame)])
        if kept is not content and not self._told:
            self._told = True
            _log.warning(
                "a text is longer than the %d tokens that %s reads: the end of it and of others like it is not read. "
                "Shorter passages: RAG_PASSAGE_CHARACTERS",
                self.limit,
                self.model,
            )
        return kept

    def _count(self, prompt: str) -> int:
        """The tokens of a prompt, with those the tokenizer adds; 0 where the server does not count."""
        if not self._counts:
            return 0
        try:
            answer = self._endpoints.ask(TOKENIZE, {"model": self.model, "prompt": prompt, "add_special_tokens": True})
        except HttpRefusal:  # no such path, or another API under that name, as TEI's
            self._counts = False
            return 0
        count = answer.content.get("count") if isinstance(answer.content, dict) else None
        if not isinstance(count, int):
            self._counts = False
            return 0
        return count
