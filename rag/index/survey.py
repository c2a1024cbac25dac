"""What a plan asks of an index, wherever it is kept: what it knows of its documents, without writing.

Knows the nouns; knows no folder, no database and no walk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rag.location import Location
    from rag.types import DocumentId


class Survey(Protocol):
    """The documents of an index at one commit."""

    @property
    def roots(self) -> Mapping[str, Location]: ...
    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """(path, stamp) of the documents of a root, ordered by path; none if new. `under` limits them to a file or folder."""
        ...

    def digest(self, document: DocumentId) -> bytes | None:
        """The digest of a document; None where there is none, or it could not be read."""
        ...

    def outdated(self, versions: Mapping[str, int]) -> Counter[str]:
        """Documents that older versions of their loaders read, or could not read, by family."""
        ...

    def passages_each(self, family_of: Callable[[str], str]) -> dict[str, float]:
        """The mean number of passages per document, for each family of file types in the index."""
        ...


class NothingKnown:
    """The survey of an index that does not exist yet."""

    roots: Mapping[str, Location] = {}

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """None."""
        return iter(())

    def digest(self, document: DocumentId) -> bytes | None:
        """None."""
        return None

    def outdated(self, versions: Mapping[str, int]) -> Counter[str]:
        """None."""
        return Counter()

    def passages_each(self, family_of: Callable[[str], str]) -> dict[str, float]:
        """None."""
        return {}
