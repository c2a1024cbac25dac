"""Searches several open indexes as one: every fingerprint among them is a vector space, which some of them have and others lack.

Knows open indexes; knows no model and no corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import EmbedderMismatch
from rag.index.catalog.spaces import FIRST, Space
from rag.index.lexical.bm25_search import Frequencies
from rag.index.reader.federated_spaces import SpaceNumbers, connected, models_of
from rag.index.reader.outlines import PassageOutline
from rag.location import Location
from rag.types import Filters, Fingerprint, StoredPassage

if TYPE_CHECKING:
    from rag.index.room import Moment, OpenedIndex, Within
    from rag.types import Vectors


class FederatedSelection:
    """What is selected of each part; None where that is every passage of it."""

    def __init__(self, each: Sequence[Within | None], parts: Sequence[Moment]) -> None:
        self.each = tuple(each)
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part.everything() if mine is None else mine) for part, mine in zip(self._parts, self.each, strict=True))


class FederatedIndex:
    """Open indexes that share models, searched as one.

    A space of theirs is a fingerprint: the first space is that of the first part's own, and every other that any part has, as its
    first or a further one, is a further one here. What a part lacks is not found there.
    """

    def __init__(self, parts: Sequence[OpenedIndex]) -> None:
        """EmbedderMismatch where parts have no model in common. The caller keeps ownership of the parts and closes them."""
        first = parts[0]
        own = [models_of(part) for part in parts]
        alone = next((at for at in connected(own)[1:] if at != 0), None)
        if alone is not None:
            raise EmbedderMismatch(parts[alone].folder, parts[alone].fingerprint, first.fingerprint)
        self.parts = tuple(parts)
        self.name = ", ".join(part.name for part in parts)
        self.folder = first.folder
        self.fingerprint: Fingerprint = first.fingerprint
        self._numbers = SpaceNumbers(first.fingerprint)

    @contextmanager
    def snapshot(self) -> Iterator[FederatedSnapshot]:
        """The last commit of each part, for the duration of the `with`. Raises as `OpenIndex.snapshot`."""
        with ExitStack() as stack:
            yield FederatedSnapshot([stack.enter_context(part.snapshot()) for part in self.parts], self._numbers)

    def spaces(self) -> tuple[Space, ...]:
        """As `FederatedSnapshot.spaces`."""
        with self.snapshot() as snapshot:
            return snapshot.spaces

    def ask_first(self, passages: Sequence[int]) -> None:
        """As `OpenIndex.ask_first`, each in its own part, if that has a further model at all."""
        for at, part in enumerate(self.parts):
            mine = [number // len(self.parts) for number in passages if number % len(self.parts) == at]
            if mine and part.spaces():
                part.ask_first(mine)

    def remarks(self) -> tuple[str, ...]:
        """The remarks of each part, prefixed with its name."""
        return tuple(f"{part.name}: {remark}" for part in self.parts for remark in part.remarks())


class FederatedSnapshot:
    """One commit of each of several indexes, queried as one.

    Passage `n` of index `i` out of `count` has the number `n · count + i` here; every passage carries its index's name.
    Similarities are those of one index with all the passages. Lexical scores use the word frequencies of all parts together, and
    the mean length of each part's own passages. Results have the usual order: larger first, ties by smaller number.
    """

    def __init__(self, parts: Sequence[Moment], numbers: SpaceNumbers) -> None:
        self.parts = tuple(parts)
        self._spaces_of = numbers.of(self.parts)

    @property
    def generations(self) -> Mapping[str, int]:
        """The generation of each part, by index name."""
        return {part.name: part.generation for part in self.parts}

    def matching(self, wanted: Filters) -> FederatedSelection | None:
        """The passages that the filters allow in each part; None where that is every passage of all parts."""
        return self._allowed([part.matching(wanted) for part in self.parts])

    def meeting(self, words: str, within: FederatedSelection | None = None) -> FederatedSelection | None:
        """As `Snapshot.meeting`, in each part."""
        split = self._split(within)
        return self._allowed([part.meeting(words, mine) for part, mine in zip(self.parts, split, strict=True)])

    def among(self, numbers: Sequence[int]) -> FederatedSelection:
        """Only the passages with these numbers."""
        mine = self._by_part(numbers)
        return FederatedSelection([part.among(mine.get(at, [])) for at, part in enumerate(self.parts)], self.parts)

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The fingerprints beside that of the first part, which any part has, by number."""
        return self._spaces_of.further

    def vectors_in(self, space: int, numbers: Sequence[int]) -> tuple[list[int], Vectors]:
        """As `Snapshot.vectors_in`, in every part that has the space: (numbers, float32 (n, dim))."""
        held: dict[int, int] = {}
        rows: list[Vectors] = []
        for at, mine in self._by_part(numbers).items():
            if (own := self._spaces_of.own(at, space)) is not None:
                there, found = self.parts[at].vectors_in(own, mine)
                held |= {self._global_number(at, number): len(held) + place for place, number in enumerate(there)}
                rows.append(found)
        kept = [number for number in numbers if number in held]
        empty = np.empty((0, self._spaces_of.dim(space)), np.float32)
        return kept, np.concatenate([empty, *rows])[[held[number] for number in kept]]

    def nearest_by_kind(
        self, vectors: Vectors, k: int, per_kind: int, within: FederatedSelection | None = None, space: int = FIRST
    ) -> list[list[tuple[int, float]]]:
        """As `Snapshot.nearest_by_kind`, of each part that has the space, in one order, a list for each row of `vectors`."""
        split = self._split(within)
        found = [
            (at, part.nearest_by_kind(vectors, k, per_kind, mine, own))
            for at, (part, mine) in enumerate(zip(self.parts, split, strict=True))
            if (own := self._spaces_of.own(at, space)) is not None
        ]
        return [
            sorted(
                ((self._global_number(at, number), score) for at, each in found for number, score in each[query]),
                key=lambda pair: (-pair[1], pair[0]),
            )
            for query in range(len(vectors))
        ]

    def containing(self, words: str, k: int, within: FederatedSelection | None = None) -> list[tuple[int, float, float]]:
        """The k passages of all parts that match the words best."""
        split = self._split(within)
        each = [part.frequencies(words) for part in self.parts]
        everywhere = None
        if len({len(one.counts) for one in each}) == 1:  # else the parts were folded by different rules
            together = tuple(map(sum, zip(*(one.counts for one in each), strict=True)))
            everywhere = Frequencies(sum(one.live for one in each), together)
        found = [
            (self._global_number(at, number), score, share)
            for at, (part, mine) in enumerate(zip(self.parts, split, strict=True))
            for number, score, share in part.containing(words, k, mine, everywhere=everywhere)
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))[:k]

    def corrections(self, words: str) -> dict[str, str]:
        """As `Snapshot.corrections`, of the words that no part holds."""
        first, *others = [part.corrections(words) for part in self.parts]
        return {typed: read for typed, read in first.items() if all(typed in other for other in others)}

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, in the given order, each with the name of its index."""
        found: dict[int, StoredPassage] = {}
        for at, mine in self._by_part(numbers).items():
            for stored in self.parts[at].passages(mine):
                found[self._global_number(at, stored.number)] = self._labelled(at, stored)
        return [found[number] for number in numbers]

    def outlines(self, numbers: Sequence[int]) -> list[PassageOutline]:
        """As `Snapshot.outlines`, each with the name of its index."""
        found: dict[int, PassageOutline] = {}
        for at, mine in self._by_part(numbers).items():
            for outline in self.parts[at].outlines(mine):
                number = self._global_number(at, outline.number)
                found[number] = outline._replace(number=number)
        return [found[number] for number in numbers]

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The live passage with that short id, from the first part that has one; None where none has."""
        for at, part in enumerate(self.parts):
            if stored := part.by_id(short_id):
                return self._labelled(at, stored)
        return None

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of live passages in the first space, float32 (n, dim), in the given order.

        Where a part lacks it, the row is all zeros: such a passage is like no other.
        """
        held, rows = self.vectors_in(FIRST, numbers)
        if len(held) == len(numbers):
            return rows
        known = dict(zip(held, range(len(held)), strict=True))
        found = np.zeros((len(numbers), rows.shape[1]), np.float32)
        for place, number in enumerate(numbers):
            if number in known:
                found[place] = rows[known[number]]
        return found

    def roots(self) -> dict[str, Location]:
        """The folder of each root of all parts, by name; where two share a name, the first part's."""
        return {name: folder for part in reversed(self.parts) for name, folder in part.roots().items()}

    def _global_number(self, at: int, number: int) -> int:
        return number * len(self.parts) + at

    def _labelled(self, at: int, stored: StoredPassage) -> StoredPassage:
        return replace(stored, number=self._global_number(at, stored.number), index=self.parts[at].name)

    def _by_part(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        """The numbers grouped by part and converted to that part's own, in the given order."""
        found: dict[int, list[int]] = {}
        for number in numbers:
            found.setdefault(number % len(self.parts), []).append(number // len(self.parts))
        return found

    def _split(self, within: FederatedSelection | None) -> Sequence[Within | None]:
        return [None] * len(self.parts) if within is None else within.each

    def _allowed(self, found: Sequence[Within | None]) -> FederatedSelection | None:
        return None if all(each is None for each in found) else FederatedSelection(found, self.parts)
