"""JSON and JSON lines as readable text: `address.city: Riga`, a line for each value, with the path of its keys.

Knows JSON values; knows no schema. A JSON line stays one line, so that lines count as in the file; elsewhere they count in the
text made. Bounded in values and depth: what is beyond, or is no JSON, is read as it is written, with its `\\u` escapes decoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.text.chunking import Rendering
from rag.loaders.text.signs import readable

SUFFIXES = frozenset({".json", ".geojson", ".topojson", ".jsonld", ".har", ".webmanifest", ".map"})
LINE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".jsonlines", ".geojsonl"})

_MAX_VALUES = 2_000_000  # brackets and strings: each costs Python 50 to 100 bytes
_MAX_DEPTH = 100
_MAX_PATH = 160  # characters of keys before a value
_MAX_NUMBERS = 64  # of one list: a vector says nothing to a reader
_LIST_WIDTH = 300  # characters of a list of plain values on one line
_TITLES = ("title", "name", "headline", "subject")
_ESCAPE = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4})+")
_LOOKED_AT = 5  # lines, to tell JSON lines from other text
_BETWEEN = " · "


def rendered(text: str) -> Rendering:
    """JSON, or several values one after another. UnreadableDocument for a source map."""
    if _is_within_bounds(text):
        try:
            value = json.loads(text)
        except RecursionError:
            return Rendering(unescaped(text))
        except ValueError:
            return lines_rendered(text) if are_lines(text) else Rendering(unescaped(text))
        refuse_source_map(value)
        title = next((value[key] for key in _TITLES if isinstance(value.get(key), str)), "") if isinstance(value, dict) else ""
        return Rendering("\n".join(_lines(value)), title=readable(title[:200]).strip())
    return Rendering(unescaped(text))


def lines_rendered(text: str) -> Rendering:
    """JSON lines: each value on a line of its own; a line that is none, as it is written."""
    return Rendering("\n".join(_record(line) for line in text.split("\n")))


def are_lines(text: str) -> bool:
    """Whether the first lines of a text are JSON objects, each whole: logs are often written so, whatever their name."""
    if not text[:100].lstrip().startswith("{"):
        return False
    seen = 0
    for line in text[:200_000].split("\n")[:-1] or [text]:
        if line.strip():
            try:
                if not isinstance(json.loads(line), dict):
                    return False
            except (ValueError, RecursionError):
                return False
            seen += 1
            if seen == _LOOKED_AT:
                return True
    return seen > 1


def unescaped(text: str) -> str:
    """The text with its `\\u` escapes decoded, but for those of control characters and quotes."""

    def decode(mark: re.Match[str]) -> str:
        decoded = bytes.fromhex(mark.group().replace("\\u", "")).decode("utf-16-be", "replace")
        return decoded if decoded.isprintable() and '"' not in decoded and "\\" not in decoded else mark.group()

    return _ESCAPE.sub(decode, text)


def refuse_source_map(value: object) -> None:
    """UnreadableDocument for what tells a browser where the code of a bundle came from."""
    if isinstance(value, dict) and isinstance(value.get("mappings"), str) and ("sources" in value or "sections" in value):
        raise UnreadableDocument("is a source map, made by a program for programs")


def _is_within_bounds(text: str) -> bool:
    return text.count("[") + text.count("{") + text.count('"') // 2 + text.count(",") // 2 <= _MAX_VALUES


def _record(line: str) -> str:
    if not line.strip():
        return ""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return unescaped(line)
    return _BETWEEN.join(" ".join(one.split()) for one in _lines(value) if one)


def _lines(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """A line for each value, and an empty one between the objects of a list."""
    if depth > _MAX_DEPTH:
        yield f"{path}: (nested more than {_MAX_DEPTH} deep)"
    elif isinstance(value, dict):
        for key, inside in value.items():
            name = " ".join(readable(str(key)).split())
            yield from _lines(inside, f"{path}.{name}"[-_MAX_PATH:] if path else name[:_MAX_PATH], depth + 1)
    elif isinstance(value, list):
        yield from _items(value, path, depth)
    elif (text := _plain(value)).strip():
        yield f"{path}: {text}" if path else text


def _items(values: list[Any], path: str, depth: int) -> Iterator[str]:
    plain = [value for value in values if not isinstance(value, dict | list)]
    if plain and len(plain) == len(values):
        yield from _listed(plain, path)
        return
    for place, value in enumerate(values):
        if place and isinstance(value, dict):
            yield ""
        yield from _lines(value, path, depth + 1)


def _listed(values: list[Any], path: str) -> Iterator[str]:
    numbers = all(isinstance(value, int | float) for value in values)
    shown = [text for value in (values[:_MAX_NUMBERS] if numbers else values) if (text := _plain(value)).strip()]
    if numbers and len(values) > _MAX_NUMBERS:
        shown.append(f"… ({len(values):,} numbers)")
    prefix = f"{path}: " if path else ""
    line: list[str] = []
    width = 0
    for text in shown:
        if line and (width + len(text) > _LIST_WIDTH or "\n" in text):
            yield prefix + ", ".join(line)
            line, width = [], 0
        line.append(text)
        width += len(text) + 2
    if line:
        yield prefix + ", ".join(line)


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return readable(value) if isinstance(value, str) else str(value)
