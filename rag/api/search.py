"""POST /v1/search: a query as JSON, ranked hits as JSON.

Knows the read path and the JSON of a hit; knows no page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from rag.api import cursor as cursors
from rag.api.library import IndexLibrary
from rag.api.responses import Json, documented
from rag.api.thread_pool import RequestPool
from rag.api.urls import media_of, picture_address
from rag.media.service import MediaService
from rag.search.data_urls import pictures_of
from rag.search.options import (
    MOST_CANDIDATES,
    MOST_HITS,
    MOST_OFFSET,
    MOST_PICTURES,
    MOST_UNLIKE,
    SearchOptions,
    asked_indexes,
    options_of,
)
from rag.serialization import explain_json, hit_json
from rag.text.highlights import marks as spans_of
from rag.types import Hit, Kind

if TYPE_CHECKING:
    from rag.search.pipeline import Results

MOST_INDEXES = 64  # of one query
MOST_QUERY_CHARACTERS = 20_000  # characters of a query
_Name = Annotated[str, Field(max_length=4_096)]


class SearchRequest(BaseModel):
    """Text, pictures or a passage, or text with one of the two; filters; and what to return."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=MOST_QUERY_CHARACTERS, description="What to search for.")
    image: str | None = Field(None, description="A picture as a data URL: data:image/jpeg;base64,…")
    images: list[str] = Field([], max_length=MOST_PICTURES, description="Or several pictures, asked as one query.")
    like: str | None = Field(None, max_length=64, description="The id of a passage: more like this.")
    less_like: list[Annotated[str, Field(max_length=64)]] = Field(
        [], max_length=MOST_UNLIKE, description="Ids of passages: hits less like these, and without them."
    )
    index: _Name | None = Field(None, description="Which index. Default: the first.")
    indexes: list[_Name] = Field([], max_length=MOST_INDEXES, description="Or several, searched as one.")
    kinds: list[Kind] = Field([], max_length=8)
    paths: list[_Name] = Field([], max_length=64, description="Globs on the path below the root.")
    roots: list[_Name] = Field([], max_length=64)
    spaces: list[_Name] = Field([], max_length=16, description="Models of the index to ask, by name. Default: all it has.")
    after: _Name | float | None = Field(None, description="2026-03-14, or seconds since the epoch; inclusive.")
    before: _Name | float | None = Field(None, description="Exclusive.")
    top_k: int | None = Field(None, ge=1, le=MOST_HITS, description="How many hits. Default: the setting, 10.")
    rerank: bool = Field(True, description="false: keep the order of the first stages, which is faster.")
    explain: bool = Field(False, description="Add every stage's rank and score to each hit.")
    ocr: bool = Field(True, description="false: do not read the text in the query picture, which takes seconds.")
    fold: bool = Field(True, description="Show near-duplicates as one hit.")
    group: Literal["document", "place"] = Field("document", description="One hit for each document, or for each place.")
    whole: bool = Field(
        False,
        description="List every passage that holds a word of the query, after the ranked candidates, and count all results.",
    )
    order: Literal["best", "new", "old", "name"] = Field("best", description="Of the whole list: by score, date or path.")
    offset: int = Field(0, ge=0, le=MOST_OFFSET, description="Results to leave out before the first hit, of the whole list.")
    cursor: str | None = Field(None, max_length=32, description="`next` of the answer before: the hits after those.")
    texts: bool = Field(False, description="Add the full text to each hit.")
    candidates: int | None = Field(None, ge=1, le=MOST_CANDIDATES, description="How many candidates reach the reranker.")
    min_score: float | None = Field(None, ge=0, le=1)
    blend: Literal["auto", "never"] | Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="Weight of the rerank score in the final one."
    )

    def options(self) -> SearchOptions:
        """The request as search options. WrongRequest where a picture is not the data URL of one."""
        offset = self.offset if self.cursor is None else cursors.read(self.cursor).offset
        return options_of(dict(self) | pictures_of(self.image, self.images) | {"offset": offset})


class Counts(BaseModel):
    """How many results a filter by each would keep: of a whole list, else of the candidates alone, counted by passages."""

    kinds: dict[str, int]
    folders: dict[str, int] = Field(description="By the first folder of the path; an empty name is the root itself.")
    roots: dict[str, int]


class TotalResults(BaseModel):
    """How many results there are."""

    results: int
    exact: bool = Field(description="false: there are more, and the list ends before them.")


