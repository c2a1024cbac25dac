"""POST /v1/ask: a question as JSON; an answer with checked sources as server-sent events, or as one JSON.

Knows answers and their JSON; knows no page and no prompt.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rag.answers.answer import answer_json, source_json
from rag.answers.answering import Answering
from rag.api.library import IndexLibrary
from rag.api.responses import Json, documented
from rag.api.search import MOST_INDEXES, MOST_QUERY_CHARACTERS
from rag.api.thread_pool import RequestPool
from rag.errors import BackendError, NoChatModel, Overloaded
from rag.search.data_urls import pictures_of
from rag.search.options import MOST_PICTURES, SearchOptions, asked_indexes, options_of
from rag.serialization import error_code, failure_json
from rag.types import Kind

MOST_ANSWERS = 16  # written at once
MOST_TURNS = 50  # of an earlier conversation
MOST_SOURCES = 100
_Name = Annotated[str, Field(max_length=4_096)]
_END = object()
_ONE_EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["sources", "piece", "answer", "error"]},
        "data": {"type": "string", "description": "JSON."},
    },
}


class Turn(BaseModel):
    """An earlier question and its answer."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=MOST_QUERY_CHARACTERS)
    answer: str = Field(max_length=100_000)


class AskRequest(BaseModel):
    """A question, where to look, and how to answer."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=MOST_QUERY_CHARACTERS)
    image: str | None = Field(None, description="A picture that the question is about: data:image/jpeg;base64,…")
    images: list[str] = Field([], max_length=MOST_PICTURES, description="Or several pictures.")
    index: _Name | None = Field(None, description="Which index. Default: the first.")
    indexes: list[_Name] = Field([], max_length=MOST_INDEXES, description="Or several, asked as one.")
    kinds: list[Kind] = Field([], max_length=8)
    paths: list[_Name] = Field([], max_length=64, description="Globs on the path below the root.")
    roots: list[_Name] = Field([], max_length=64)
    spaces: list[_Name] = Field([], max_length=16, description="Models of the index to ask, by name. Default: all it has.")
    after: _Name | float | None = Field(None, description="2026-03-14, or seconds since the epoch; inclusive.")
    before: _Name | float | None = Field(None, description="Exclusive.")
    top_k: int | None = Field(None, ge=1, le=MOST_SOURCES, description="How many hits may become sources. Default: 30.")
    strict: bool = Field(False, description="Only sentences that a source bears out.")
    history: list[Turn] = Field([], max_length=MOST_TURNS, description="Earlier turns, oldest first.")
    stream: bool = Field(True, description="false: one JSON at the end instead of events.")

    def options(self) -> SearchOptions:
        """The request as search options. WrongRequest where a picture is not the data URL of one."""
        return options_of(dict(self) | pictures_of(self.image, self.images))


class AskResponse(BaseModel):
    """An answer and what bears it out."""

    answer: str
    claims: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    enough: bool = Field(description="false: the files do not tell.")
    model: str
    seconds: dict[str, float]
    tokens: dict[str, Any]
    notes: list[str]


class Writers:
    """The threads that wait for the pieces of answers, as many as answers may be written at once."""

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="rag-answer")
        self._most = most
        self.writing = 0

    async def pieces(self, answering: Answering) -> AsyncIterator[str]:
        """The pieces of an answer. It is stopped when nobody waits for the next one. Overloaded, and errors as `Answering`."""
        if self.writing >= self._most:
            raise Overloaded(f"{self._most} answers are being written already", remedy="try again in some seconds")
        self.writing += 1
        loop, pieces = asyncio.get_running_loop(), iter(answering)
        try:
            while (piece := await loop.run_in_executor(self._pool, partial(_next, pieces))) is not _END:
                yield str(piece)
        finally:
            self.writing -= 1
            answering.abort()

    def close(self) -> None:
        """Ends the threads after their answers."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def router(
    library: IndexLibrary,
    request_pool: RequestPool,
    writers: Writers,
    on_model_error: Callable[[BackendError, str], None],
) -> APIRouter:
    """The route; calls `on_model_error` with what goes wrong after the response has begun, and its code."""
    routes = APIRouter(prefix="/v1", tags=["answers"])

    @routes.post(
        "/ask",
        response_model=AskResponse,
        responses={
            **documented(400, 404, 409, 413, 422, 429, 503, 504),
            200: {"content": {"text/event-stream": {"schema": _ONE_EVENT}}},
        },
    )
    async def ask(request: AskRequest) -> Response:
        """Answer a question. Events: `sources`, then `piece` after `piece`, then `answer` with the whole, or `error`.

        Without a chat model: 503, whose body has the evidence as `sources` beside the `error`.
        """
        try:
            answering = await request_pool.take(begin, library, request)
        except NoChatModel as error:
            on_model_error(error, error_code(type(error)))
            return unanswered(error)
        if request.stream:
            events = _events(answering, writers, on_model_error)
            return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        async for _ in writers.pieces(answering):
            pass
        return Json(answer_json(answering.whole()))

    return routes


def unanswered(error: NoChatModel) -> Json:
    """The response where no chat model is set: the failure, and what one would have been given."""
    sources = [source_json(source) for source in error.evidence.sources]
    return Json({"error": failure_json(error), "sources": sources}, 503, {"Retry-After": "1"})


def begin(library: IndexLibrary, request: AskRequest) -> Answering:
    """The answer to a request, before anything is written. Errors: those of `rag.answers.ask.ask` and of opening an index."""
    names = library.distinct(asked_indexes(request.index, request.indexes))
    history = [(turn.question, turn.answer) for turn in request.history]
    return library.ask(names, request.question, request.options(), strict=request.strict, history=history)


async def _events(
    answering: Answering, writers: Writers, on_model_error: Callable[[BackendError, str], None]
) -> AsyncIterator[bytes]:
    yield _event("sources", {"sources": [source_json(source) for source in answering.evidence.sources]})
    try:
        async for piece in writers.pieces(answering):
            yield _event("piece", {"text": piece})
        yield _event("answer", answer_json(answering.whole()))
    except BackendError as error:
        on_model_error(error, error_code(type(error)))
        yield _event("error", {"error": failure_json(error)})


def _event(name: str, content: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n".encode("ascii")


def _next(pieces: Iterator[str]) -> object:
    return next(pieces, _END)
