"""Numbers for the passages that an open index has met: the read path counts, Milvus' rows have keys.

Knows keys and numbers of rows; asks nothing. A row's number ascends with the order in which a run wrote, as in a folder, so that
ties fall alike; where two runs gave the same, the later one met takes the next that is free. It means the same passage as long
as the index is open.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rag.errors import IndexFailure
from rag.index.milvus.engine import Row


class Numbers:
    """Thread-safe; grows with the passages met."""

    def __init__(self) -> None:
        self._keys: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, row: Row) -> int:
        """The number of a row, by its `key` and its own `number`."""
        key = row["key"]
        found = self._numbers.get(key)
        if found is None:
            found = int(row["number"])
            with self._lock:
                while self._keys.setdefault(found, key) != key:
                    found += 1
                self._numbers[key] = found
        return found

    def is_known(self, number: int) -> bool:
        """Whether a row with that number was met."""
        return number in self._keys

    def key(self, number: int) -> str:
        """The key of the row with that number. IndexFailure where none was met."""
        try:
            return self._keys[number]
        except KeyError:
            raise IndexFailure(f"passage {number} is not known here", remedy="search again") from None

    def keys(self, numbers: Sequence[int]) -> list[str]:
        """The keys of several, in order."""
        return [self.key(int(number)) for number in numbers]
