"""Wraps Gradio: lets only the routes through that the page and its clients need, and adds a strict content policy.

Knows ASGI and Gradio's routes; knows no search.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ui.files import StaticFile, file_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a browser and `gradio_client` need: the page with its scripts, its configuration, the events of the page, and the queue.
# Gradio also has routes that serve files, take uploads, proxy other hosts, stream media, run functions by their names, and
# edit the application. None of them is open.
_NAMED = "search|similar|ask|status"  # the endpoints of `endpoints`
_SESSION = r"[\w-]{1,64}"
READ = re.compile(
    r"/(assets/[\w.-]+|static/[\w./-]+|theme\.css|favicon\.ico|manifest\.json|config/?|gradio_api/(theme\.css|info/?|startup-events|app_id/?"
    rf"|queue/data|heartbeat/{_SESSION}|call/({_NAMED})/{_SESSION}))?",
    re.ASCII,
)
COMPONENTS = "/gradio_api/custom_component/"
WRITE = re.compile(rf"/gradio_api/(run/predict|queue/join|cancel|reset|call/({_NAMED}))/?", re.ASCII)
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.S)
_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; object-src 'none'; frame-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


def policy(page: bytes) -> str:
    """The Content-Security-Policy of a Gradio page: its own inline scripts are allowed by hash, no others.

    Styles stay 'unsafe-inline': Gradio and Svelte set them as attributes, which have no hashes.
    """
    hashes = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _INLINE.findall(page))
    return _POLICY.format(scripts=" ".join(f"'sha256-{one}'" for one in hashes))


def is_open(method: str, path: str) -> bool:
    """Whether that route of Gradio is one that the page or `gradio_client` needs."""
    routes = {"GET": READ, "HEAD": READ, "POST": WRITE}.get(method)
    return routes is not None and ".." not in path and routes.fullmatch(path) is not None


class Shell:
    """ASGI: answers 404 for paths that the page does not need, serves our components, and adds the policy to the page itself."""

    def __init__(self, app: ASGIApp, components: Mapping[str, StaticFile], head: str = "") -> None:
        """`components` are the files of `component_files`; `head` goes first into the page: Gradio adds its own too late."""
        self._app = app
        self._head = head.encode()
        self._components = components

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        component = self._components.get(path.removeprefix(COMPONENTS)) if path.startswith(COMPONENTS) else None
        allowed = scope["type"] == "http" and is_open(scope["method"], path)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif component is not None and scope["method"] in ("GET", "HEAD"):
            tag = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
            await file_response(component, tag)(scope, receive, send)
        elif not allowed:
            await PlainTextResponse("There is nothing at this address.\n", status_code=404)(scope, receive, send)
        elif path == "/":
            await self._app(scope, receive, _with_policy(send, self._head))
        else:
            await self._app(scope, receive, send)


def _with_policy(send: Send, head: bytes) -> Send:
    """`send` that holds the page back until it is complete, then sends it with our head and its policy."""
    started: Message = {}
    body = bytearray()

    async def send_whole(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        page = bytes(body).replace(b"<head>", b"<head>" + head, 1)
        headers = [
            *((name, value) for name, value in started["headers"] if name != b"content-length"),
            (b"content-length", str(len(page)).encode()),
            (b"content-security-policy", policy(page).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({**started, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    return send_whole
