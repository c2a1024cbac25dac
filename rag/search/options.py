"""The options of a search besides its words: one set of names and defaults for Python, HTTP, MCP and the command line.

Knows names and their meaning; knows no index and no model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from rag.errors import WrongRequest
from rag.types import Kind

GROUPINGS = ("document", "place")
ORDERS = ("best", "new", "old", "name")
MOST_HITS = 200  # of one query over HTTP
MOST_CANDIDATES = 1_000  # of one query over HTTP
MOST_PICTURES = 5  # of one query
MOST_UNLIKE = 16  # passages that the hits of one query are to be less like
MOST_OFFSET = 100_000  # of one query over HTTP


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """None means: as in the settings. Pictures, a `video` or `like` are given, not two of these."""

    image: str | os.PathLike[str] | bytes | None = None  # a picture file, or the bytes of one
    images: Sequence[str | os.PathLike[str] | bytes] = ()  # several, asked as one; `image` is the first of them
    video: str | None = None  # FILE@SECONDS: a frame of a video
    like: str | None = None  # the id of a passage: more like this, without itself
    less_like: Sequence[str] = ()  # ids of passages: hits less like these, and without them
    kinds: Sequence[Kind] = ()  # empty: all
    paths: Sequence[str] = ()  # globs on the path below the root, or absolute paths; empty: all
    roots: Sequence[str] = ()  # names; empty: all
    spaces: Sequence[str] = ()  # names of vector spaces (models) to ask; empty: all the index has
    after: str | float | None = None  # 2026-03-14, or seconds since the epoch; inclusive
    before: str | float | None = None  # exclusive
    top_k: int | None = None  # hits
    candidates: int | None = None  # how many reach the reranker
    min_score: float | None = None  # 0…1: hits below it are left out
    blend: float | str | None = None  # weight of the rerank score in the final one: 0…1, "auto", or "never" (always 1)
    rerank: bool = True  # False: keep the order of the first stages
    fold: bool = True  # near-duplicates are one hit
    group: str = "document"  # what one hit is: a "document" with its places, or one "place"
    whole: bool = False  # True: every passage that holds a word of the query is listed, and all results are counted
    offset: int = 0  # results to leave out before the first hit: a later page of a whole list
    order: str = "best"  # or "new", "old" (by date), "name" (by path): of a whole list
    ocr: bool = True  # False: do not read the text in a query picture, which takes seconds; only its pixels count


def options_of(values: Mapping[str, Any]) -> SearchOptions:
    """The options among named values; values of other names are ignored."""
    return SearchOptions(**{field.name: values[field.name] for field in fields(SearchOptions) if field.name in values})


def pictures_in(options: SearchOptions) -> tuple[str | os.PathLike[str] | bytes, ...]:
    """The pictures of a query, `image` first. WrongRequest for more than MOST_PICTURES."""
    given = (() if options.image is None else (options.image,)) + tuple(options.images)
    if len(given) > MOST_PICTURES:
        raise WrongRequest(f"{len(given)} pictures are asked with", remedy=f"ask with at most {MOST_PICTURES}")
    return given


def asked_indexes(index: str | None, indexes: Sequence[str] | None) -> Sequence[str | None]:
    """The indexes that a request names, one or several; (None,), the default, for neither. WrongRequest where both are given."""
    if index is not None and indexes:
        raise WrongRequest("both index and indexes are given", remedy="name them all in indexes")
    return indexes or (index,)
