"""Reads what the programs of DjVuLibre print: nested lists of words, numbers and quoted texts.

Knows the notation and what pages, bookmarks and properties look like in it; runs no program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Expression = str | list["Expression"]

_TOKEN = re.compile(r'\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"]+', re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_NAMED_PAGE = re.compile(r"^ *(\d+) P +\d+  (.+)$", re.MULTILINE)
_DEEPEST = 30
_MOST_TITLE = 500  # characters
_ENDS = str.maketrans({"\x0b": "\n", "\x1d": "\n", "\x1f": "\n"})  # of columns, regions and paragraphs


def expressions(written: str) -> Iterator[Expression]:
    """The outermost expressions. Texts keep their quotation mark at the beginning; what is nested too deeply is left out."""
    open_lists: list[list[Expression]] = []
    depth = 0
    for token in _TOKEN.finditer(written):
        sign = token[0]
        if sign == "(":
            depth += 1
            if depth <= _DEEPEST:
                open_lists.append([])
            continue
        if sign == ")":
            depth = max(0, depth - 1)
            if depth >= _DEEPEST or not open_lists:
                continue
            found: Expression = open_lists.pop()
        elif depth > _DEEPEST:
            continue
        else:
            found = f'"{_plain(sign[1:-1])}' if sign.startswith('"') else sign
        if open_lists:
            open_lists[-1].append(found)
        else:
            yield found


def text_of(page: Expression) -> str:
    """The text of `(page 0 0 850 1100 "…")`, lines as lines; "" for a page without one."""
    if isinstance(page, list) and len(page) > 5 and isinstance(text := page[5], str) and text.startswith('"'):
        return text[1:].translate(_ENDS)
    return ""


def pieces_of(page: Expression) -> list[tuple[str, tuple[int, int, int, int], int]]:
    """The smallest pieces of a page's text: their words, their place (left, bottom, right, top in pixels), and their line.

    A text that has no place of its own on the page is none of them.
    """
    found: list[tuple[str, tuple[int, int, int, int], int]] = []
    waiting = [page]
    line = 0
    while waiting:
        one = waiting.pop()
        if not isinstance(one, list) or len(one) < 6:
            continue
        line += one[0] != "word"
        if isinstance(one[5], list):
            waiting += reversed(one[5:])
        elif one[0] != "page" and (words := one[5].removeprefix('"').strip()):
            try:
                left, bottom, right, top = (int(str(corner)) for corner in one[1:5])
            except ValueError:
                continue
            found.append((words, (left, bottom, right, top), line))
    return found


def bookmarks_of(written: str) -> dict[int, list[str]]:
    """The titles in `(bookmarks ("Title" "#3" …) …)` by the page they point at, from 0: by its number, or by its name.

    The names are in lines like `   3 P    8437  p0003.djvu`.
    """
    pages = {found[2].strip(): int(found[1]) for found in _NAMED_PAGE.finditer(written)}
    titles: dict[int, list[str]] = {}
    waiting = [one for one in expressions(written) if isinstance(one, list) and one[:1] == ["bookmarks"]]
    while waiting:
        one = waiting.pop()
        waiting += [inner for inner in reversed(one) if isinstance(inner, list)]
        if len(one) >= 2 and isinstance(one[0], str) and isinstance(one[1], str) and one[0].startswith('"'):
            target = one[1].removeprefix('"#')
            number = pages.get(target, int(target) if target.isascii() and target.isdigit() and len(target) < 8 else 0)
            title = " ".join(one[0][1:].split())[:_MOST_TITLE]
            if number > 0 and title:
                titles.setdefault(number - 1, []).append(title)
    return titles


def properties_of(written: str) -> dict[str, str]:
    """The values of lines like `Title<tab>"…"`, by their names in lower case."""
    found: dict[str, str] = {}
    for line in written.splitlines():
        name, tab, value = line.partition("\t")
        if tab and value.startswith('"') and value.endswith('"') and len(value) > 1:
            found.setdefault(name.strip().lower(), _plain(value[1:-1]))
    return found


def _plain(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted
    return _ESCAPE.sub(_unescaped, quoted.encode()).decode("utf-8", "replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what, 8) & 255]) if what[:1].isdigit() else _NAMED.get(what, what)
