"""Builds the application from its routes, guard and error handlers.

Knows the routers of this package; knows no page: `rag ui` mounts it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Response
from starlette.routing import Route

from rag import __version__
from rag.api import ask, desktop, folders, indexes, media, passages, readiness, rerank, search
from rag.api.allowed_folders import AllowedFolders
from rag.api.docs_page import manual
from rag.api.guard import Guard, Trust, is_loopback
from rag.api.jobs import Jobs
from rag.api.keys import KeyFile
from rag.api.library import IndexLibrary
from rag.api.login import OneTimeCodes
from rag.api.metrics import CONTENT_TYPE, Counted, Meters
from rag.api.responses import Json, answer_failures
from rag.api.thread_pool import RequestPool
from rag.mcp.server import OverHttp, create_server
from rag.media.desktop import has_desktop
from rag.media.service import MediaService


def create_app(
    library: IndexLibrary,
    trust: Trust | None = None,
    codes: OneTimeCodes | None = None,
    browse: Sequence[Path] = (),
    keys: KeyFile | None = None,
) -> FastAPI:
    """The API over `library`, guarded by `trust`; by default on loopback, port 7860, with the key of `library`.

    `codes` are one-time codes that let a browser in like the key of this start; `browse` are the folders that this key opens,
    by default the user's home; `keys` are further keys, which may be limited.
    """
    allowed = AllowedFolders(browse or [Path.home()], [room.uploads for room in library.rooms.values()])
    request_pool = RequestPool(threads=max(2, os.cpu_count() or 2))
    jobs = Jobs(library.look_again)
    meters = Meters(library, request_pool, jobs)
    media_pool = RequestPool(threads=6, timeout=200.0)  # pictures and videos: searches must not wait for a decoder
    readiness_pool = RequestPool(threads=1)
    media_service = MediaService()
    writers = ask.Writers()
    agents = OverHttp(create_server(library, media_service, request_pool.take, media_pool.take))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with agents.running():
            yield
        jobs.close()
        request_pool.close()
        media_pool.close()
        readiness_pool.close()
        writers.close()
        media_service.close()
        library.close()

    app = FastAPI(
        title="rag",
        version=__version__,
        description="One index and one ranked list over text, PDFs, images, screenshots and videos.",
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        lifespan=lifespan,
    )
    answer_failures(app, meters.count_error)
    trust = trust or Trust("127.0.0.1", 7860, library.token)
    is_local = is_loopback(trust.host)
    app.add_middleware(Guard, trust=trust, codes=codes or OneTimeCodes(), keys=keys)
    app.add_middleware(Counted, meters=meters)  # outside the guard: refused requests count too
    app.include_router(search.router(library, media_service, request_pool, meters.count_search))
    app.include_router(ask.router(library, request_pool, writers, meters.count_error))
    app.include_router(indexes.router(library, request_pool, jobs, allowed))
    app.include_router(folders.router(library, request_pool, allowed, opens=is_local and has_desktop()))
    app.include_router(rerank.router(library, request_pool))
    app.include_router(media.router(library, media_service, media_pool))
    app.include_router(passages.router(library, media_service, media_pool))
    app.include_router(desktop.router(library, media_pool, is_local=is_local))

    app.include_router(readiness.router(library, readiness_pool))

    app.router.routes.append(Route("/mcp", agents))  # a route, not a mount: its path has no trailing slash

    @app.get("/healthz", tags=["server"])
    async def healthz() -> dict[str, str]:
        """Whether this process answers."""
        return {"status": "ok", "id": library.id}

    @app.get("/metrics", tags=["server"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(await request_pool.take(meters.text), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return manual(app.openapi())

    return app
