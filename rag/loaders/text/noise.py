"""Recognises text that programs made for programs: minified bundles and packed data inside code. By its shape, whatever its name.

Knows lines and their length; knows no language.
"""

from __future__ import annotations

import re

from rag.errors import UnreadableDocument

SUFFIXES = frozenset({".js", ".mjs", ".cjs", ".css"})  # of code that is shipped packed

_LEAST = 2_000  # characters; a shorter script costs nobody anything
_LONG_LINE = 500  # characters; written code has 30 to 80
_IN_LONG_LINES = 0.8  # share of the characters that stand in such lines
_MAX_SPACES = 0.08  # share of white space in them; written code has 0.15 to 0.3, prose in a string 0.16, packed code 0.03
_DATA = re.compile(r"(data:[\w.+/-]{1,60}(?:;[\w=.-]{1,60}){0,4},)[A-Za-z0-9+/=%_-]{200,}")


def refuse_minified(text: str) -> None:
    """UnreadableDocument for code that was packed to be loaded, not to be read."""
    if len(text) < _LEAST:
        return
    long = [line for line in text.split("\n") if len(line) >= _LONG_LINE]
    size = sum(map(len, long))
    if size < _IN_LONG_LINES * len(text):
        return
    spaces = sum(line.count(" ") + line.count("\t") for line in long)
    if spaces <= _MAX_SPACES * size:
        raise UnreadableDocument("is a minified bundle, made by a program for programs; index the code it was made from")


def without_packed_data(text: str) -> str:
    """The text without what stands in `data:` addresses: pictures, fonts and source maps."""
    return _DATA.sub(r"\1…", text) if "data:" in text else text
