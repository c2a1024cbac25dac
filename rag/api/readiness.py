"""GET /readyz: whether this process can answer searches now, for balancers: 503 with the reason while an index is gone.

Knows the served indexes; knows no balancer. It has a thread of its own: while searches queue, the process is busy and not gone.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from rag.api.grants import current_grant
from rag.api.guard import KNOWN
from rag.api.library import IndexLibrary
from rag.api.responses import Failure, Json
from rag.api.thread_pool import RequestPool
from rag.errors import RagError
from rag.serialization import error_code, failure_json

RETRY_SECONDS = 5


class Readiness(BaseModel):
    """Every served index is there."""

    status: Literal["ready"]
    generations: dict[str, int] = Field(description="The last commit of each index; empty without a key that may see all.")


def router(library: IndexLibrary, readiness_pool: RequestPool) -> APIRouter:
    """The route. `readiness_pool` has one thread, which nothing else uses."""
    routes = APIRouter(tags=["server"])

    @routes.get("/readyz", response_model=Readiness, responses={503: {"model": Failure}})
    async def readyz(request: Request) -> Json:
        """Whether every index can be searched now. Needs no key; who sends one is also told which index, and why."""
        try:
            found = await readiness_pool.take(_generations, library)
        except RagError as error:
            return _unready(error, is_known=_is_told(request))
        return Json({"status": "ready", "generations": found if _is_told(request) else {}})

    return routes


def _generations(library: IndexLibrary) -> dict[str, int]:
    """The last commit of every index that the key of the request may know. Errors as `IndexLibrary.reader`."""
    return {name: library.reader(name).generation for name in library.names}


def _is_told(request: Request) -> bool:
    """Whether the key of the request may see all that this server has, so that it may also be told what is wrong."""
    return bool(request.scope.get(KNOWN)) and not current_grant().is_limited


def _unready(error: RagError, *, is_known: bool) -> Json:
    """The response: the reason, which may name folders and hosts, only to who may search; its code to everybody."""
    body: dict[str, Any] = failure_json(error)
    if not is_known:
        what = "an index of this server cannot be searched now"
        body = {"what": what, "remedy": "ask with a key to learn which and why", "code": error_code(type(error))}
    return Json({"error": body}, 503, {"Retry-After": str(RETRY_SECONDS)})
