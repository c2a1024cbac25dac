"""What a fill of a further model asks of an index, wherever it is kept: its vector spaces, what each lacks, and its turn.

Knows the nouns; knows no folder, no database and no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rag.index.catalog.spaces import Space
    from rag.types import Fingerprint, StoredPassage, Vectors


class Spaces(Protocol):
    """The vector spaces beside the first, as a writer sees them.

    Laws, checked for every row of INDEXES by tests/scale/test_spaces.py:
    - A content is what one vector of the first space stands for, however many passages share it. `missing` gives a live passage
      of each content that a space lacks, the most recent first.
    - A vector that is there stays, also where its documents are read anew, renamed or copied; the other spaces stay as they are.
    - What is put is seen after `commit`. A kill leaves what was committed, and no vector in the place of another.
    """

    def all(self) -> tuple[Space, ...]: ...
    def named(self, name: str) -> Space | None: ...
    def add(self, name: str, fingerprint: Fingerprint, settings: Mapping[str, str]) -> Space: ...
    def keep_settings(self, space: Space, settings: Mapping[str, str]) -> None: ...
    def drop(self, space: Space) -> None: ...
    def missing(self, space: Space) -> list[int]: ...
    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, in order, without those that are gone."""
        ...

    def sharing(self, passage: int, most: int) -> list[StoredPassage]: ...
    def sharing_numbers(self, passage: int) -> list[int]:
        """Passages of the same content, among them the one that `missing` named."""
        ...

    def stamp(self, passage: int) -> str: ...
    def put(self, space: Space, passages: Sequence[int], vectors: Vectors) -> int:
        """Keeps the vector of each passage's content, float32 (passages, dim); returns how many are new."""
        ...


class SpaceWriter(Protocol):
    """What a fill writes with."""

    fingerprint: Fingerprint
    remarks: list[str]

    @property
    def spaces(self) -> Spaces: ...
    def commit(self) -> int: ...


class FillTurn(Protocol):
    """The turn of filling an index, of which there is one; other writers are let in meanwhile. For one thread."""

    @property
    def writer(self) -> SpaceWriter: ...
    @property
    def is_open(self) -> bool:
        """Whether there is a writer; not while another process writes a folder."""
        ...

    def is_asked_for(self) -> bool:
        """Whether others wait for the index, or have changed it since: then `step_aside`. Cheap, and asked often."""
        ...

    def has_news(self) -> bool:
        """The same at the end of a fill, where nothing may be overlooked."""
        ...

    def step_aside(self) -> None:
        """Commits, lets the others write, and sees what they wrote. IndexReplaced where another index stands in its place."""
        ...

    def take_asked(self) -> list[int]:
        """Passages that searches showed since the last call, the latest first; any number may stand there."""
        ...
