"""Serves the page's own style, icon and messages, and the built components, from memory, each with its exact media type.

Knows the folders `ui/static` and `ui/components/templates` as they were at startup; knows nothing of the corpus.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page, in memory."""

    content: bytes
    type: str
    tag: str  # changes with the content, for If-None-Match


def static_files() -> Mapping[str, StaticFile]:
    """The files of `ui/static` by name: no others can be requested."""
    return _files_in(files("ui").joinpath("static"))


def component_files() -> Mapping[str, StaticFile]:
    """The built components by the end of the address that Gradio asks for: `ID/client/component/index.js`.

    Gradio's own route for them prints a line for every request.
    """
    from ui.components import every_component

    found = {}
    for component in every_component():
        built = files("ui.components").joinpath(component.TEMPLATE_DIR, "component")
        for name, file in _files_in(built).items():
            found[f"{component.get_component_class_id()}/client/component/{name}"] = file
    return found


def static_routes(app: FastAPI) -> None:
    """Adds the route `/page/NAME`, answered from memory; 304 if the browser has the file already."""
    from starlette.exceptions import HTTPException

    known = static_files()

    async def page_file(request: Request) -> Response:
        """A file of the page."""
        file = known.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        return file_response(file, request.headers.get("if-none-match"))

    app.add_route("/page/{name}", page_file, methods=["GET", "HEAD"], include_in_schema=False)


def file_response(file: StaticFile, known_tag: str | None) -> Response:
    """The file, or 304 if the browser has it already."""
    from starlette.responses import Response

    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'"}
    if known_tag == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.type, headers=headers)


def _files_in(folder: Traversable) -> dict[str, StaticFile]:
    found = {}
    for file in folder.iterdir():
        kind = TYPES.get(f".{file.name.rpartition('.')[2]}")
        if kind is not None:
            content = file.read_bytes()
            found[file.name] = StaticFile(content, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found
