"""Rerank scores from llama.cpp: whole prompts go to /v1/embeddings, and the client judges the hidden states that come back.

Knows prompts, bodies and where the GGUF may be; knows no fusion and no order of hits. llama.cpp's own /v1/rerank reads texts only
and fixes the instruction, and without `cls.output` in the GGUF it answers wrong scores without an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rag.backends.base import Choice
from rag.backends.even_batches import even_batches
from rag.backends.families import Family, instruction_for
from rag.backends.prompts import is_video, rerank_prompt
from rag.backends.server.batching import answers_to
from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.harmless import HARMLESS, grey_picture
from rag.backends.server.llamacpp.embedding import require_sight
from rag.backends.server.llamacpp.inputs import NO_VIDEO, NO_VIDEO_REMEDY, input_of, refusals
from rag.backends.server.llamacpp.judge import Judge, judge_of
from rag.backends.server.llamacpp.properties import Properties, ending_of, properties_of, tokens_of
from rag.backends.server.responses import rows_of
from rag.errors import BackendError
from rag.types import Content

PATH = "/v1/embeddings"
TEXTS, CHARACTERS = 4, 6_000  # per request: a server on a laptop reads tens of tokens a second
LOCAL = ("127.0.0.1", "localhost", "::1")
UNIT = 1e-3  # hidden states are far from unit length: if all are this near to it, the server has normalised them
FILE_REMEDY = "name the file that the server runs: --reranker-model FILE.gguf"


class LlamaCppScorer:
    """Scores of pairs by one server of a Qwen3 reranker. Safe to share between threads."""

    def __init__(self, endpoints: Endpoints, family: Family, choice: Choice, served: Properties) -> None:
        """Reads two rows of the GGUF. BackendError if it is not at hand or is not what the server runs; MissingExtra."""
        self._endpoints, self._family, self._choice, self._served = endpoints, family, choice, served
        self._ending = ending_of(endpoints, family)
        self._judge: Judge = judge_of(gguf_at_hand(choice, served, endpoints.urls))
        words = [tokens_of(endpoints, word, special=False) for word in ("yes", "no")]
        if words != [[self._judge.yes], [self._judge.no]]:
            raise BackendError(
                f"{', '.join(endpoints.urls)} has other tokens for yes and no ({words}) than the GGUF at hand", remedy=FILE_REMEDY
            )

    def scores(self, model: str, query: Content, contents: Sequence[Content]) -> list[float | HttpRefusal]:
        """One score in 0…1, or the refusal, for each content. BackendError for a query video, or pixels without a mmproj."""
        if is_video(query):
            raise BackendError(f"{self._endpoints.urls[0]}: {NO_VIDEO}", remedy=NO_VIDEO_REMEDY)
        require_sight([query, *contents], self._served, self._endpoints)
        found: dict[int, float | HttpRefusal] = dict(refusals(contents, self._endpoints.urls[0]))
        asked = [(number, one) for number, one in enumerate(contents) if number not in found]
        texts = [one for one in asked if not (query.pixels or one[1].pixels)]
        alone = [one for one in asked if query.pixels or one[1].pixels]
        batches = [*even_batches(texts, TEXTS, lambda one: len(one[1].text), CHARACTERS), *([one] for one in alone)]
        try:
            scores = self._answers(model, query, batches)
        except HttpRefusal:
            before, self._served = self._served, properties_of(self._endpoints)
            if self._served.marker == before.marker:
                raise
            scores = self._answers(model, query, batches)  # the server was started again
        found |= zip((number for batch in batches for number, _ in batch), scores, strict=True)
        return [found[number] for number in range(len(contents))]

    def _answers(
        self, model: str, query: Content, batches: Sequence[Sequence[tuple[int, Content]]]
    ) -> Sequence[float | HttpRefusal]:
        def body(batch: Sequence[tuple[int, Content]]) -> Mapping[str, Any]:
            return self._request(model, query, [content for _, content in batch])

        def harmless(batch: Sequence[tuple[int, Content]]) -> Mapping[str, Any]:
            return self._request(model, HARMLESS, [grey_picture() if query.pixels or batch[0][1].pixels else HARMLESS])

        return answers_to(self._endpoints, PATH, batches, body, self._read, harmless)

    def _request(self, model: str, query: Content, contents: Sequence[Content]) -> Mapping[str, Any]:
        instruction = instruction_for(self._family, self._choice, "rerank")
        prompts = [rerank_prompt(self._family, query, content, instruction) + self._ending for content in contents]
        items = [input_of(prompt, [query, one], self._served.marker) for prompt, one in zip(prompts, contents, strict=True)]
        return {"model": model, "input": items, "embd_normalize": -1, "encoding_format": "base64"}

    def _read(self, answer: HttpResponse, pairs: Sequence[object]) -> list[float]:
        """The scores in a response. BackendError if it holds unit vectors, or vectors of another length than the GGUF's rows."""
        hidden = rows_of(answer, len(pairs))
        if hidden.shape[1] != self._judge.direction.size:
            raise BackendError(
                f"{answer.place} sent {hidden.shape[1]} numbers for a pair, and the rows of the GGUF at hand have "
                f"{self._judge.direction.size}",
                remedy=FILE_REMEDY,
            )
        if np.abs(np.linalg.norm(hidden, axis=1) - 1).max() < UNIT:
            raise BackendError(
                f"{answer.place} normalises what it sends, although it was asked not to (embd_normalize -1)",
                remedy="use a newer llama.cpp, and llama-server's own address, not a proxy's",
            )
        return self._judge.scores(hidden)


def gguf_at_hand(choice: Choice, served: Properties, urls: Sequence[str]) -> Path:
    """The GGUF that a server runs, on this machine: the chosen file, else the server's own path if it runs here. BackendError."""
    named = Path(choice.model).expanduser()
    if choice.model.lower().endswith(".gguf") and named.is_file():
        return named
    here = all(urlsplit(url).hostname in LOCAL for url in urls)
    if here and served.path and Path(served.path).is_file():
        return Path(served.path)
    raise BackendError(
        f"{', '.join(urls)} is llama.cpp, which gives no scores itself: two rows of its GGUF turn its vectors into scores, and "
        f"{'there is no file ' + served.path if here and served.path else 'the file is not on this machine'}",
        remedy=FILE_REMEDY,
    )
