"""JSON responses and errors: any file name survives, and an error is what, remedy and code, never a traceback.

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
from rag.api.management import StartKeyNeeded
from rag.api.thread_pool import Busy, Ending, TookTooLong
from rag.errors import BackendError, RagError
from rag.serialization import error_code

# The first match counts: subclasses before their base classes.
_STATUS: tuple[tuple[type[RagError], int], ...] = (
    (Busy, 429),
    (TookTooLong, 504),
    (Ending, 503),
    (errors.NoSuchIndex, 404),
    (NoSuchJob, 404),
    (errors.NoSuchPassage, 404),
    (errors.NotShown, 404),
    (errors.TooLarge, 413),
    (StartKeyNeeded, 401),
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
_BUILDING_SECONDS = 30  # after which to ask again for an index that is not searched while it is built
_HTTP = {
    400: ("the request cannot be read", "/docs describes valid requests"),
    401: (
        "this server requires a key",
        "send `Authorization: Bearer KEY`, or open the address with ?token=KEY that `rag ui` printed",
    ),
    403: (
        "the request comes from another site, or its Host is not a name of this server",
        "use the address that `rag ui` printed, or give the name with --name",
    ),
    404: ("there is nothing at this address", "/docs lists all addresses"),
    405: ("this address does not support that method", "/docs lists the methods"),
    408: ("the body of the request did not arrive in time", "send it again, or send less"),
    413: ("the request is too large", "send less; 2,000 pixels a side are enough for a query picture"),
    429: ("other requests are sending too much at the moment", "try again in a second"),
}


class ErrorBody(BaseModel):
    """What went wrong, what to do about it, and a code for programs."""

    what: str
    remedy: str
    code: str


class Failure(BaseModel):
    """The body of every error response."""

    error: ErrorBody


class Json(JSONResponse):
    """JSON in ASCII: names that are not UTF-8 contain lone surrogates, which only escapes can carry."""

    def render(self, content: Any) -> bytes:
        """The body. ValueError for a number that JSON does not have, such as NaN."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def failure(status: int, what: str, remedy: str, code: str, headers: Mapping[str, str] | None = None) -> Json:
    """An error response."""
    return Json({"error": {"what": what, "remedy": remedy, "code": code}}, status, headers)


def refusal(error: RagError) -> Json:
    """The response for one of our errors; `code` is its class in snake case, such as `wrong_request`."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    seconds = _BUILDING_SECONDS if isinstance(error, errors.IndexBuilding) else 1
    headers = {"Retry-After": str(seconds)} if status in (429, 503) else None
    return failure(status, error.what, error.remedy, error_code(type(error)), headers)


def plain_failure(status: int, headers: Mapping[str, str] | None = None) -> Json:
    """The response for a request that is refused at the level of HTTP."""
    what, remedy = _HTTP.get(status, (f"refused with status {status}", "/docs describes valid requests"))
    codes = {401: "no_key", 403: "foreign", 404: "not_found", 405: "wrong_method", 408: "too_slow", 413: "too_large", 429: "busy"}
    return failure(status, what, remedy, codes.get(status, "wrong_request"), headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, for its OpenAPI description."""
    return {status: {"model": Failure} for status in statuses}


def answer_failures(app: FastAPI, on_model_error: Callable[[BackendError, str], None]) -> None:
    """Makes every error of `app`'s own routes a Failure; calls `on_model_error` with those of models and their code."""

    async def answer_our_error(_: Request, error: Exception) -> Json:
        assert isinstance(error, RagError)
        if isinstance(error, BackendError):
            on_model_error(error, error_code(type(error)))
        return refusal(error)

    app.add_exception_handler(RagError, answer_our_error)
    app.add_exception_handler(RequestValidationError, _answer_wrong_shape)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_bug)


async def _answer_wrong_shape(_: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"][1:]) or "the body"
    return failure(422, f"{place}: {first['msg']}", "/docs describes valid requests", "wrong_shape")


async def _answer_http_error(_: Request, error: Exception) -> Json:
    assert isinstance(error, HTTPException)
    return plain_failure(error.status_code, error.headers)


async def _answer_bug(_: Request, error: Exception) -> Json:
    """The traceback goes to stderr, by uvicorn; the answer says only that there is one."""
    return failure(500, "this program has a bug", "the log of `rag ui` shows it; please report it", "bug", _BUG_HEADERS)


_BUG_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}  # the guard does not see this response
