"""Documents that wait to be read, in order; all but a few thousand of them packed: 35 bytes for one, not 350.

Knows what a walk found; knows no file and no index.
"""

from __future__ import annotations

import marshal
import zlib
from collections import deque

from rag.corpus.walk import Found

PACK = 1_000  # documents packed together
OPEN = 2 * PACK  # documents at each end that are as they are


class Backlog:
    """First come, first read."""

    def __init__(self) -> None:
        self._first: deque[Found] = deque()
        self._packed: deque[bytes] = deque()
        self._last: list[Found] = []  # come after those that are packed

    def __bool__(self) -> bool:
        return bool(self._first or self._packed or self._last)

    def add(self, found: Found) -> None:
        """One more, the last to be read."""
        if not self._packed and not self._last and len(self._first) < OPEN:
            self._first.append(found)
            return
        self._last.append(found)
        if len(self._last) >= OPEN:
            self._packed.append(_packed(self._last[:PACK]))
            del self._last[:PACK]

    @property
    def next(self) -> Found | None:
        """The next to be read, which stays; None where none waits."""
        if not self._first and self._packed:
            self._first.extend(_unpacked(self._packed.popleft()))
        elif not self._first:
            self._first.extend(self._last)
            self._last.clear()
        return self._first[0] if self._first else None

    def take(self) -> Found | None:
        """The next to be read, which waits no more; None where none waits."""
        return None if self.next is None else self._first.popleft()


def _packed(some: list[Found]) -> bytes:
    return zlib.compress(marshal.dumps([tuple(found) for found in some]), 1)


def _unpacked(packed: bytes) -> list[Found]:
    return [Found(*found) for found in marshal.loads(zlib.decompress(packed))]
