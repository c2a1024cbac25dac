"""Guards every route, the page's and Gradio's too: checks Host, Origin and keys, and adds the security headers.

Knows HTTP headers; knows no index. The Host must be ours, against DNS rebinding; the Origin must equal the Host, against other
sites; off loopback every client needs a key. Whether a request has the key of this start is noted for `management`.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.api.body_limits import MOST_BYTES, BodyLimits
from rag.api.grants import EVERYTHING, Grant, granting, is_open
from rag.api.keys import PREFIX, KeyFile, cookie_of
from rag.api.login import Cookie, OneTimeCodes, admit, key_form
from rag.api.management import MANAGES, is_upload
from rag.api.responses import failure, plain_failure
from rag.errors import WrongRequest

SHORTEST_TOKEN = 16  # characters
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
API = (
    "/v1/",
    "/mcp",
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs",
    "/openapi.json",
)  # never cached; all other paths are the page's
_GRANTED = "rag.granted"  # in the scope of a request: what its key may see
KNOWN = "rag.known"  # in the scope of a request: whether it may search, so that it may also be told what is wrong
WITHOUT_KEY = frozenset({"/healthz", "/readyz"})  # answered without the key
_SEARCH_COOKIE, _START_COOKIE = "rag_key_", "rag_start_"  # how the names of cookies begin; a port follows
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the server listens, the host names it accepts, and its keys.

    `token` lets clients search ("": none is needed). `start_key`, another one at each start, also lets them manage: browse
    folders, upload, start and stop runs.
    """

    host: str
    port: int
    token: str = field(default="", repr=False)
    names: tuple[str, ...] = ()  # other host names, such as a reverse proxy's
    start_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


