"""Signs in a text that are not for its reader: colour codes of terminals, packed bytes, letters decoded twice.

Knows characters; knows no format.
"""

from __future__ import annotations

import re

# ECMA-48: control sequences (colours, cursor), operating system commands (titles, links) and single escapes.
_TERMINAL = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]{0,4096}\x1b\\"
    r"|\x1b[ -/]{1,3}[0-~]|\x1b[0-~]|\x9b[0-?]{0,64}[ -/]{0,4}[@-~]"
)
_PACKED = re.compile(r"(?:data:[\w.+/-]{0,100}(?:;[\w=.-]{1,60}){0,4},)?[A-Za-z0-9+/_=-]{300,}\s*")
_TWICE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]")  # UTF-8 read as Latin-1, as some exports write it
_NOT_LATIN = re.compile("[^\u0000-\u00ff]")


def without_colours(text: str) -> str:
    """The text without what tells a terminal how to show it."""
    return _TERMINAL.sub("", text) if "\x1b" in text or "\x9b" in text else text


def readable(text: str) -> str:
    """A value of a data format as a person reads it: without colour codes, packed bytes and lone surrogates, decoded once."""
    if text.isascii():
        if len(text) > 300 and _PACKED.fullmatch(text):
            return f"(packed data, {len(text):,} characters)"
        return without_colours(text)
    if _TWICE.search(text) and not _NOT_LATIN.search(text):
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            pass
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return without_colours(text)
