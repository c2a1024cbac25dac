"""Mounts the page beside the API of the same process, without contact to other hosts.

Knows Gradio's application and where the page's own files are; the page itself is in `blocks`.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from ui.connection import Connection, in_process
from ui.files import component_files, static_routes
from ui.later import Later
from ui.shell import Shell

if TYPE_CHECKING:
    from fastapi import FastAPI

FONTS = ["system-ui", "sans-serif"]
MONOSPACED = ["ui-monospace", "monospace"]
MOST_UPLOAD = 1  # bytes: the page uploads nothing to Gradio, and `Shell` keeps its upload route closed
HEAD = (
    '<link rel="stylesheet" href="/page/page.css"><meta name="color-scheme" content="light dark">'
    '<link rel="icon" type="image/svg+xml" href="/page/mark.svg">'
)


def mount(app: FastAPI, key: str = "") -> None:
    """Mounts the page at every path of `app` that has no route of its own, so call it last. `key` is the key of the API.

    Returns at once: Gradio is imported in a thread while the API already answers.
    """
    import numpy  # noqa: F401 (a search imports it too: two threads must not import it at once)

    static_routes(app)
    app.mount("/", Later(lambda: gradio_app(in_process(app, key, visitor))))


def visitor() -> dict[str, str] | None:
    """What shows whom the page acts for just now: cookies and key of the request behind an event; None outside of any.

    The page itself has the server's own key, and must not lend it to somebody whose key is limited.
    """
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    if request is None:
        return None
    return {name: value for name in ("cookie", "authorization") if (value := request.headers.get(name))}


def gradio_app(connection: Connection) -> tuple[Shell, FastAPI]:
    """The guarded Gradio application over an API, and the application whose lifespan it needs."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"
    os.environ.setdefault("GRADIO_TEMP_DIR", tempfile.mkdtemp(prefix="rag-gradio-"))  # mkdtemp: mode 0700
    import gradio as gr
    from fastapi import FastAPI

    from ui.blocks import search_page

    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        search_page(connection),
        "/",
        theme=gr.themes.Base(font=FONTS, font_mono=MONOSPACED),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        show_error=False,
        max_file_size=MOST_UPLOAD,
    )
    return Shell(app, component_files(), HEAD), app
