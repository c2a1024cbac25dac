"""How a browser gets in where a key is asked for: by the key in the address, by a code that opens once, or by typing the key.

Knows pages and cookies; knows no route, and not who is let in.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

CODE_LIVES = 120.0  # seconds: a browser that is started cold needs some
KEPT = 30 * 86_400  # seconds a browser keeps the cookie
_PLAIN = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_FORM = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
_STYLE = """:root{color-scheme:light dark;font:17px/1.5 system-ui,sans-serif}
body{margin:0;min-height:90vh;display:grid;place-content:center;padding:1rem}form{display:grid;gap:.75rem;width:min(22rem,90vw)}
input,button{font:inherit;padding:.6rem .8rem;border-radius:.6rem;border:1px solid #8886}p{margin:0;opacity:.8}h1{margin:0}"""


class OneTimeCodes:
    """Codes that open the page once: other users of a machine see the command line of a browser that is started."""

    def __init__(self, lives: float = CODE_LIVES) -> None:
        self._lives = lives
        self._known: dict[str, float] = {}  # until when, monotonic seconds
        self._lock = threading.Lock()

    def make(self) -> str:
        """A new code."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._known[code] = time.monotonic() + self._lives
        return code

    def redeem(self, code: str) -> bool:
        """Whether the code opens; it never does again."""
        with self._lock:
            return time.monotonic() < self._known.pop(code, 0.0)


def welcome(query: Mapping[str, Sequence[str]], cookie: str, proof: str, secure: bool) -> HTMLResponse:
    """Sets the cookie and goes on to the page without the key in the address.

    By a page and not a redirect: after a click on another site a browser sends no SameSite=Strict cookie along one.
    """
    onward = escape(f"/?{urlencode(query, doseq=True)}" if query else "/")
    page = HTMLResponse(f'<!doctype html><title>rag</title><meta http-equiv="refresh" content="0;url={onward}">')
    page.set_cookie(cookie, proof, httponly=True, samesite="strict", secure=secure, max_age=KEPT)
    page.headers.update({"Cache-Control": "no-store", "Content-Security-Policy": _PLAIN})
    return page


def asked_for_key(query: Mapping[str, Sequence[str]], tried: bool) -> HTMLResponse:
    """A form for the key; `query` is what the address asked for, `tried` says that a key was given and did not fit."""
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, values in query.items()
        for value in values
    )
    wrong = '<p role="alert">That key does not fit. · <span lang="zh-CN">密钥不对。</span></p>' if tried else ""
    page = HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>rag</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<style>{_STYLE}</style><main><form action="/" method="get"><h1>rag</h1>{wrong}'
        '<label for="token">Key · <span lang="zh-CN">密钥</span></label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        f'{kept}<button>Open · <span lang="zh-CN">打开</span></button>'
        '<p>It was given to <code>rag ui</code> with RAG_TOKEN. · <span lang="zh-CN">即启动 rag ui 时的 RAG_TOKEN。</span></p>'
        "</form></main></html>",
        status_code=401,
    )
    page.headers.update({"Cache-Control": "no-store", "Content-Security-Policy": _FORM, "WWW-Authenticate": "Bearer"})
    return page
