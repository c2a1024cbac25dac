"""Who may ask, and under which headers the answers travel: around every route, the page's and Gradio's too.

Knows HTTP headers; knows no index. Against DNS rebinding the Host must be ours, against other sites the Origin must be the Host,
off loopback everybody needs the key.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.api.body_limits import EACH, BodyLimits
from rag.api.login import OneTimeCodes, asked_for_key, welcome
from rag.api.responses import plain_failure
from rag.errors import WrongRequest

SHORTEST_TOKEN = 16
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OWN = ("/v1/", "/mcp", "/healthz", "/metrics", "/docs", "/openapi.json")  # never kept; all else is the page's
OPEN = frozenset({"/healthz"})  # answered without the key
STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the server listens, by which names it is known, and the key it asks for ("": none)."""

    host: str
    port: int
    token: str = ""
    names: tuple[str, ...] = ()  # other names it may be called by, such as a reverse proxy's


def trust(host: str, port: int, token: str, names: Sequence[str] = ()) -> Trust:
    """WrongRequest where others could reach the server and no key, or a short one, is asked for."""
    if not is_loopback(host) and not token:
        what = f"everybody who reaches {host} could read your files: off loopback a key is needed"
        raise WrongRequest(what, remedy=f"RAG_TOKEN=$(openssl rand -hex 16) rag ui --host {host}")
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        what = f"the key is too easy to guess, or cannot be sent: {SHORTEST_TOKEN} letters and digits or more are needed"
        raise WrongRequest(what, remedy="make one: openssl rand -hex 16")
    return Trust(host, port, token, tuple(names))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware: refuses strangers (403, 401) and huge bodies (413), and puts the headers on what goes out."""

    def __init__(self, app: ASGIApp, trust: Trust, codes: OneTimeCodes) -> None:
        self._app = app
        self._trust = trust
        self._codes = codes
        self._bodies = BodyLimits()
        self._cookie = f"rag_key_{trust.port}"  # cookies know no ports: two servers on one machine must not take each other's
        self._proof = hmac.new(trust.token.encode(), b"cookie", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await refused(scope, receive, _dressed(scope, send))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            with self._bodies.counted(receive) as bounded:
                await self._app(scope, bounded, _dressed(scope, send))

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._known(host) or not _same_site(scope, headers, host):
            return plain_failure(403)
        if not self._trust.token or scope["path"] in OPEN:
            return self._too_large(headers)
        query = parse_qs(scope["query_string"].decode("latin-1")) if scope["path"] == "/" else {}
        token, code = query.pop("token", [""])[-1], query.pop("code", [""])[-1]
        if (token and _equal(token, self._trust.token)) or (code and self._codes.redeem(code)):
            return welcome(query, self._cookie, self._proof, scope["scheme"] == "https")
        if self._has_key(headers):
            return self._too_large(headers)
        if scope["path"] == "/" and "text/html" in headers.get("accept", ""):
            return asked_for_key(query, bool(token or code))
        return plain_failure(401, {"WWW-Authenticate": "Bearer"})

    def _known(self, host: str) -> bool:
        """Whether that Host can only mean this server: a name of ours; off loopback also an address, which no DNS rebinds."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._trust.names or name in LOOPBACK:
            return True
        if is_loopback(self._trust.host):
            return name == self._trust.host
        return name in (self._trust.host, socket.gethostname().lower(), socket.getfqdn().lower()) or _is_address(name)

    def _has_key(self, headers: Headers) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _equal(key.strip(), self._trust.token):
            return True
        # Not by http.cookies, which gives up at the first odd cookie: other programs of this machine share the name localhost.
        return _equal(cookie_parser(headers.get("cookie", "")).get(self._cookie, ""), self._proof)

    def _too_large(self, headers: Headers) -> Response | None:
        length = headers.get("content-length", "0")
        return plain_failure(413) if not length.isdigit() or int(length) > EACH else None


def _same_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether the request does not come from another site's page. A link there may be followed to our page at /, nothing else."""
    origin = headers.get("origin")
    if origin is not None:
        return origin in (f"http://{host}", f"https://{host}")
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return followed and scope.get("method") == "GET" and scope["path"] == "/"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _dressed(scope: Scope, send: Send) -> Send:
    """Puts the headers of our answers on; a route that has set one keeps its own."""
    own = scope["path"].startswith(OWN)

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "no-referrer")
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            headers.setdefault("X-Frame-Options", "DENY")
            headers.setdefault("Content-Security-Policy", STRICT)
            if own:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sent
