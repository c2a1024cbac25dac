"""Vectors of inputs from vLLM's vectors of their tokens: the mean of all of a text's, or of a picture's own alone.

Knows /pooling and where a picture stands among the tokens of its prompt; knows no retries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends.base import Choice
from rag.backends.families import Family, instruction_for, native_dim
from rag.backends.media import media_parts
from rag.backends.prompts import embedding_prompt, embedding_request
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.late_interaction import matrices_of
from rag.backends.server.responses import unit
from rag.errors import BackendError
from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.types import Vectors


class TokenMeanForm:
    """As EmbeddingForm. `count`: the tokens of a string by the server's tokenizer, none added; None: it does not say."""

    path = "/pooling"
    texts = 8
    bytes = 50_000  # each token is answered with a vector

    def __init__(self, family: Family, choice: Choice, count: Callable[[str], int | None]) -> None:
        self._family, self._choice, self._count = family, choice, count
        self._native = native_dim(choice) or 0  # of a token's vector; 0: learned from the first answer
        self._around: tuple[int, int] | None = None

    def request(self, contents: Sequence[Content], role: Role) -> Mapping[str, Any]:
        """The body, without the model: for one content with pixels, or several without."""
        instruction = instruction_for(self._family, self._choice, role)
        shape = {
            "task": "token_embed",
            "use_activation": False,
            "encoding_format": "base64" if self._native else "float",
        }
        if contents[0].pixels:
            parts = media_parts(contents[0], self._family.pixels[1])
            return {**embedding_request(self._family, parts, instruction, role), **shape}
        return {"input": [embedding_prompt(self._family, one, role, instruction) for one in contents], **shape}

    def read(self, answer: HttpResponse, contents: Sequence[Content], dim: int) -> Vectors:
        """The unit rows, float32 (n, dim): the means first sliced, then normalised. BackendError for anything else."""
        rows = []
        for content, states in zip(contents, matrices_of(answer, len(contents), self._native), strict=True):
            before, after = self._counted(answer) if content.pixels else (0, 0)
            kept = states[before : len(states) - after]
            if not len(kept) or kept.shape[1] < dim:
                raise BackendError(f"{answer.place} sent too few or too short vectors of tokens", "check --model and --dim")
            self._native = states.shape[1]
            rows.append(kept.mean(axis=0, dtype=np.float32)[: dim or None])
        vectors = np.stack(rows)
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise BackendError(f"{answer.place} sent zero or non-finite vectors", "run it in float32 or bfloat16")
        return unit(vectors)

    def unreadable(self, contents: Sequence[Content]) -> Mapping[int, HttpRefusal]:
        """None: the server itself says what it refuses."""
        return {}

    def adapt(self, refused: HttpRefusal) -> bool:
        """Nothing to change."""
        return False

    def _counted(self, answer: HttpResponse) -> tuple[int, int]:
        """How many tokens stand before and after a picture's own. BackendError if the server does not count tokens."""
        if self._around is None:
            before, after = (self._count(text) for text in self._family.around)
            if before is None or after is None:
                raise BackendError(
                    f"{answer.place} does not count tokens, so the picture's own cannot be told", remedy="use vLLM's own address"
                )
            self._around = (before, after)
        return self._around
