"""Values in memory by name, within a bound of bytes.

Knows names and sizes; knows no picture and no file.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class RecentCache(Generic[_Value]):
    """Values by name; beyond `most_bytes` the least recently used are dropped."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._values: OrderedDict[str, tuple[_Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, name: str) -> _Value | None:
        """The value of that name, which is the most recent now; None where there is none."""
        with self._lock:
            if name not in self._values:
                return None
            self._values.move_to_end(name)
            return self._values[name][0]

    def keep(self, name: str, value: _Value, size: int) -> None:
        """Keeps a value of `size` bytes; one that is there already stays."""
        with self._lock:
            if name in self._values:
                return
            self._values[name] = value, size
            self._bytes += size
            while self._bytes > self._most_bytes:
                _, (_, forgotten) = self._values.popitem(last=False)
                self._bytes -= forgotten
