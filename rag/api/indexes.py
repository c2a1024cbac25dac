"""Routes for indexes and indexing jobs: /v1/indexes, /v1/status, /v1/index.

Knows open indexes and jobs; knows no search. Starting and stopping runs needs the key of this start.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from rag.api.allowed_folders import AllowedFolders
from rag.api.grants import current_grant
from rag.api.jobs import Job, Jobs, job_json, outside_job
from rag.api.library import IndexLibrary
from rag.api.management import needs_start_key
from rag.api.responses import ErrorBody, Json, documented
from rag.api.thread_pool import RequestPool
from rag.corpus.sources import is_there
from rag.errors import IndexFailure, IndexNotFound, WrongRequest
from rag.serialization import failure_json, status_json

POLL_SECONDS = 0.2  # between two looks at a job
HEARTBEAT_SECONDS = 15.0  # of silence in a stream of events, until it shows that it is alive
MOST_FOLDERS = 100
MOST_SKIPPED = 1_000  # skipped files in one answer
_Index = Annotated[str | None, Query(max_length=4_096, description="Which index. Default: the first.")]


class RootInfo(BaseModel):
    """A root: its name, its folder, and whether the folder exists now."""

    name: str
    folder: str
    present: bool


class JobStatus(BaseModel):
    """An indexing job: its progress and its end."""

    id: str
    index: str
    root: str | None
    state: Literal["running", "done", "stopped", "failed"]
    stopping: bool
    process: int | None = Field(description="The number of the process, where this server did not start it and cannot stop it.")
    done: int
    total: int
    counted: bool = Field(description="False while folders are still being scanned: `total` is the number found so far.")
    folder: int = Field(description="Number of the folder that the counts and the time left are for, from 1.")
    folders: int = Field(description="How many folders the job brings up to date.")
    current: str = Field(description="The document being read.")
    passages: float
    documents_per_second: float
    passages_per_second: float
    megabytes_per_second: float
    tokens_per_second: float
    seconds_left: float | None
    stages: dict[str, float] = Field(description="Share of its time that each stage waits for the others.")
    readers: dict[str, int] = Field(description="Processes that read files, by machine.")
    seconds: float
    report: dict[str, Any] | None
    error: ErrorBody | None


class IndexInfo(BaseModel):
    """One served index. If it does not exist yet or cannot be read, its counts are 0 and `problem` says why."""

    name: str
    folder: str
    exists: bool
    documents: int
    passages: int
    kinds: dict[str, int]
    folders: dict[str, int] = Field(
        description='Documents by the first folder of their path, the 100 largest; "": the root itself.'
    )
    model: str | None
    roots: list[RootInfo]
    generation: int
    job: str | None = Field(description="The job of this server that is running for it.")
    run: JobStatus | None = Field(description="A run that was started elsewhere, in a terminal or by --watch, and goes on now.")
    problem: ErrorBody | None


class JobRequest(BaseModel):
    """What to bring up to date."""

    model_config = ConfigDict(extra="forbid")

    index: str | None = Field(None, max_length=4_096)
    root: str | None = Field(None, max_length=4_096, description="The name of one of its roots. Default: all of them.")
    folder: str | None = Field(
        None, max_length=4_096, description="Instead: a folder that GET /v1/folders shows; the index is made if need be."
    )


class JobCreated(BaseModel):
    """The id of the job."""

    job: str


def router(library: IndexLibrary, request_pool: RequestPool, jobs: Jobs, allowed: AllowedFolders) -> APIRouter:
    """The routes of indexes and jobs."""
    routes = APIRouter(prefix="/v1", tags=["indexes"])
    managed = [Depends(needs_start_key)]

    @routes.get("/indexes", response_model=list[IndexInfo], responses=documented(429, 504))
    async def indexes() -> Json:
        """Every index this server knows."""
        return Json([await request_pool.take(_index_info, library, jobs, name) for name in library.names])

    @routes.get("/status", response_model=dict[str, Any], responses=documented(404, 409, 422, 429, 503, 504))
    async def status(index: _Index = None) -> Json:
        """What an index holds: the JSON of `rag status`, with the running job; at most 1,000 skipped files."""
        return Json(await request_pool.take(_status, library, jobs, index))

    @routes.post(
        "/index",
        status_code=202,
        response_model=JobCreated,
        dependencies=managed,
        responses=documented(400, 401, 404, 409, 422, 429, 503, 504),
    )
    async def start(request: JobRequest) -> Json:
        """Index a folder, or bring one root of the index, or all, up to date. 409 if a job is already running."""
        job = await request_pool.take(_start, library, jobs, allowed, request)
        return Json({"job": job.id}, 202)

    @routes.get("/index/jobs/{id}", response_model=JobStatus, responses=documented(404, 422))
    async def job(id: str) -> Json:
        """The progress of a job."""
        return Json(job_json(jobs.get(id)))

    @routes.delete(
        "/index/jobs/{id}",
        status_code=202,
        response_model=JobStatus,
        dependencies=managed,
        responses=documented(401, 404, 422),
    )
    async def stop(id: str) -> Json:
        """Stop a job like Ctrl-C: finished work is committed, and the next job continues from there."""
        return Json(job_json(jobs.stop(id)), 202)

    @routes.get(
        "/index/events/{id}",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **documented(404, 422)},
    )
    async def events(id: str) -> StreamingResponse:
        """The progress of a job as server-sent events, one for each change; the last is named `end`."""
        return StreamingResponse(_events(jobs.get(id)), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return routes


async def _events(job: Job) -> AsyncIterator[str]:
    sent, since = -1, time.monotonic()
    while True:
        changes, running = job.changes, job.state == "running"
        if changes != sent or not running:
            sent, since = changes, time.monotonic()
            yield f"event: {'progress' if running else 'end'}\ndata: {json.dumps(job_json(job))}\n\n"
            if not running:
                return
        elif time.monotonic() - since > HEARTBEAT_SECONDS:
            since = time.monotonic()
            yield ": alive\n\n"
        await asyncio.sleep(POLL_SECONDS)


def _start(library: IndexLibrary, jobs: Jobs, allowed: AllowedFolders, request: JobRequest) -> Job:
    if request.folder is not None:
        if request.root is not None:
            raise WrongRequest("a root and a folder were given", remedy="give one of them")
        name = library.name(request.index)
        return jobs.start(name, library.room(name).place, None, [allowed.checked(request.folder)])
    known = library.searcher(request.index).index.roots()
    if request.root is not None and request.root not in known:
        raise WrongRequest(f"no root is called {request.root!r}", remedy=f"the roots are: {', '.join(sorted(known))}")
    roots = [] if request.root is None else [known[request.root]]
    return jobs.start(library.name(request.index), library.room(request.index).place, request.root, roots)


def _status(library: IndexLibrary, jobs: Jobs, index: str | None) -> dict[str, Any]:
    found = status_json(library.status(index))
    return found | {
        "index": library.name(index),
        "skipped": found["skipped"][:MOST_SKIPPED],
        "unread": found["unread"][:MOST_SKIPPED],
        "skipped_count": len(found["skipped"]),
        "job": _running(jobs, library.name(index)),
    }


def _index_info(library: IndexLibrary, jobs: Jobs, name: str) -> dict[str, Any]:
    own, place = _running(jobs, name), library.room(name).place
    run = outside_job(name, place) if own is None and not current_grant().is_limited else None
    info: dict[str, Any] = {"name": name, "folder": str(place), "job": own, "run": run}
    try:
        found = library.status(name)
    except IndexFailure as error:
        nothing: dict[str, Any] = {
            "documents": 0,
            "passages": 0,
            "kinds": {},
            "folders": {},
            "model": None,
            "roots": [],
            "generation": 0,
        }
        return info | nothing | {"exists": not isinstance(error, IndexNotFound), "problem": failure_json(error)}
    return info | {
        "exists": True,
        "problem": None,
        "documents": found.documents,
        "passages": sum(found.passages.values()),
        "kinds": {kind: count for kind, count in found.passages.items() if count},
        "folders": dict(islice(found.folders.items(), MOST_FOLDERS)),
        "model": found.fingerprint.model,
        "roots": [{"name": root, "folder": str(folder), "present": is_there(folder)} for root, folder in found.roots.items()],
        "generation": found.generation,
    }


def _running(jobs: Jobs, index: str) -> str | None:
    """Of a limited key's request nothing: a run goes over the whole index, and its progress names documents."""
    if current_grant().is_limited:
        return None
    job = jobs.of(index)
    return job.id if job is not None and job.state == "running" else None
