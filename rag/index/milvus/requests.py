"""Cuts rows into requests that no server refuses.

Knows their sizes; sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

REQUEST_BYTES = 16_000_000  # a request of 64 MB is refused
REQUEST_ROWS = 500


def bounded(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows in lists, each for one request; taken as they are asked for."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        needs = 64 + sum(_bytes(value) for value in row.values())
        if part and (size + needs > REQUEST_BYTES or len(part) == REQUEST_ROWS):
            yield part
            part, size = [], 0
        part.append(row)
        size += needs
    if part:
        yield part


def _bytes(value: Any) -> int:
    if isinstance(value, str):
        return 4 * len(value)
    return int(getattr(value, "nbytes", 16))
