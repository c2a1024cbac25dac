"""What leaves this server: JSON that any file name survives, and errors as what, remedy and code, never a traceback.

Knows our errors and HTTP's status codes; knows no route.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from rag import errors
from rag.api.jobs import JobRuns, NoSuchJob
from rag.api.thread_pool import Busy, Ending, TookTooLong
from rag.errors import BackendError, RagError
from rag.serialization import error_code

# The first that fits counts: leaves before their branches.
_STATUS: tuple[tuple[type[RagError], int], ...] = (
    (Busy, 429),
    (TookTooLong, 504),
    (Ending, 503),
    (errors.NoSuchIndex, 404),
    (NoSuchJob, 404),
    (errors.NoSuchPassage, 404),
    (errors.NotShown, 404),
    (errors.TooLarge, 413),
    (errors.WrongRequest, 400),
    (errors.BackendError, 503),
    (JobRuns, 409),
    (errors.IndexNotFound, 404),
    (errors.IndexLocked, 409),
    (errors.EmbedderMismatch, 409),
    (errors.AnotherModel, 409),
    (errors.IndexFailure, 503),
    (errors.UnreadableDocument, 404),
)
_HTTP = {
    400: ("the request cannot be read", "/docs says how it is written"),
    401: (
        "this server asks for a key",
        "send `Authorization: Bearer KEY`, or open the address with ?token=KEY that `rag ui` printed",
    ),
    403: ("the request comes from another site, or names this server wrongly", "use the address that `rag ui` printed"),
    404: ("there is nothing at this address", "/docs lists what there is"),
    405: ("this address does not take that method", "/docs says which"),
    408: ("the body of the request did not come in time", "send it again, or less of it"),
    413: ("the request is too large", "send less; a query picture of 2,000 pixels a side shows all a model sees"),
    429: ("others are sending much at the moment", "ask again in a second"),
}


class ErrorBody(BaseModel):
    """What went wrong, what to do about it, and a word for programs."""

    what: str
    remedy: str
    code: str


class Failure(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorBody


class Json(JSONResponse):
    """JSON in ASCII: names that are not UTF-8 travel as lone surrogates, which only escapes can spell."""

    def render(self, content: Any) -> bytes:
        """The body. ValueError for a number that JSON does not have, such as NaN."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def failure(status: int, what: str, remedy: str, code: str, headers: Mapping[str, str] | None = None) -> Json:
    """An answer that is no success."""
    return Json({"error": {"what": what, "remedy": remedy, "code": code}}, status, headers)


def refusal(error: RagError) -> Json:
    """Our error as an answer; `code` is the class's name in snake case, `busy` or `wrong_request`."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    return failure(status, error.what, error.remedy, error_code(type(error)), headers)


def plain_failure(status: int, headers: Mapping[str, str] | None = None) -> Json:
    """An answer for what HTTP itself refuses."""
    what, remedy = _HTTP.get(status, (f"refused with status {status}", "/docs says what is taken"))
    codes = {401: "no_key", 403: "foreign", 404: "not_found", 405: "wrong_method", 408: "too_slow", 413: "too_large", 429: "busy"}
    return failure(status, what, remedy, codes.get(status, "wrong_request"), headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures a route may answer with, for its OpenAPI description."""
    return {status: {"model": Failure} for status in statuses}


def answer_failures(app: FastAPI, saw: Callable[[BackendError, str], None]) -> None:
    """Every error of `app`'s own routes becomes a Failure; `saw` is told of those of models, with their code."""

    async def of_ours(_: Request, error: Exception) -> Json:
        assert isinstance(error, RagError)
        if isinstance(error, BackendError):
            saw(error, error_code(type(error)))
        return refusal(error)

    app.add_exception_handler(RagError, of_ours)
    app.add_exception_handler(RequestValidationError, _of_shape)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_a_bug)


async def _of_shape(_: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"][1:]) or "the body"
    return failure(422, f"{place}: {first['msg']}", "/docs says what is taken", "wrong_shape")


async def _of_http(_: Request, error: Exception) -> Json:
    assert isinstance(error, HTTPException)
    return plain_failure(error.status_code, error.headers)


async def _of_a_bug(_: Request, error: Exception) -> Json:
    """The traceback goes to stderr, by uvicorn; the answer says only that there is one."""
    return failure(500, "a mistake of this program", "the log of `rag ui` has it; please report it", "bug", _BARE)


_BARE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}  # the guard does not see this one
