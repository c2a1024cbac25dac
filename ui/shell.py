"""Wraps Gradio: lets only the paths through that the page needs, and adds a strict content policy.

Knows ASGI and the parts of Gradio's page; knows no search.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio also has routes that serve files, take uploads, proxy other hosts and call functions. The page uses none of them.
NEEDED = re.compile(r"/(assets/[\w.-]+|static/[\w./-]+|theme\.css|favicon\.ico|manifest\.json)?", re.ASCII)
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


class Shell:
    """ASGI: answers 404 for paths that the page does not need, and adds the policy to the page itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        allowed = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and NEEDED.fullmatch(path)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif not allowed or ".." in path:
            await PlainTextResponse("There is nothing at this address.\n", status_code=404)(scope, receive, send)
        elif path == "/":
            await self._app(scope, receive, _with_policy(send))
        else:
            await self._app(scope, receive, send)


def _with_policy(send: Send) -> Send:
    """`send` that holds the page back until it is complete, then sends it with its policy."""
    started: Message = {}
    body = bytearray()

    async def send_whole(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        headers = [
            *started["headers"],
            (b"content-security-policy", policy(bytes(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({**started, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(body)})

    return send_whole
