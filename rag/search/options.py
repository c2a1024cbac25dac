"""What a search is asked beside its words: one set of names and defaults for Python, HTTP, MCP and the command line.

Knows names and their meaning; knows no index and no model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from rag.errors import WrongRequest
from rag.types import Kind

MOST_HITS = 200  # of one question over HTTP or MCP
MOST_CANDIDATES = 1_000  # of one question over HTTP


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is None is as the settings say. At most one of `image`, `video` and `like` is given."""

    image: str | os.PathLike[str] | bytes | None = None  # a picture file, or the bytes of one
    video: str | None = None  # FILE@SECONDS: a frame of a video
    like: str | None = None  # the id of a passage: more like this, without itself
    kinds: Sequence[Kind] = ()  # none: all
    paths: Sequence[str] = ()  # globs over the path below the root, or absolute paths
    roots: Sequence[str] = ()
    after: str | float | None = None  # 2026-03-14, or seconds since the epoch; inclusive
    before: str | float | None = None  # exclusive
    top_k: int | None = None  # hits
    candidates: int | None = None  # how many reach the reranker
    min_score: float | None = None  # 0…1: hits below it are left out
    blend: float | str | None = None  # share of the rerank score in the final one: 0…1, "auto" or "never"
    rerank: bool = True  # False: the order of the first stages
    fold: bool = True  # results that repeat one another are one hit
    ocr: bool = True  # False: the words in a query picture are not read, which takes seconds; its pixels alone count


def options_of(asked: Mapping[str, Any]) -> SearchOptions:
    """The options of a mapping by their names; what is no option is left out."""
    return SearchOptions(**{field.name: asked[field.name] for field in fields(SearchOptions) if field.name in asked})


def asked_indexes(index: str | None, indexes: Sequence[str] | None) -> Sequence[str | None]:
    """The indexes of a question that may name one, or several to be asked as one. WrongRequest where both are named."""
    if index is not None and indexes:
        raise WrongRequest("both index and indexes are given", remedy="name them all in indexes")
    return indexes or (index,)