def trust(host: str, port: int, token: str, names: Sequence[str] = ()) -> Trust:
    """The checked `Trust`. WrongRequest if other machines could reach the server without a key, or the key is weak."""
    if not is_loopback(host) and not token:
        what = f"anyone who can reach {host} could read your files: off loopback a key is required"
        raise WrongRequest(what, remedy=f"set one: RAG_TOKEN=$(openssl rand -hex 16) rag ui --host {host}")
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        what = f"the key is too short or contains characters that cannot be sent: use {SHORTEST_TOKEN} letters and digits or more"
        raise WrongRequest(what, remedy="generate one: openssl rand -hex 16")
    return Trust(host, port, token, tuple(names))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware: refuses foreign requests (403), a missing key (401) and large bodies (413), and adds the headers."""

    def __init__(self, app: ASGIApp, trust: Trust, codes: OneTimeCodes, keys: KeyFile | None = None) -> None:
        """`keys` are those of `rag key`, beside the two of `trust`."""
        self._app = app
        self._trust = trust
        self._codes = codes
        self._keys = keys
        self._bodies = BodyLimits()
        # Cookies ignore ports: two servers on one machine need different names. Those of other ports are looked at too: behind
        # one address any of several processes answers, and each has a port of its own.
        self._to_search = Cookie(f"{_SEARCH_COOKIE}{trust.port}", _derived(trust.token), lasting=True)
        self._to_manage = Cookie(f"{_START_COOKIE}{trust.port}", _derived(trust.start_key), lasting=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await refusal(scope, receive, _with_headers(scope, send))
            return
        with granting(scope[_GRANTED]):
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            elif scope[MANAGES] and is_upload(scope):
                await self._app(scope, receive, _with_headers(scope, send))  # its route writes the body to disk as it comes
            else:
                with self._bodies.counted(receive) as bounded:
                    await self._app(scope, bounded, _with_headers(scope, send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_our_host(host) or not _same_site(scope, headers, host):
            return plain_failure(403)
        query = parse_qs(scope["query_string"].decode("latin-1")) if scope["path"] == "/" else {}
        token, code = query.pop("token", [""])[-1], query.pop("code", [""])[-1]
        is_https = scope["scheme"] == "https"
        if (token and _equal(token, self._trust.start_key)) or (code and self._codes.redeem(code)):
            return admit(query, [self._to_search, self._to_manage] if self._trust.token else [self._to_manage], is_https)
        if token and self._trust.token and _equal(token, self._trust.token):
            return admit(query, [self._to_search], is_https)
        if token and self._found(token):
            return admit(query, [Cookie(self._to_search.name, cookie_of(token), lasting=True)], is_https)
        scope[_GRANTED] = EVERYTHING
        manages = scope[MANAGES] = _has(headers, self._trust.start_key, self._to_manage, _START_COOKIE)
        has_token = bool(self._trust.token) and _has(headers, self._trust.token, self._to_search, _SEARCH_COOKIE)
        searches = has_token or not (self._trust.token or token)
        bearer = _bearer(headers)
        grant = self._found(bearer) if bearer else None if manages else self._found_by_cookie(headers)
        if grant is not None:  # also beside a cookie that may do more: it was sent on purpose
            scope[_GRANTED], searches = grant, True
            manages = scope[MANAGES] = grant.manages
            if grant.is_limited and not is_open(scope["path"]):
                return _closed(grant)
        elif bearer.startswith(PREFIX):  # a key that has ended, also where none is needed
            return plain_failure(401, {"WWW-Authenticate": "Bearer"})
        scope[KNOWN] = searches or manages
        if scope[KNOWN] or scope["path"] in WITHOUT_KEY:
            return None if manages and is_upload(scope) else self._size_refusal(headers)
        if scope["path"] == "/" and "text/html" in headers.get("accept", ""):
            return key_form(query, bool(token or code))
        return plain_failure(401, {"WWW-Authenticate": "Bearer"})

    def _found_by_cookie(self, headers: Headers) -> Grant | None:
        """What the key of a browser's cookie grants; None where it has none."""
        if self._keys is None:
            return None
        cookies = cookie_parser(headers.get("cookie", ""))
        own = cookies.get(self._to_search.name)
        values = [own] if own else _of_any_port(cookies, _SEARCH_COOKIE)
        with suppress(WrongRequest):
            granted = [found.grant for value in values if (found := self._keys.find_cookie(value)) is not None]
            return granted[0] if granted else None
        return None

    def _found(self, key: str) -> Grant | None:
        """What a key of `rag key` grants; None where it is none. A file that cannot be read lets nobody in."""
        if self._keys is None:
            return None
        with suppress(WrongRequest):
            found = self._keys.find(key)
            return None if found is None else found.grant
        return None

    def _is_our_host(self, host: str) -> bool:
        """Whether that Host can only be this server: a name of ours or, off loopback, an IP address, which DNS cannot rebind."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._trust.names or name in LOOPBACK:
            return True
        if is_loopback(self._trust.host):
            return name == self._trust.host
        return name in (self._trust.host, socket.gethostname().lower(), socket.getfqdn().lower()) or _is_address(name)

    def _size_refusal(self, headers: Headers) -> Response | None:
        length = headers.get("content-length", "0")
        return plain_failure(413) if not length.isdigit() or int(length) > MOST_BYTES else None


def _same_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether no other site's page sent the request. A link from another site may only lead to our page at /."""
    origin = headers.get("origin")
    if origin is not None:
        return origin in (f"http://{host}", f"https://{host}")
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return is_link and scope.get("method") == "GET" and scope["path"] == "/"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bearer(headers: Headers) -> str:
    """The key that a request names; "" where it names none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _has(headers: Headers, key: str, cookie: Cookie, named: str) -> bool:
    """Whether the request carries that key, or the cookie that stands for it, of this port or, by how it is `named`, of any."""
    given = _bearer(headers)
    if given and _equal(given, key):
        return True
    # http.cookies stops at the first malformed cookie, and other programs on this machine share the name localhost.
    return any(_equal(value, cookie.value) for value in _of_any_port(cookie_parser(headers.get("cookie", "")), named))


def _of_any_port(cookies: Mapping[str, str], named: str) -> list[str]:
    """The values of the cookies whose names begin so."""
    return [value for name, value in cookies.items() if name.startswith(named)]


def _closed(grant: Grant) -> Response:
    what = f"the key {grant.name} is limited to some indexes or roots, and this shows more"
    return failure(403, what, "use it to search, to ask and to look at passages and their media", "key_limited")


def _derived(key: str) -> str:
    """The value of the cookie that stands for a key."""
    return hmac.new(key.encode(), b"cookie", hashlib.sha256).hexdigest()


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _with_headers(scope: Scope, send: Send) -> Send:
    """`send` that adds our headers to a response; one that the route has set stays."""
    is_api = scope["path"].startswith(API)

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "no-referrer")
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            headers.setdefault("X-Frame-Options", "DENY")
            headers.setdefault("Content-Security-Policy", API_POLICY)
            if is_api:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_with_headers
