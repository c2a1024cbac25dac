"""The vector spaces of several indexes that are searched as one: a number for every fingerprint among them.

Knows fingerprints, and the spaces of open indexes and snapshots; searches nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rag.errors import IndexFailure
from rag.index.catalog.spaces import FIRST, Space
from rag.index.room import Moment, OpenedIndex
from rag.types import Fingerprint


def models_of(index: OpenedIndex) -> frozenset[Fingerprint]:
    """The fingerprints that an index has vectors of, of as many passages as were filled."""
    return frozenset((index.fingerprint, *(space.fingerprint for space in index.spaces())))


def connected(models: Sequence[Set[Fingerprint]]) -> list[int]:
    """For each index the place of the first one that it shares a model with, itself or through others."""
    groups: list[tuple[int, frozenset[Fingerprint]]] = []
    for at, own in enumerate(models):
        joined = [group for group in groups if group[1] & own]
        groups = [group for group in groups if not group[1] & own]
        first = min([at, *(place for place, _ in joined)])
        groups.append((first, frozenset(own).union(*(each for _, each in joined))))
    return [next(place for place, group in groups if group & own) for own in models]


class SpaceNumbers:
    """Numbers fingerprints as they are met, from 0 for the first; a number stays. Thread-safe."""

    def __init__(self, first: Fingerprint) -> None:
        self._numbers = {first: FIRST}
        self._lock = threading.Lock()

    def of(self, parts: Sequence[Moment]) -> PartSpaces:
        """The spaces of these snapshots, which are those of the parts in order."""
        own: list[Mapping[int, int]] = []
        further: dict[int, Space] = {}
        for part in parts:
            mine: dict[int, int] = {}
            first = Space(FIRST, part.fingerprint.model, part.fingerprint, {})
            for space in (first, *part.spaces):
                with self._lock:
                    number = self._numbers.setdefault(space.fingerprint, len(self._numbers))
                mine[number] = space.number
                if number != FIRST and number not in further:
                    taken = {each.name for each in further.values()} | {parts[0].fingerprint.model}
                    name = space.name if space.name not in taken else f"{space.name} of {part.name}"
                    further[number] = replace(space, number=number, name=name)
            own.append(mine)
        dims = {FIRST: parts[0].fingerprint.dim} | {number: space.fingerprint.dim for number, space in further.items()}
        return PartSpaces(tuple(further[number] for number in sorted(further)), tuple(own), dims)


@dataclass(frozen=True, slots=True)
class PartSpaces:
    """The further spaces of several snapshots, by number, and which number each has in each of them."""

    further: tuple[Space, ...]
    numbers: tuple[Mapping[int, int], ...]  # of each part: its own number by the one here
    dims: Mapping[int, int]

    def own(self, part: int, space: int) -> int | None:
        """The number that a space has in a part; None where the part lacks it."""
        return self.numbers[part].get(space)

    def dim(self, space: int) -> int:
        """The dimension of a space. IndexFailure where no part has it any more."""
        if space not in self.dims:
            raise IndexFailure(f"no index has vector space {space} any more", remedy="search again")
        return self.dims[space]
