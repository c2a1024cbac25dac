"""The application: routes, guard and errors put together.

Knows the routers of this room; knows no page: `rag ui` mounts that one.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from starlette.routing import Route

from rag import __version__
from rag.api import indexes, media, passages
from rag.api import rerank as reranks
from rag.api import search as searches
from rag.api.docs_page import manual
from rag.api.guard import Guard, Trust
from rag.api.jobs import Jobs
from rag.api.library import IndexLibrary
from rag.api.login import OneTimeCodes
from rag.api.metrics import CONTENT_TYPE, Counted, Meters
from rag.api.responses import Json, answer_failures
from rag.api.thread_pool import RequestPool
from rag.mcp import server as mcp
from rag.media.service import MediaService


def create_app(served: IndexLibrary, trust: Trust | None = None, codes: OneTimeCodes | None = None) -> FastAPI:
    """The API over `served`, guarded as `trust` says; without one it is for loopback, port 7860, with `served.token`.

    A browser that comes with one of `codes` gets in as with the key.
    """
    turns = RequestPool(threads=max(2, os.cpu_count() or 2))
    jobs = Jobs()
    meters = Meters(served, turns, jobs)
    looking = RequestPool(threads=6, patience=200.0)  # those who look at pictures and videos: searches do not wait for a decoder
    projector = MediaService()
    agents = mcp.OverHttp(mcp.server(served, projector, turns.take, looking.take))

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        async with agents.living():
            yield
        jobs.close()
        turns.close()
        looking.close()
        projector.close()
        served.close()

    app = FastAPI(
        title="rag",
        version=__version__,
        description="One index and one ranked list over text, PDFs, images, screenshots and videos.",
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        lifespan=living,
    )
    answer_failures(app, meters.saw_error)
    app.add_middleware(Guard, trust=trust or Trust("127.0.0.1", 7860, served.token), codes=codes or OneTimeCodes())
    app.add_middleware(Counted, meters=meters)  # around the guard: refusals count too
    app.include_router(searches.router(served, projector, turns, meters.saw_search))
    app.include_router(indexes.router(served, turns, jobs))
    app.include_router(reranks.router(served, turns))
    app.include_router(media.router(served, projector, looking))
    app.include_router(passages.router(served, projector, looking))

    app.router.routes.append(Route("/mcp", agents))  # not mounted: its address has no slash behind it

    @app.get("/healthz", tags=["server"])
    async def healthz() -> dict[str, str]:
        """Whether this process answers."""
        return {"status": "ok", "id": served.id}

    @app.get("/metrics", tags=["server"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(await turns.take(meters.text), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return manual(app.openapi())

    return app
