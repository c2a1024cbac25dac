"""An open index as one sees it who may see some of its roots: found, counted and told is what an index of these alone would hold.

Knows roots and moments; knows no key, no folder and no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rag.index.catalog.spaces import FIRST, Space
from rag.index.reader.last_moment import LastMoment
from rag.types import Filters

if TYPE_CHECKING:
    from pathlib import Path

    from rag.index.catalog.status import IndexStatus
    from rag.index.lexical.bm25_search import Frequencies
    from rag.index.reader.outlines import PassageOutline
    from rag.index.room import Moment, OpenedIndex, Place, Within, Words
    from rag.location import Location
    from rag.types import Fingerprint, StoredPassage, Vectors


class LimitedIndex(LastMoment):
    """As `OpenedIndex`. It has no remarks: these are on the index as a whole."""

    def __init__(self, opened: OpenedIndex, roots: Iterable[str]) -> None:
        """`roots` are the names that may be seen, in this index or in any other."""
        self._opened, self._allowed = opened, frozenset(roots)

    @property
    def name(self) -> str:
        """The name of the index."""
        return self._opened.name

    @property
    def folder(self) -> Place:
        """Where the index is."""
        return self._opened.folder

    @property
    def derived(self) -> Path:
        """As `OpenedIndex.derived`."""
        return self._opened.derived

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the model that made the vectors."""
        return self._opened.fingerprint

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings the index was made with."""
        return self._opened.settings

    @property
    def generation(self) -> int:
        """The newest commit that was seen."""
        return self._opened.generation

    def refresh(self) -> bool:
        """As `OpenedIndex.refresh`."""
        return self._opened.refresh()

    def look_again(self) -> None:
        """As `OpenedIndex.look_again`."""
        self._opened.look_again()

    def close(self) -> None:
        """Closes the index, for all who see it."""
        self._opened.close()

    @contextmanager
    def snapshot(self) -> Iterator[LimitedMoment]:
        """A moment of the roots that may be seen. Errors as those of the index."""
        with self._opened.snapshot() as moment:
            yield LimitedMoment(moment, self._allowed)

    def remarks(self) -> tuple[str, ...]:
        """None."""
        return ()

    def ask_first(self, passages: Sequence[int]) -> None:
        """As `OpenedIndex.ask_first`."""
        self._opened.ask_first(passages)


class LimitedMoment:
    """As `Moment`, of some roots; what another root holds is not there, and counts in nothing."""

    def __init__(self, moment: Moment, allowed: frozenset[str]) -> None:
        self._moment = moment
        self._roots = tuple(sorted(allowed & moment.roots().keys()))
        self.name, self.fingerprint, self.generation = moment.name, moment.fingerprint, moment.generation

    @property
    def generations(self) -> Mapping[str, int]:
        """The generation, by index name."""
        return self._moment.generations

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The vector spaces beside the first."""
        return self._moment.spaces

    @cached_property
    def _words(self) -> Words:
        return self._moment.words_of(self._roots)

    @cached_property
    def _all(self) -> Within:
        return self._of(Filters())

    def _of(self, wanted: Filters) -> Within:
        roots = tuple(root for root in self._roots if not wanted.roots or root in wanted.roots)
        found = self._moment.matching(replace(wanted, roots=roots)) if roots else None
        return self._moment.among([]) if found is None else found

    def matching(self, wanted: Filters) -> Within:
        """The passages that the filters allow."""
        return self._all if wanted == Filters() else self._of(wanted)

    def meeting(self, words: str, within: Within | None = None) -> Within | None:
        """As `Moment.meeting`."""
        return self._moment.meeting(words, self._all if within is None else within)

    def among(self, numbers: Sequence[int]) -> Within:
        """Only the passages with these numbers, which this moment gave."""
        return self._moment.among(numbers)

    def everything(self) -> Within:
        """Every passage of the roots."""
        return self._all

    def sample(self, most: int, random: np.random.Generator) -> list[int]:
        """The numbers of some passages of the roots."""
        held = len(self._moment.everything())
        found = self._moment.outlines(self._moment.sample(held, random))
        return [one.number for one in found if one.root in self._roots][:most]

    def nearest_by_kind(
        self, vectors: Vectors, k: int, per_kind: int, within: Within | None = None, space: int = FIRST
    ) -> list[list[tuple[int, float]]]:
        """As `Moment.nearest_by_kind`, for `vectors`, float32 (queries, dim)."""
        return self._moment.nearest_by_kind(vectors, k, per_kind, self._all if within is None else within, space)

    def containing(
        self, words: str, k: int, within: Within | None = None, *, everywhere: Frequencies | None = None
    ) -> list[tuple[int, float, float]]:
        """As `Moment.containing`, with the rarity that the words have in the roots."""
        return self._words.containing(words, k, self._all if within is None else within, everywhere=everywhere)

    def corrections(self, words: str) -> dict[str, str]:
        """As `Moment.corrections`, of the words that the roots hold."""
        return self._words.corrections(words)

    def frequencies(self, words: str) -> Frequencies:
        """As `Moment.frequencies`, in the roots."""
        return self._words.frequencies(words)

    def document_frequencies(self, words: Iterable[str]) -> tuple[dict[str, int], int]:
        """As `Moment.document_frequencies`, in the roots."""
        return self._words.document_frequencies(words)

    def words_of(self, roots: Sequence[str]) -> Words:
        """As `Moment.words_of`, of those of the roots that may be seen."""
        return self._moment.words_of(tuple(root for root in self._roots if root in roots))

    def passages(self, numbers: Sequence[int]) -> list[StoredPassage]:
        """The passages with these numbers, which this moment gave, in the given order."""
        return self._moment.passages(numbers)

    def outlines(self, numbers: Sequence[int]) -> list[PassageOutline]:
        """Where these passages are, and what."""
        return self._moment.outlines(numbers)

    def by_id(self, short_id: str) -> StoredPassage | None:
        """The passage with that short id; None where none of the roots has it."""
        stored = self._moment.by_id(short_id)
        return stored if stored is not None and stored.passage.document.root in self._roots else None

    def neighbours(self, number: int, reach: int = 1) -> list[StoredPassage]:
        """As `Moment.neighbours`: they are in the same document."""
        return self._moment.neighbours(number, reach)

    def vectors(self, numbers: Sequence[int]) -> Vectors:
        """The stored vectors of passages, float32 (n, dim), in the given order."""
        return self._moment.vectors(numbers)

    def vectors_in(self, space: int, numbers: Sequence[int]) -> tuple[list[int], Vectors]:
        """As `Moment.vectors_in`: the numbers held, and float32 (n, dim)."""
        return self._moment.vectors_in(space, numbers)

    def roots(self) -> dict[str, Location]:
        """The folder of each root that may be seen, by name."""
        return {name: folder for name, folder in self._moment.roots().items() if name in self._roots}

    def document_paths(self) -> tuple[str, ...]:
        """The path below its root of every document of the roots that was read and holds a passage."""
        numbers = self.sample(len(self._all), np.random.default_rng(0))
        return tuple(dict.fromkeys(one.path for one in self._moment.outlines(numbers)))

    def status(self) -> IndexStatus:
        """Counts of what the roots hold; what belongs to the index as a whole is 0 or empty."""
        return self._moment.status_of(self._roots)

    def status_of(self, roots: Sequence[str]) -> IndexStatus:
        """The same of those of these roots that may be seen."""
        return self._moment.status_of([root for root in roots if root in self._roots])
