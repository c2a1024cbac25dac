"""Cuts rich text into words, braces and bytes.

Knows the syntax of RTF; knows no word but the one that announces raw bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    rb"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|([^a-zA-Z]))|([{}])|([^\\{}\r\n]{1,65536})|[\r\n]+|\\", re.DOTALL
)


def tokens(content: bytes) -> Iterator[tuple[str, int | None, bytes]]:
    """(word, its number, b"") · ("'", None, one byte) · ("{" or "}", None, b"") · ("", None, bytes of text), in order."""
    at = 0
    match = _TOKEN.match
    while found := match(content, at):
        at = found.end()
        kind = found.lastindex
        if kind == 6:
            yield "", None, found[6]
        elif kind == 5:
            yield found[5].decode(), None, b""
        elif kind == 3:
            yield "'", None, bytes((int(found[3], 16),))
        elif kind in (1, 2):
            number = int(found[2]) if found[2] else None
            word = found[1].decode()
            if word == "bin" and number and number > 0:
                at += number
            yield word, number, b""
        elif kind == 4:
            yield {b"\n": "par", b"\r": "par", b"\t": "tab"}.get(found[4]) or found[4].decode("latin-1"), None, b""
