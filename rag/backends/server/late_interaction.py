"""Scores by late interaction: vLLM's vectors of every token, made when they are needed, compared by MaxSim.

Knows /pooling and arithmetic; keeps no vector. Score = the mean, over the query's tokens, of the largest cosine with any token of
the document, 0 if that is negative: MaxSim (Khattab and Zaharia, 2020) divided by the query's length, so that it lies in 0…1.
A page of 1,280 tokens of 320 numbers takes 1.6 MB on the wire.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends.even_batches import even_batches
from rag.backends.families import Family
from rag.backends.media import media_parts
from rag.backends.prompts import embedding_request, rerank_words
from rag.backends.server.batching import answers_to
from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.harmless import HARMLESS, grey_picture
from rag.errors import BackendError
from rag.types import Content

if TYPE_CHECKING:
    from rag.types import Vectors

PATH = "/pooling"
TEXTS = 16  # per request
BYTES = 200_000  # of text per request: each token is answered with a vector


class LateScorer:
    """Scores of contents for a query. Safe to share between threads."""

    def __init__(self, endpoints: Endpoints, family: Family) -> None:
        self._endpoints, self._family = endpoints, family

    def scores(self, model: str, query: Content, contents: Sequence[Content]) -> list[float | HttpRefusal]:
        """One score in 0…1, or the refusal, for each content. HttpRefusal if the query itself is refused."""
        (asked,) = self._answers(model, [[query]], lambda answer, batch: token_vectors(answer, len(batch), 0))
        if isinstance(asked, HttpRefusal):
            raise asked
        dim = asked.shape[1]

        def read(answer: HttpResponse, batch: Sequence[Content]) -> list[float]:
            return [max_sim(asked, vectors) for vectors in token_vectors(answer, len(batch), dim)]

        places = list(range(len(contents)))
        texts = [at for at in places if not contents[at].pixels]
        batches = even_batches(texts, TEXTS, lambda at: len(self._words(contents[at])), BYTES)
        batches += [[at] for at in places if contents[at].pixels]
        found = self._answers(model, [[contents[at] for at in batch] for batch in batches], read, "base64")
        by_place = dict(zip((at for batch in batches for at in batch), found, strict=True))
        return [by_place[at] for at in places]

    def _answers(self, model: str, batches: Sequence[Sequence[Content]], read: Any, encoding: str = "float") -> list[Any]:
        def body(batch: Sequence[Content]) -> Mapping[str, Any]:
            return {"model": model, "task": "token_embed", "encoding_format": encoding, **self._input(batch)}

        def harmless(batch: Sequence[Content]) -> Mapping[str, Any]:
            return body([grey_picture() if batch[0].pixels else HARMLESS])

        return answers_to(self._endpoints, PATH, batches, body, read, harmless)

    def _input(self, batch: Sequence[Content]) -> Mapping[str, Any]:
        if batch[0].pixels:
            return embedding_request(self._family, media_parts(batch[0], self._family.pixels[1]), "")
        return {"input": [self._words(content) or " " for content in batch]}

    def _words(self, content: Content) -> str:
        return rerank_words(self._family, content)


def max_sim(query: Vectors, document: Vectors) -> float:
    """The mean over the query's rows of the largest product with a row of the document; rows of unit length; at least 0."""
    return min(1.0, max(0.0, float((query @ document.T).max(axis=1).mean())))


def token_vectors(answer: HttpResponse, count: int, dim: int) -> list[Vectors]:
    """The unit rows of each of `count` inputs, float32 (tokens, dim). `dim` 0: as the rows themselves say.

    BackendError for anything else than as many inputs, each with rows of finite numbers that are not zero.
    """
    found = matrices_of(answer, count, dim)
    for one in found:
        lengths = np.linalg.norm(one, axis=1, keepdims=True)
        if not len(one) or not np.isfinite(lengths).all() or not lengths.all():
            raise BackendError(f"{answer.place} sent no, zero or non-finite vectors of tokens", "run it in float32 or bfloat16")
        one /= lengths
    return found


def matrices_of(answer: HttpResponse, count: int, dim: int) -> list[Vectors]:
    """The rows of each of `count` inputs as they were sent, float32 (tokens, dim). BackendError for anything else."""
    rows = answer.content.get("data") if isinstance(answer.content, Mapping) else None
    try:
        ordered = sorted(rows or (), key=lambda row: int(row["index"]))
        found = [_matrix(row["data"], dim) for row in ordered]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BackendError(
            f"{answer.place} sent no vectors of tokens", "serve the model with vLLM: rag serve reranker"
        ) from error
    if len(found) != count:
        raise BackendError(f"{answer.place} sent vectors of {len(found)} inputs, not {count}", "restart the server")
    return found


def _matrix(value: Any, dim: int) -> Vectors:
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").reshape(-1, dim).copy()
    rows = np.array(value, dtype=np.float32)
    if rows.ndim != 2 or (dim and rows.shape[1] != dim):
        raise ValueError(f"rows of the shape {rows.shape}")
    return rows
