"""Adds up the tokens that a server says it used, answer by answer.

Knows `usage` as OpenAI's API and vLLM give it; knows no request.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.backends.server.exchange import HttpResponse


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The sums over some answers. `cached`: tokens of prompts that were answered from a cache; None: no answer told."""

    answers: int = 0  # those that told their tokens
    tokens: int = 0
    cached: int | None = None


class UsageTally:
    """Hears every answer of a client. Safe to share between threads."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self._sum = TokenUsage()
        self._lock = threading.Lock()

    def hear(self, answer: HttpResponse) -> None:
        """Adds what an answer says; one that says nothing, such as a list of models, adds nothing."""
        told = answer.content.get("usage") if isinstance(answer.content, Mapping) else None
        tokens = _number(told, "prompt_tokens")
        if tokens is None:
            tokens = _number(told, "total_tokens")
        if tokens is None:
            return
        cached = _number(told.get("prompt_tokens_details") if isinstance(told, Mapping) else None, "cached_tokens")
        with self._lock:
            before = self._sum
            together = before.cached if cached is None else (before.cached or 0) + cached
            self._sum = TokenUsage(before.answers + 1, before.tokens + tokens, together)

    def take(self) -> TokenUsage:
        """The sums since the last call."""
        with self._lock:
            found, self._sum = self._sum, TokenUsage()
            return found


def _number(told: Any, key: str) -> int | None:
    value = told.get(key) if isinstance(told, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
