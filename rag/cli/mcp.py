"""`rag mcp`: the MCP server on stdin and stdout. Knows options and startup; `rag.mcp.server` answers."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from typing import Annotated

import typer

from rag.cli.served import say_indexes
from rag.cli.terminal import say


def mcp(
    index: Annotated[list[str] | None, typer.Option("--index", "-i", help="Name or address of an index (repeatable).")] = None,
) -> None:
    """Let an agent search: run the MCP server on stdin and stdout, until stdin ends."""
    from rag.config import load_settings
    from rag.errors import MissingExtra

    if find_spec("mcp") is None:
        raise MissingExtra("`rag mcp` needs the package mcp, which is not installed", "ui")

    from rag.api.library import IndexLibrary
    from rag.api.thread_pool import RequestPool
    from rag.mcp.server import create_server
    from rag.media.service import MediaService

    library = IndexLibrary(index or [], load_settings({}), say=say)
    say_indexes(library.rooms.values(), "create it with: rag index FOLDER")
    request_pool = RequestPool(threads=max(2, os.cpu_count() or 2))
    try:
        with MediaService() as media_service:
            create_server(library, media_service, request_pool.take, request_pool.take).run("stdio")
    finally:
        with suppress(OSError):  # text that a library printed may still be buffered: it must not reach the protocol
            os.dup2(2, 1)
        request_pool.close()
        library.close()
