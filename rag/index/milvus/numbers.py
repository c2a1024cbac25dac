"""Numbers for the passages that an open index has met: the read path counts, Milvus' rows have keys.

Knows keys of rows; knows no row. A number is a hash of the document and its version, then the place in the document; where two
are equal, the later one takes the next that is free. It means the same passage as long as the index is open.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rag.errors import IndexFailure

_PLACES = 1 << 20  # passages of one document that keep their order


class Numbers:
    """Thread-safe; grows with the passages met."""

    def __init__(self) -> None:
        self._keys: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, key: str) -> int:
        """The number of the row with that key, below 2^52."""
        found = self._numbers.get(key)
        if found is not None:
            return found
        owner, _, place = key.rpartition("-")
        number = (int(owner[:4] + owner[-4:], 16) & 0xFFFFFFFF) * _PLACES + int(place) % _PLACES
        with self._lock:
            while self._keys.setdefault(number, key) != key:
                number = (number + 1) % (1 << 52)
            self._numbers[key] = number
        return number

    def key(self, number: int) -> str:
        """The key of the row with that number. IndexFailure where none was met."""
        try:
            return self._keys[number]
        except KeyError:
            raise IndexFailure(f"passage {number} is not known here", remedy="search again") from None

    def keys(self, numbers: Sequence[int]) -> list[str]:
        """The keys of several, in order."""
        return [self.key(int(number)) for number in numbers]
