"""POST /v1/rerank, compatible with Jina and Cohere: our reranker for other retrieval systems.

Knows the reranker; knows no index.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from rag.api.library import IndexLibrary
from rag.api.responses import Json, documented
from rag.api.search import MOST_QUERY_CHARACTERS
from rag.api.thread_pool import RequestPool
from rag.errors import WrongRequest
from rag.types import Content

MOST_DOCUMENTS = 1_000
MOST_PICTURES = 64
MOST_CHARACTERS = 200_000  # of one document
_Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]


class RerankDocument(BaseModel):
    """A document or query of text, a picture (a data URL), or both."""

    text: _Text = ""
    image: str | None = None


class RerankRequest(BaseModel):
    """A query and the documents to rank. Fields of other vendors are ignored."""

    model: str = Field("", description="Ignored: this server has one reranker; the response names it.")
    query: Annotated[str, Field(max_length=MOST_QUERY_CHARACTERS)] | RerankDocument
    documents: list[_Text | RerankDocument] = Field(min_length=1, max_length=MOST_DOCUMENTS)
    top_n: int | None = Field(None, ge=1, description="How many results. Default: all.")
    return_documents: bool = False


class RerankResult(BaseModel):
    """One document: its position in the request, from 0, its score in 0…1, and the document itself if requested."""

    index: int
    relevance_score: float
    document: dict[str, Any] | None = None


class Usage(BaseModel):
    """An estimate: one token for four characters."""

    total_tokens: int


class RerankResponse(BaseModel):
    """The documents, best first."""

    model: str
    results: list[RerankResult]
    usage: Usage


def router(library: IndexLibrary, request_pool: RequestPool) -> APIRouter:
    """The route for reranking."""
    routes = APIRouter(prefix="/v1", tags=["rerank"])

    @routes.post(
        "/rerank",
        response_model=RerankResponse,
        response_model_exclude_none=True,
        responses=documented(400, 404, 409, 413, 422, 429, 503, 504),
    )
    async def rerank(request: RerankRequest) -> Json:
        """Score documents against a query; results are best first."""
        return Json(await request_pool.take(_rerank, library, request))

    return routes


def _rerank(library: IndexLibrary, request: RerankRequest) -> dict[str, Any]:
    pictures = sum(isinstance(one, RerankDocument) and one.image is not None for one in request.documents)
    if pictures > MOST_PICTURES:
        raise WrongRequest(
            f"{pictures} pictures were given; the limit is {MOST_PICTURES}", remedy="split them into several requests"
        )
    reranker = library.reranker()
    query = _content(request.query, library)
    if query.modality == "text" and not query.text.strip():
        raise WrongRequest("the query is empty", remedy="give it text or a picture")
    scores = reranker.score(query, [_content(one, library) for one in request.documents])
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))[: request.top_n]
    characters = sum(len(one if isinstance(one, str) else one.text) for one in (request.query, *request.documents))
    results: list[dict[str, Any]] = [{"index": at, "relevance_score": round(scores[at], 6)} for at in order]
    if request.return_documents:
        for result in results:
            result["document"] = _shown(request.documents[result["index"]])
    return {"model": reranker.name, "results": results, "usage": {"total_tokens": -(-characters // 4)}}


def _content(given: str | RerankDocument, library: IndexLibrary) -> Content:
    document = RerankDocument(text=given) if isinstance(given, str) else given
    if document.image is None:
        return Content("text", text=document.text)
    from rag.decoding.ask_pool import shared_pool
    from rag.loaders.base import Limits
    from rag.loaders.policy import ReadingPolicy
    from rag.search.data_urls import picture_of
    from rag.search.query_media import query_picture_bytes

    policy = ReadingPolicy(Limits(), library.settings.ocr, frozenset(library.settings.clues))
    shown = query_picture_bytes(picture_of(document.image), policy, shared_pool())
    return Content("image", text=document.text, pixels=shown.pixels, clues=shown.clues)


def _shown(given: str | RerankDocument) -> dict[str, Any]:
    return {"text": given} if isinstance(given, str) else given.model_dump(exclude_none=True)
