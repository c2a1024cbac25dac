"""Loads an application while the server already answers: Gradio takes some seconds to import.

Knows ASGI and a thread; knows neither Gradio nor the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

LOADING = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>rag</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{font:17px/1.6 system-ui,sans-serif;display:grid;place-content:center;height:90vh;margin:0;text-align:center}</style>
<main role="status">Loading the page…<br>This takes a few seconds after startup.<br>
<span lang="zh-CN">正在加载页面…</span></main></html>
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Later:
    """ASGI: what `make` returns, an application to answer with and the one whose lifespan that needs, or None.

    Until it is ready, a browser gets a page that reloads; other clients wait.
    """

    def __init__(self, make: Callable[[], tuple[ASGIApp, Starlette | None]]) -> None:
        threads = ThreadPoolExecutor(1, "rag-page")
        self._made = threads.submit(make)
        self._started: asyncio.Task[ASGIApp] | None = None
        threads.shutdown(wait=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import HTMLResponse

        if not self._made.done() and scope["type"] == "http" and _wants_a_page(scope):
            headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
            await HTMLResponse(LOADING, headers=headers)(scope, receive, send)
            return
        if self._started is None:
            self._started = asyncio.create_task(self._start())
        app = await asyncio.shield(self._started)
        await app(scope, receive, send)

    async def _start(self) -> ASGIApp:
        """The application, after its lifespan has begun: servers run only the lifespan of the outermost one."""
        app, alive = await asyncio.wrap_future(self._made)
        if alive is None:
            return app
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._alive = asyncio.create_task(_live(alive, begun))  # ends with the loop
        await begun
        return app


async def _live(app: Starlette, begun: asyncio.Future[None]) -> None:
    """Keeps the lifespan of an application open until the loop ends."""
    async with app.router.lifespan_context(app):
        begun.set_result(None)
        await asyncio.Event().wait()


def _wants_a_page(scope: Scope) -> bool:
    accepted: bytes = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accepted
