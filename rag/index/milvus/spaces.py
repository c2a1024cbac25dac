"""The further vector spaces of an index in Milvus, as a writer sees them: added, filled, followed and dropped.

Knows notes, rows and collections; knows no model: vectors come from the caller. Nothing here needs the lease of a run to be safe:
a row that was written for a passage that another run replaced meanwhile is named by no document, and so found by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import StorageFailed
from rag.index.catalog.spaces import Space
from rag.index.files.uninterruptible import uninterruptible
from rag.index.milvus.contents import Contents
from rag.index.milvus.engine import NEWEST, Engine, Row
from rag.index.milvus.facts import Facts, space_note
from rag.index.milvus.names import among
from rag.index.milvus.notes import FACT, SPACE, Notes
from rag.index.milvus.schema import (
    SPACE_FIELDS,
    create_space,
    drop_space,
    space_collection,
)
from rag.index.milvus.space_rows import AT_ONCE, followed, space_row, vectors_of
from rag.index.vectors.vector_store import as_rows
from rag.location import Location
from rag.types import Fingerprint

if TYPE_CHECKING:
    from rag.types import Vectors

_LISTED = 10_000  # rows in one answer


class MilvusSpaces(Contents):
    """As `Spaces`; for the one thread of a writer, whose commit calls `write`."""

    def __init__(self, engine: Engine, index: str, facts: Facts, roots: Callable[[], Mapping[str, Location]]) -> None:
        super().__init__(engine, index, facts, roots)
        self._notes = Notes(engine, index)
        self._spaces = {space.number: space for space in facts.spaces}
        self._given = facts.spaces_given
        self._changed: dict[tuple[str, str], str] = {}  # notes
        self._dropped: list[Space] = []
        self._fresh: dict[int, dict[str, NDArray[np.float16]]] = {}  # vectors by space and content
        self._held: dict[int, set[str]] = {}  # contents that have a vector, as far as was asked

    # ---- which there are ------------------------------------------------------------------------

    def all(self) -> tuple[Space, ...]:
        """The further spaces, by number."""
        return tuple(self._spaces[number] for number in sorted(self._spaces))

    def named(self, name: str) -> Space | None:
        """The further space of that name; None where there is none."""
        return next((space for space in self.all() if space.name == name), None)

    @uninterruptible()
    def add(self, name: str, fingerprint: Fingerprint, settings: Mapping[str, str]) -> Space:
        """Adds an empty space. The caller sees to it that the name is free. StorageFailed, IndexFailure."""
        self._given += 1
        space = Space(self._given, name, fingerprint, dict(settings))
        create_space(self._engine, self._index, space.number, fingerprint.dim)
        self._spaces[space.number] = space
        self._changed |= dict([space_note(space), ((FACT, "spaces"), str(self._given))])
        return space

    @uninterruptible()
    def keep_settings(self, space: Space, settings: Mapping[str, str]) -> None:
        """Keeps how the model of a space is opened from now on."""
        if settings != space.settings:
            kept = Space(space.number, space.name, space.fingerprint, dict(settings))
            self._spaces[space.number] = kept
            self._changed |= dict([space_note(kept)])

    @uninterruptible()
    def drop(self, space: Space) -> None:
        """Ends a space with all its vectors."""
        del self._spaces[space.number]
        self._changed.pop((SPACE, str(space.number)), None)
        self._fresh.pop(space.number, None)
        self._dropped.append(space)

    # ---- what they lack -------------------------------------------------------------------------

    def missing(self, space: Space) -> list[int]:
        """A live passage of each content that the space lacks, the most recent first.

        Passages whose content it has, by another passage, are given that vector on the way. StorageFailed.
        """
        rows = self._rows_of(space)
        there, held = set[str](), set[str]()
        for row in self._engine.every(rows, "", ("vkey",), NEWEST, _LISTED):
            there.add(row["key"])
            held.add(row["vkey"])
        held |= self._fresh.get(space.number, {}).keys()
        self._held[space.number] = held
        lacking: dict[str, Row] = {}
        to_follow: list[str] = []
        for row in self._live().every("", ("vkey", "dated")):
            if row["key"] in there:
                continue
            if row["vkey"] in held:
                to_follow.append(row["vkey"])
            elif (known := lacking.get(row["vkey"])) is None or _order(row) < _order(known):
                lacking[row["vkey"]] = row
        self._follow(rows, sorted(set(to_follow) - self._fresh.get(space.number, {}).keys()), space.fingerprint.dim)
        ordered = sorted(lacking.values(), key=_order)
        return self.named_by(ordered)

    # ---- vectors --------------------------------------------------------------------------------

    @uninterruptible()
    def put(self, space: Space, passages: Sequence[int], vectors: Vectors) -> int:
        """Keeps the vector of each passage's content, float32 (passages, dim); one that is there stays. BackendError.

        Returns how many are new. A passage that is gone is left out.
        """
        made = as_rows(vectors, len(passages), space.fingerprint.dim)
        contents = self._contents_of(passages)
        fresh = self._fresh.setdefault(space.number, {})
        if space.number not in self._held:
            listed = sorted(set(contents.values()))
            self._held[space.number] = set()
            for start in range(0, len(listed), AT_ONCE):
                asked = among("vkey", listed[start : start + AT_ONCE])
                self._held[space.number] |= {
                    row["vkey"] for row in self._engine.every(self._rows_of(space), asked, ("vkey",), NEWEST)
                }
        before = len(fresh)
        for number, vector in zip(passages, made, strict=True):
            content = contents.get(number)
            if content is not None and content not in self._held[space.number]:
                fresh[content] = vector
                self._held[space.number].add(content)
        return len(fresh) - before

    def collections(self) -> tuple[str, ...]:
        """The collections of the spaces, by number."""
        return tuple(map(self._rows_of, self.all()))

    @property
    def is_changed(self) -> bool:
        """Whether there is something to write."""
        return bool(self._changed or self._dropped or any(self._fresh.values()))

    def follow(self, passages: Sequence[Row]) -> Iterator[tuple[str, Iterator[Row]]]:
        """For each space its collection, and the rows that passages about to be written have there by their content."""
        for space in self.all():
            rows = self._rows_of(space)
            yield rows, followed(self._engine, rows, passages, space.fingerprint.dim)

    def write(self) -> None:
        """Writes what has changed: vectors first, then which spaces there are; collections of dropped ones go last.

        StorageFailed. Vectors of a space that another run has dropped meanwhile are forgotten.
        """
        for number, fresh in self._fresh.items():
            try:
                self._write_vectors(space_collection(self._index, number), fresh)
            except StorageFailed:
                if number in self._spaces and space_collection(self._index, number) in self._engine.collections():
                    raise
        self._fresh.clear()
        self._notes.write(self._changed)
        self._changed.clear()
        self._notes.forget([(SPACE, str(space.number)) for space in self._dropped])
        for space in self._dropped:
            drop_space(self._engine, self._index, space.number)
        self._dropped.clear()

    def _write_vectors(self, rows: str, fresh: Mapping[str, NDArray[np.float16]]) -> None:
        contents = list(fresh)
        for start in range(0, len(contents), AT_ONCE):
            asked = among("vkey", contents[start : start + AT_ONCE])
            live = self._live().every(asked, SPACE_FIELDS)
            self._engine.upsert(rows, [space_row(row, fresh[row["vkey"]]) for row in live])

    def _follow(self, rows: str, contents: Sequence[str], dim: int) -> None:
        for start in range(0, len(contents), AT_ONCE):
            vectors = vectors_of(self._engine, rows, contents[start : start + AT_ONCE], dim)
            self._write_vectors(rows, vectors)

    def _rows_of(self, space: Space) -> str:
        return space_collection(self._index, space.number)


def _order(row: Row) -> tuple[float, int]:
    """The most recent first, then in the order in which they were written."""
    return -float(row["dated"]), int(row["number"])
