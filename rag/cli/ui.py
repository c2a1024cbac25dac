"""`rag ui`: the web page, the HTTP API and MCP in one process. Knows options and startup; `rag.api` answers."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.served import say_indexes
from rag.cli.terminal import say

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.api.library import IndexLibrary

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "mcp")


def ui(
    index: Annotated[list[str] | None, typer.Option("--index", "-i", help="Name or address of an index (repeatable).")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 7860,
    token: Annotated[str | None, typer.Option(help="Access key for all clients; better set in RAG_TOKEN.")] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="Another host name of this server, such as a proxy's (repeatable).")
    ] = None,
    browse: Annotated[
        list[Path] | None,
        typer.Option(help="A folder that may be chosen on the page, with all below it (repeatable). Default: your home."),
    ] = None,
    page: Annotated[bool, typer.Option(help="Serve the web page besides the API.")] = True,
    open: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Open the web page; the same process serves the HTTP API and MCP. For this machine only, unless --host says otherwise.

    Several processes may serve one index behind a balancer, which asks GET /readyz. Searching works whichever answers; what
    manages (uploads, runs) and gradio_client's endpoints must stay with one: let the balancer send each client to one process.
    """
    from rag.config import load_settings
    from rag.errors import MissingExtra, WrongRequest

    missing = next((one for one in NEEDED if find_spec(one) is None), None)
    if missing:
        raise MissingExtra(f"`rag ui` needs the package {missing}, which is not installed", "ui")

    from rag.api.app import create_app
    from rag.api.guard import trust
    from rag.api.keys import key_file
    from rag.api.library import IndexLibrary
    from rag.api.login import OneTimeCodes
    from rag.api.server import address, announced, bind, listen

    settings = load_settings({"token": token})
    trusted = trust(host, port, settings.token, name or ())
    library = IndexLibrary(index or [], settings, token=settings.token, say=say)
    codes = OneTimeCodes()
    for folder in browse or ():
        if not folder.is_dir():
            raise WrongRequest(f"--browse {folder}: is not a folder", remedy="name a folder that exists")
    app = create_app(library, trusted, codes, browse or (), key_file(settings.keys))
    shown = page and _mount(app, library)
    remedy = "choose a folder on the page, or run: rag index FOLDER" if shown else "create it with: rag index FOLDER"
    say_indexes(library.rooms.values(), remedy)

    def started() -> None:
        say(f"{'open' if shown else 'the API is at'} {address(trusted, trusted.start_key)}   (Ctrl-C stops it)")
        if trusted.token:
            say(f"for others, to search only: {address(trusted, trusted.token)}")
        if open and shown:
            import webbrowser

            webbrowser.open(f"{address(trusted)}?code={codes.make()}")  # other users can read the key on a command line

    bound = bind(trusted)
    with announced(library, trusted, say):
        listen(app, bound, started)


def _mount(app: FastAPI, library: IndexLibrary) -> bool:
    """Mounts the page at /, imported by name, because `rag` must not depend on `ui`. False if it is not installed."""
    if find_spec("gradio") is None or find_spec("ui.page") is None:
        say("the page is not installed; serving the API only")
        return False
    import_module("ui.page").mount(app, library.token)
    return True
