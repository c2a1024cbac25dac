"""The web page: Gradio's shell with two tabs, filled in the browser by the modules of `ui/static`.

Knows Gradio and where the page's own files are; knows no search: the page uses the HTTP API like any other client.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from ui.files import static_routes
from ui.later import Later
from ui.shell import Shell

if TYPE_CHECKING:
    from fastapi import FastAPI

FONTS = ["system-ui", "sans-serif"]
MONOSPACED = ["ui-monospace", "monospace"]
MOST_UPLOAD = 1  # bytes: the page uploads nothing to Gradio, and `Shell` keeps its upload route closed


def mount(app: FastAPI, served: object = None) -> None:
    """Mounts the page at every path of `app` that has no route of its own, so call it last. `served` is ignored.

    Returns at once: Gradio is imported in a thread while the API already answers.
    """
    import numpy  # noqa: F401 (a search imports it too: two threads must not import it at once)

    static_routes(app)
    app.mount("/", Later(lambda: Shell(_gradio_app())))


def _gradio_app() -> FastAPI:
    """The Gradio application, without contact to other hosts: no analytics, no history, no remote fonts."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"
    os.environ.setdefault("GRADIO_TEMP_DIR", tempfile.mkdtemp(prefix="rag-gradio-"))  # mkdtemp: mode 0700
    import gradio as gr
    from fastapi import FastAPI

    theme = gr.themes.Base(font=FONTS, font_mono=MONOSPACED)
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        _blocks(),
        "/",
        theme=theme,
        head=HEAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        show_error=False,
        max_file_size=MOST_UPLOAD,
    )
    return app


def _blocks() -> Any:
    """Two tabs with an empty column each. No `gr.HTML`: its templates are compiled in the browser, which needs 'unsafe-eval'."""
    import gradio as gr

    with gr.Blocks(title="rag", analytics_enabled=False) as blocks, gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
        for name, label in (("search", "Search"), ("index", "Index")):
            with gr.Tab(label, id=name, elem_id=f"tab-{name}"):
                gr.Column(elem_id=f"rag-{name}")
    return blocks


SHEETS = ("base", "search", "viewer", "indexing")
HEAD = (
    "".join(f'<link rel="stylesheet" href="/page/{name}.css">' for name in SHEETS)
    + '<meta name="color-scheme" content="light dark"><link rel="icon" type="image/svg+xml" href="/page/mark.svg">'
    + '<script type="module" src="/page/page.js"></script>'
)
