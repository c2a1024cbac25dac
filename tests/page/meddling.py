"""A page over the real API with a connection that a test meddles with: to count, to hold an answer back, to let one fail."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from rag.config import load_settings
from ui.connection import Connection, Refused, in_process
from ui.files import static_routes
from ui.later import Later
from ui.page import gradio_app


class Meddling:
    """Passes everything on to the API. `searches` are the requests; `fail` and `hold` concern searches that are reranked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.searches: list[Mapping[str, Any]] = []
        self.fail: Mapping[str, str] | None = None
        self.hold: threading.Event | None = None
        self.change: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer

    def visited_with(self, cookies: str) -> Connection:
        return self._connection.visited_with(cookies)

    async def get(self, path: str, **values: str | int | None) -> Any:
        return await self._connection.get(path, **values)

    async def delete(self, path: str) -> Any:
        return await self._connection.delete(path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        if path != "/v1/search":
            return await self._connection.post(path, body)
        self.searches.append(body)
        if not body["rerank"]:
            return await self._connection.post(path, body)
        if self.fail is not None:
            raise Refused(self.fail)
        answer = self.change(await self._connection.post(path, body))
        while self.hold is not None and not self.hold.is_set():
            await asyncio.sleep(0.02)
        return answer


@contextmanager
def serving_page(index: Path) -> Iterator[tuple[str, Meddling]]:
    """The address of a page over that index, and its connection."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        port = bound.getsockname()[1]
        app = create_app(IndexLibrary([str(index)], load_settings({})), Trust("127.0.0.1", port))
        meddling = Meddling(in_process(app))
        static_routes(app)
        app.mount("/", Later(lambda: gradio_app(meddling)))  # type: ignore[arg-type]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", meddling
        server.should_exit = True
        thread.join(20)
