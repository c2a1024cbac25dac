"""Several open indexes of one fingerprint as one: their vectors are comparable, so their passages stand in one order.

Knows open indexes; knows no model and no corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag.errors import EmbedderMismatch
from rag.index.reader.filters import Allowed
from rag.index.reader.open_index import OpenIndex
from rag.index.reader.snapshot import Snapshot
from rag.types import Filters, Fingerprint, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


class Answering(Protocol):
    """What the read path asks of one commit: a `Snapshot`, or those of several indexes. The laws are those of `Snapshot`."""

    @property
    def generations(self) -> Mapping[str, int]: ...
    def matching(self, wanted: Filters) -> Allowed | None: ...
    def meeting(self, words: str, within: Allowed | None = None) -> Allowed | None: ...
    def nearest_by_kind(
        self, vectors: Vectors, k: int, promised: int, within: Allowed | None = None
    ) -> list[list[tuple[int, float]]]: ...
    def containing(self, words: str, k: int, within: Allowed | None = None) -> list[tuple[int, float, float]]: ...
    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]: ...
    def by_id(self, short_id: str) -> StoredPassage | None: ...
    def vectors(self, numbers: Sequence[int]) -> Vectors: ...
    def roots(self) -> Mapping[str, Path]: ...


class Searchable(Protocol):
    """What the read path opens snapshots of: an `OpenIndex`, or several of one fingerprint (`FederatedIndex`).

    `name` is what a person calls it, `folder` where it lies (of several, the first), `fingerprint` whose vectors it holds.
    """

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def fingerprint(self) -> Fingerprint: ...
    def snapshot(self) -> AbstractContextManager[Answering]: ...
    def remarks(self) -> tuple[str, ...]: ...


class FederatedIndex:
    """Open indexes of equal fingerprints, searched as one."""

    def __init__(self, parts: Sequence[OpenIndex]) -> None:
        """EmbedderMismatch where the fingerprints differ. The parts stay their owner's: closing them is not done here."""
        first = parts[0]
        for part in parts:
            if part.fingerprint != first.fingerprint:
                raise EmbedderMismatch(part.folder, part.fingerprint, first.fingerprint)
        self.parts = tuple(parts)
        self.name = ", ".join(part.name for part in parts)
        self.folder = first.folder
        self.fingerprint = first.fingerprint

    @contextmanager
    def snapshot(self) -> Iterator[FederatedSnapshot]:
        """The last commit of each part, for all that is asked within the `with`. Errors as `OpenIndex.moment`."""
        with ExitStack() as begun:
            yield FederatedSnapshot([begun.enter_context(part.snapshot()) for part in self.parts])

    def remarks(self) -> tuple[str, ...]:
        """The remarks of each part, with its name before them."""
        return tuple(f"{part.name}: {remark}" for part in self.parts for remark in part.remarks())


class FederatedSnapshot:
    """One commit of each of several indexes, asked as one.

    Passage `n` of the index at place `i` of `count` is `n · count + i` here; every passage says its index. Similarities are
    those of one index with all passages. A lexical score counts how rare a word is in its own index, as a search engine over
    several shards does. What is found is in the law's order: larger first, equal scores by smaller number.
    """

    def __init__(self, parts: Sequence[Snapshot]) -> None:
        self.parts = tuple(parts)

    @property
    def generations(self) -> Mapping[str, int]:
        """The generation of each part, by the name of the index."""
        return {part.name: part.generation for part in self.parts}

    def matching(self, wanted: Filters) -> Allowed | None:
        """What the filters allow in each part; None where that is everything in all of them."""
        return self._allowed([part.matching(wanted) for part in self.parts])

    def meeting(self, words: str, within: Allowed | None = None) -> Allowed | None:
        """As `Snapshot.meeting`, in each part."""
        split = self._split(within)
        return self._allowed([part.meeting(words, mine) for part, mine in zip(self.parts, split, strict=True)])

    def nearest_by_kind(
        self, vectors: Vectors, k: int, promised: int, within: Allowed | None = None
    ) -> list[list[tuple[int, float]]]:
        """As `Snapshot.nearest_by_kind`: the k nearest of all parts, and those that each part adds for a kind, in one order."""
        split = self._split(within)
        found = [part.nearest_by_kind(vectors, k, promised, mine) for part, mine in zip(self.parts, split, strict=True)]
        return [
            sorted(
                ((self._here(at, number), score) for at, each in enumerate(found) for number, score in each[query]),
                key=lambda pair: (-pair[1], pair[0]),
            )
            for query in range(len(vectors))
        ]

    def containing(self, words: str, k: int, within: Allowed | None = None) -> list[tuple[int, float, float]]:
        """The k passages of all parts that hold the words best."""
        split = self._split(within)
        found = [
            (self._here(at, number), score, share)
            for at, (part, mine) in enumerate(zip(self.parts, split, strict=True))
            for number, score, share in part.containing(words, k, mine)
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))[:k]

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages of these numbers, in the order asked, each with the name of its index."""
        found: dict[int, StoredPassage] = {}
        for at, mine in self._by_part(numbers).items():
            for stored in self.parts[at].passages(mine):
                found[self._here(at, stored.number)] = self._told(at, stored)
        return [found[number] for number in numbers]

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage of that short id: of the first part that has one."""
        for at, part in enumerate(self.parts):
            if stored := part.by_id(short_id):
                return self._told(at, stored)
        return None

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of live passages, float32 (n, dim), in the order asked."""
        found = np.empty((len(numbers), self.parts[0].fingerprint.dim), np.float32)
        owners = np.asarray(numbers, np.int64) % len(self.parts)
        for at, mine in self._by_part(numbers).items():
            found[owners == at] = self.parts[at].vectors(mine)
        return found

    def roots(self) -> dict[str, Path]:
        """The roots of all parts by name; of two with one name, the folder of the first."""
        return {name: folder for part in reversed(self.parts) for name, folder in part.roots().items()}

    def _here(self, at: int, number: int) -> int:
        return number * len(self.parts) + at

    def _told(self, at: int, stored: StoredPassage) -> StoredPassage:
        return replace(stored, number=self._here(at, stored.number), index=self.parts[at].name)

    def _by_part(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        """The numbers of each part, as that part counts them, in the order asked."""
        found: dict[int, list[int]] = {}
        for number in numbers:
            found.setdefault(number % len(self.parts), []).append(number // len(self.parts))
        return found

    def _split(self, within: Allowed | None) -> list[Allowed | None]:
        if within is None:
            return [None] * len(self.parts)
        owners = within.numbers % len(self.parts)
        return [Allowed(within.numbers[owners == at] // len(self.parts)) for at in range(len(self.parts))]

    def _allowed(self, found: Sequence[Allowed | None]) -> Allowed | None:
        if all(each is None for each in found):
            return None
        each_numbers = [
            (part.everything() if mine is None else mine).numbers * len(self.parts) + at
            for at, (part, mine) in enumerate(zip(self.parts, found, strict=True))
        ]
        return Allowed(np.sort(np.concatenate(each_numbers)))
