"""Serves the page's own scripts, styles and icon, each with its exact media type.

Knows the folder `ui/static` as it was at startup; knows nothing of the corpus.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page, in memory."""

    content: bytes
    type: str
    tag: str  # changes with the content, for If-None-Match


def static_files() -> Mapping[str, StaticFile]:
    """The files by name: no others can be requested."""
    found = {}
    for file in files("ui").joinpath("static").iterdir():
        kind = TYPES.get(f".{file.name.rpartition('.')[2]}")
        if kind is not None:
            content = file.read_bytes()
            found[file.name] = StaticFile(content, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found


def static_routes(app: FastAPI) -> None:
    """Adds the route `/page/NAME`, answered from memory; 304 if the browser has the file already."""
    from fastapi import Request
    from starlette.exceptions import HTTPException
    from starlette.responses import Response

    known = static_files()

    async def page_file(request: Request) -> Response:
        """A file of the page."""
        file = known.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.type, headers=headers)

    app.add_route("/page/{name}", page_file, methods=["GET", "HEAD"], include_in_schema=False)
