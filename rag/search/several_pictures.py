"""Several pictures asked as one query: its vector in a space, and the reranker's scores.

Knows queries and models; knows no file, no index and no ranking.

Where a model was trained to read several pictures as one input (`pictures_together`), it gets them so. Everywhere else the
query's vector is the mean of the unit vectors of its pictures, at unit length, and a candidate's score the mean for each.
What the words ask stands beside every picture, so it counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.base import Embedder, Reranker, capabilities_of
from rag.errors import ContentRefused
from rag.types import Content

if TYPE_CHECKING:
    from rag.types import Vectors


def embed_pictures(embedder: Embedder, content: Content, name: str = "") -> tuple[Vectors, str]:
    """The query's vector, float32 (1, dim), and how its pictures became one: "" where there is no more than one.

    `name` is that of the model, to be told, where there are several. Pictures that a model refuses to read together are read
    one by one. Pictures that cancel out give the vector of the first.
    BackendError.
    """
    alone = pictures_of(content)
    if len(alone) < 2:
        return embedder.embed([content], role="query"), ""
    count = len(alone)
    if count <= capabilities_of(embedder).pictures_together:
        try:
            return embedder.embed([content], role="query"), together(count, name)
        except ContentRefused:  # a server whose limit of pictures is lower
            pass
    rows = embedder.embed(alone, role="query")
    mean = rows.mean(axis=0, keepdims=True)
    length = float(np.linalg.norm(mean))
    return (np.asarray(mean / length, np.float32) if length > 1e-6 else rows[:1]), mean_of(count, name)


def score_pictures(reranker: Reranker, query: Content, contents: Sequence[Content]) -> list[float]:
    """The scores of contents, 0…1, for a query of any number of pictures.

    BackendError: ContentRefused for the contents that are refused for any of the pictures.
    """
    alone = pictures_of(query) if "image" in reranker.modalities else [query]
    if len(alone) < 2:
        return reranker.score(query, contents)
    lists: list[dict[int, float]] = []
    reasons: dict[int, str] = {}
    refused: ContentRefused | None = None
    for one in alone:
        try:
            lists.append(dict(enumerate(reranker.score(one, contents))))
        except ContentRefused as refusal:
            kept = [at for at in range(len(contents)) if at not in refusal.reasons]
            lists.append(dict(zip(kept, refusal.others, strict=True)))
            reasons, refused = reasons | dict(refusal.reasons), refusal
    means = [sum(scores[at] for scores in lists) / len(lists) for at in range(len(contents)) if at not in reasons]
    if refused is not None:
        raise ContentRefused(refused.what, refused.remedy, reasons, means)
    return means


def together(count: int, name: str) -> str:
    """How a model that reads several pictures as one input is told of."""
    return f"{count} pictures read as one input by {name}" if name else f"{count} pictures read as one input"


def mean_of(count: int, name: str = "") -> str:
    """How a mean over several pictures is told of."""
    return f"the mean of {count} pictures by {name}" if name else f"the mean of {count} pictures"


def pictures_of(content: Content) -> list[Content]:
    """A query of several pictures as one content for each, the words and clues beside every one; any other content alone."""
    if content.modality != "image" or len(content.pixels) < 2:
        return [content]
    return [replace(content, pixels=(pixels,)) for pixels in content.pixels]
