"""Login for browsers: by the key in the address, by a one-time code, or by a form for the key.

Knows pages and cookies; knows no route, and does not decide who gets in.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

CODE_SECONDS = 120.0  # until a code expires: a cold browser takes a while to start
COOKIE_SECONDS = 30 * 86_400  # until a browser forgets the cookie
_PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_FORM_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
_STYLE = """:root{color-scheme:light dark;font:17px/1.5 system-ui,sans-serif}
body{margin:0;min-height:90vh;display:grid;place-content:center;padding:1rem}form{display:grid;gap:.75rem;width:min(22rem,90vw)}
input,button{font:inherit;padding:.6rem .8rem;border-radius:.6rem;border:1px solid #8886}p{margin:0;opacity:.8}h1{margin:0}"""


class Cookie(NamedTuple):
    """A cookie that stands for a key."""

    name: str
    value: str
    lasting: bool  # for thirty days, else until the browser ends


class OneTimeCodes:
    """Codes that open the page once. Unlike the key, they may be on a browser's command line, which other users can read."""

    def __init__(self, lifetime: float = CODE_SECONDS) -> None:
        self._lifetime = lifetime
        self._known: dict[str, float] = {}  # code → when it expires, monotonic seconds
        self._lock = threading.Lock()

    def make(self) -> str:
        """A new code."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._known[code] = time.monotonic() + self._lifetime
        return code

    def redeem(self, code: str) -> bool:
        """Whether the code is valid; it is not valid a second time."""
        with self._lock:
            return time.monotonic() < self._known.pop(code, 0.0)


def admit(query: Mapping[str, Sequence[str]], cookies: Sequence[Cookie], secure: bool) -> HTMLResponse:
    """A page that sets the cookies and leads on to the address without the key.

    A page, not a redirect: after a click on another site, browsers do not send SameSite=Strict cookies along a redirect.
    """
    onward = escape(f"/?{urlencode(query, doseq=True)}" if query else "/")
    page = HTMLResponse(f'<!doctype html><title>rag</title><meta http-equiv="refresh" content="0;url={onward}">')
    for name, value, lasting in cookies:
        age = int(COOKIE_SECONDS) if lasting else None
        page.set_cookie(name, value, httponly=True, samesite="strict", secure=secure, max_age=age)
    page.headers.update({"Cache-Control": "no-store", "Content-Security-Policy": _PAGE_POLICY})
    return page


def key_form(query: Mapping[str, Sequence[str]], tried: bool) -> HTMLResponse:
    """A form for the key. It passes on `query`, the rest of the address; `tried`: a wrong key or code was given."""
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, values in query.items()
        for value in values
    )
    error = '<p role="alert">That key is wrong. · <span lang="zh-CN">密钥不对。</span></p>' if tried else ""
    page = HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>rag</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<style>{_STYLE}</style><main><form action="/" method="get"><h1>rag</h1>{error}'
        '<label for="token">Key · <span lang="zh-CN">密钥</span></label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        f'{kept}<button>Open · <span lang="zh-CN">打开</span></button>'
        "<p>The RAG_TOKEN given to <code>rag ui</code>, or the key in the address that it printed. · "
        '<span lang="zh-CN">即启动 rag ui 时的 RAG_TOKEN，或它显示的网址中的密钥。</span></p>'
        "</form></main></html>",
        status_code=401,
    )
    page.headers.update({"Cache-Control": "no-store", "Content-Security-Policy": _FORM_POLICY, "WWW-Authenticate": "Bearer"})
    return page
