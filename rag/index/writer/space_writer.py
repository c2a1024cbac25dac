"""The part of the writer that adds further vector spaces, fills them, drops them, and puts one of them first.

Knows the writer's open transaction; knows no model: vectors come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import apsw

from rag.errors import IndexFailure
from rag.index.catalog.lookup import read_passages
from rag.index.catalog.spaces import (
    Space,
    contents_of,
    end_space,
    insert_space,
    missing_passages,
    read_spaces,
    sharing_passages,
    update_settings,
)
from rag.index.catalog.transaction import Transaction
from rag.index.files.uninterruptible import uninterruptible
from rag.index.vectors.space_store import SpaceStore
from rag.index.writer.first_space import replace_first
from rag.types import Fingerprint, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


class SpaceWriter:
    """Part of a `Writer`: changes become visible with its next commit."""

    def __init__(self, transaction: Transaction, next_generation: Callable[[], int]) -> None:
        self._transaction, self._next_generation = transaction, next_generation
        self._stores: dict[int, SpaceStore] = {}

    def all(self) -> tuple[Space, ...]:
        """The further spaces, by number."""
        with self._transaction.reading() as connection:
            return read_spaces(connection, self._next_generation())

    def named(self, name: str) -> Space | None:
        """The further space of that name; None where there is none."""
        return next((space for space in self.all() if space.name == name), None)

    @uninterruptible()
    def add(self, name: str, fingerprint: Fingerprint, settings: Mapping[str, str]) -> Space:
        """Adds an empty space. The caller sees to it that the name is free."""
        with self._transaction.changing() as connection:
            number = insert_space(connection, name, fingerprint, settings, self._next_generation())
        return Space(number, name, fingerprint, settings)

    @uninterruptible()
    def keep_settings(self, space: Space, settings: Mapping[str, str]) -> None:
        """Keeps how the model of a space is opened from now on."""
        if settings != space.settings:
            with self._transaction.changing() as connection:
                update_settings(connection, space.number, settings)

    @uninterruptible()
    def drop(self, space: Space) -> None:
        """Ends a space with all its vectors."""
        self._stores.pop(space.number, None)
        with self._transaction.changing() as connection:
            end_space(connection, space.number, self._next_generation())

    @uninterruptible()
    def put_first(self, space: Space) -> None:
        """Puts a space in the place of the first one, whose vectors end. IndexFailure where it lacks a vector of any passage.

        Nothing is rewritten: its segments become those of the index, and passages and other spaces are numbered by its vectors.
        """
        lacking = len(self.missing(space))
        if lacking:
            raise IndexFailure(f"{lacking} contents have no vector in {space.name} yet", remedy="fill it first: rag index")
        with self._transaction.changing() as connection:
            replace_first(connection, space, self._next_generation())
        self._stores.clear()

    def missing(self, space: Space) -> list[int]:
        """A live passage of each content that the space lacks, the most recent first."""
        with self._transaction.reading() as connection:
            return missing_passages(connection, space.number)

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, in order, without those that are gone."""
        with self._transaction.reading() as connection:
            there = contents_of(connection, numbers)
            return read_passages(connection, [number for number in numbers if number in there])

    def sharing(self, passage: int, most: int) -> list[StoredPassage]:
        """The live passages of the same content as that one, itself included; at most so many."""
        with self._transaction.reading() as connection:
            return read_passages(connection, sharing_passages(connection, passage, most))

    def sharing_numbers(self, passage: int) -> list[int]:
        """The numbers of the live passages of the same content as that one; none where it is gone."""
        with self._transaction.reading() as connection:
            return sharing_passages(connection, passage, -1)

    def stamp(self, passage: int) -> str:
        """The stamp of the passage's document: of the file as it was read."""
        question = "SELECT stamp FROM documents WHERE number = (SELECT document FROM passages WHERE number = ?)"
        with self._transaction.reading():
            return str(self._transaction.value(question, passage) or "")

    @uninterruptible()
    def put(self, space: Space, passages: Sequence[int], vectors: Vectors) -> int:
        """Stores the vector of each passage's content, float32 (passages, dim); one that is there stays. BackendError.

        Returns how many are new. A passage that is gone is left out.
        """
        if space.number not in self._stores:
            self._stores[space.number] = SpaceStore(self._transaction, space)
        with self._transaction.reading() as connection:
            contents = contents_of(connection, passages)
        places = {contents[number]: at for at, number in enumerate(passages) if number in contents}
        return self._stores[space.number].put(places, vectors)

    def write(self, connection: apsw.Connection, born: int) -> None:
        """Writes the new vectors of every space durably, in the open transaction. StorageFailed."""
        for store in self._stores.values():
            store.write(connection, born)

    def committed(self) -> None:
        """Call after the commit."""
        for store in self._stores.values():
            store.committed()
