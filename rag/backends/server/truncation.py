"""Cuts texts to the longest prompt that a server's model reads, as counted by the server's own tokenizer.

Knows counts of tokens, and vLLM's /tokenize; knows no vector.
`rag.backends.local.shared.fitted` does the same for models in this process.
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
ASCII_PER_TOKEN = 3  # ordinary text has at most one token per 3 ASCII characters; any other character may be a token by itself
CUTS = 8  # attempts: tokens do not shrink in proportion to characters


class TextCutter:
    """Cuts texts for one model, and warns once. `limit`: tokens of a whole prompt; 0: not known.

    `count` counts the tokens of a prompt, with those that the tokenizer adds; None: the server does not say.
    """

    def __init__(self, model: str, limit: int, count: Callable[[str], int | None]) -> None:
        self.model, self.limit = model, limit
        self._asked = count
        self._counts = bool(limit)
        self._warned = False

    def is_suspect(self, text: str) -> bool:
        """Whether a text may well have more tokens than the model reads, so that counting them before sending is worthwhile."""
        if not self._counts or len(text) < self.limit // 2:
            return False
        ascii_letters = sum(letter < "\x80" for letter in text)
        return ascii_letters // ASCII_PER_TOKEN + len(text) - ascii_letters >= self.limit

    def cut(self, content: Content, render: Callable[[Content], str]) -> Content:
        """The content with as much of its text as fits when rendered; the content itself if the server does not count tokens."""
        kept = content
        for _ in range(CUTS):
            count = self._count(render(kept))
            if count <= self.limit or not kept.text:
                break
            frame = self._count(render(replace(kept, text="")))
            room = max(0, self.limit - frame)
            kept = replace(kept, text=kept.text[: len(kept.text) * room // max(1, count - frame)])
        if kept is not content and not self._warned:
            self._warned = True
            _log.warning(
                "a text is longer than the %d tokens that %s reads: its end is ignored, and so are those of other long texts. "
                "For shorter passages, set RAG_PASSAGE_CHARACTERS",
                self.limit,
                self.model,
            )
        return kept

    def _count(self, prompt: str) -> int:
        """The tokens of a prompt, including those that the tokenizer adds; 0 if the server does not count."""
        if not self._counts:
            return 0
        try:
            count = self._asked(prompt)
        except HttpRefusal:  # no such path, or another API at it, such as TEI's
            count = None
        self._counts = count is not None
        return count or 0


def counter(endpoints: Endpoints, model: str) -> Callable[[str], int | None]:
    """A function that counts the tokens of a prompt by vLLM's /tokenize; None if the answer holds no count."""

    def count(prompt: str) -> int | None:
        answer = endpoints.ask(TOKENIZE, {"model": model, "prompt": prompt, "add_special_tokens": True})
        counted = answer.content.get("count") if isinstance(answer.content, dict) else None
        return counted if isinstance(counted, int) else None

    return count