class SearchResponse(BaseModel):
    """Hits, best first, and notes about them."""

    hits: list[dict[str, Any]]
    total: TotalResults | None = Field(description="Of a whole list; null where none was asked for.")
    next: str | None = Field(description="The cursor of the hits after these; null where these are the last.")
    counts: Counts
    notes: list[str]
    good: bool = Field(description="false: no hit is a good match; the best are listed all the same.")
    reranked: bool
    reranker: str | None
    index: str = Field(description="The first that was searched; every hit names its own.")
    indexes: list[str] = Field(description="All that were searched.")
    generation: int = Field(description="The commit of the first index that answered.")
    seconds: dict[str, float]


def router(
    library: IndexLibrary,
    media_service: MediaService,
    request_pool: RequestPool,
    on_search: Callable[[Mapping[str, float]], None],
) -> APIRouter:
    """The search route; calls `on_search` with the seconds of each stage."""
    routes = APIRouter(prefix="/v1", tags=["search"])

    @routes.post("/search", response_model=SearchResponse, responses=documented(400, 404, 409, 413, 422, 429, 503, 504))
    async def search(request: SearchRequest) -> Json:
        """Search with text, a picture, a passage, or text with one of them."""
        found = await request_pool.take(answer, library, media_service, request)
        on_search(found["seconds"])
        return Json(found)

    return routes


def answer(library: IndexLibrary, media_service: MediaService, request: SearchRequest) -> dict[str, Any]:
    """The response body. Errors: those of `Searcher.search` and of opening an index."""
    names = library.distinct(asked_indexes(request.index, request.indexes))
    options = request.options()
    results = library.search(names, request.text, options)
    first = library.searcher(names[0])
    total = results.total
    top_k = first.settings.top_k if request.top_k is None else request.top_k
    reranked = request.rerank and first.reranker is not None
    texts = results.texts() if request.texts else {}
    found = {(stored.index, stored.id): stored for stored in results.candidates}
    limits = {name: library.searcher(name).policy.limits for name in names}

    def shown(hit: Hit) -> dict[str, Any]:
        stored = found[hit.index, hit.id]
        return {"thumbnail": picture_address(media_service, stored, hit.index, limits[hit.index], "thumb")}

    return {
        "hits": [_hit(hit, request, texts) | shown(hit) for hit in results.hits],
        "total": None if total is None else {"results": total.results, "exact": total.exact},
        "next": _next(request, options, results, top_k),
        "counts": _counts(results) if total is None else dict(total.counts),
        "notes": [*results.notes, *_note_changed(request, results)],
        "good": _is_good(results),
        "reranked": reranked,
        "reranker": first.reranker.name if first.reranker and reranked else None,
        "index": names[0],
        "indexes": names,
        "generation": results.generations.get(names[0], first.index.generation),
        "seconds": {stage: round(one, 6) for stage, one in results.seconds.items()}
        | {"total": round(sum(results.seconds.values()), 6)},
    }


def _hit(hit: Hit, request: SearchRequest, texts: dict[str, str]) -> dict[str, Any]:
    extra: dict[str, Any] = {
        "media": media_of(hit.kind, hit.best),
        "marks": marks(hit.snippet, request.text),
    }
    if request.explain:
        extra["explain"] = explain_json(hit)
    if request.texts:
        extra["text"] = texts.get(hit.id, "")
    return hit_json(hit) | extra


def marks(text: str, query: str) -> list[list[int]]:
    """Where the words of the query match in `text`, by the rules of the lexical lane: [start, end] in code points."""
    return [list(span) for span in spans_of(text, query)]


def _next(request: SearchRequest, options: SearchOptions, results: Results, top_k: int) -> str | None:
    """The cursor of the next page: of a whole list by its total."""
    offset = options.offset + top_k
    if results.total is None or offset >= results.total.results:
        return None
    commits = cursors.commits_of(results.generations) if request.cursor is None else cursors.read(request.cursor).commits
    return cursors.written(cursors.Cursor(offset, commits))


def _note_changed(request: SearchRequest, results: Results) -> Sequence[str]:
    if request.cursor is None or cursors.read(request.cursor).commits == cursors.commits_of(results.generations):
        return ()
    return (cursors.CHANGED,)


def _counts(results: Results) -> dict[str, dict[str, int]]:
    passages = [stored.passage for stored in results.candidates]
    return {
        "kinds": _by_count([passage.kind for passage in passages]),
        "folders": _by_count([passage.document.path.rpartition("/")[0].partition("/")[0] for passage in passages]),
        "roots": _by_count([passage.document.root for passage in passages]),
    }


def _by_count(names: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


def _is_good(results: Results) -> bool:
    return bool(results.hits) and results.good is not False
