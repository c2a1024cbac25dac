"""The part of every open index that answers one question from a moment of its own, and closes it at the end of a `with`.

Knows moments; knows neither a folder nor a database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag.index.catalog.spaces import Space
    from rag.index.catalog.status import IndexStatus
    from rag.index.room import Moment
    from rag.location import Location
    from rag.types import StoredPassage


class LastMoment(ABC):
    """What `OpenedIndex` says of single questions."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Moment]: ...

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage with that short id; None where there is none."""
        with self.snapshot() as moment:
            return moment.by_id(short_id)

    def roots(self) -> Mapping[str, Location]:
        """The folder of each root, by name."""
        with self.snapshot() as moment:
            return moment.roots()

    def spaces(self) -> tuple[Space, ...]:
        """The vector spaces beside the first."""
        with self.snapshot() as moment:
            return moment.spaces

    def status(self) -> IndexStatus:
        """Counts of what the index holds."""
        with self.snapshot() as moment:
            return moment.status()
