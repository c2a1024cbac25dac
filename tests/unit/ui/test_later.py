"""The page while Gradio is still being imported: a browser sees a loading page, other clients wait."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("starlette")

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from ui.later import Later


def test_a_browser_sees_a_loading_page_and_other_clients_wait() -> None:
    ready = threading.Event()

    def make() -> ASGIApp:
        assert ready.wait(20)
        return PlainTextResponse("the page")

    client = TestClient(Later(make))
    early = client.get("/?q=harbour", headers={"Accept": "text/html,*/*"})
    assert early.status_code == 200
    assert "Loading the page" in early.text and 'http-equiv="refresh"' in early.text
    assert early.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in early.headers["content-security-policy"]
    threading.Timer(0.1, ready.set).start()
    assert client.get("/assets/index.js", headers={"Accept": "*/*"}).text == "the page"
    assert client.get("/", headers={"Accept": "text/html"}).text == "the page"


def test_a_failed_import_is_an_error_and_not_an_endless_wait() -> None:
    def make() -> ASGIApp:
        raise ImportError("no gradio")

    later = Later(make)
    with pytest.raises(ImportError, match="no gradio"):
        TestClient(later).get("/", headers={"Accept": "*/*"})
