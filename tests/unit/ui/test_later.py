"""The page while Gradio is still being imported: a browser sees a loading page, other clients wait."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("starlette")

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from ui.later import Later


def test_a_browser_sees_a_loading_page_and_other_clients_wait() -> None:
    ready = threading.Event()

    lives: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        lives.append("begun")
        yield

    def make() -> tuple[ASGIApp, Starlette]:
        assert ready.wait(20)
        return PlainTextResponse("the page"), Starlette(lifespan=lifespan)

    outer = Starlette(routes=[Mount("/", Later(make))])
    with TestClient(outer) as client:  # one event loop for all requests, as a server has
        early = client.get("/?q=harbour", headers={"Accept": "text/html,*/*"})
        assert early.status_code == 200
        assert "Loading the page" in early.text and 'http-equiv="refresh"' in early.text
        assert early.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in early.headers["content-security-policy"]
        threading.Timer(0.1, ready.set).start()
        assert client.get("/assets/index.js", headers={"Accept": "*/*"}).text == "the page"
        assert client.get("/", headers={"Accept": "text/html"}).text == "the page"
        assert lives == ["begun"]  # once, though the server runs only the lifespan of the outermost application


def test_a_failed_import_is_an_error_and_not_an_endless_wait() -> None:
    def make() -> tuple[ASGIApp, None]:
        raise ImportError("no gradio")

    later = Later(make)
    with pytest.raises(ImportError, match="no gradio"):
        TestClient(later).get("/", headers={"Accept": "*/*"})
