"""The first stages of a search: filters and the two lanes, dense and lexical, on one commit of the index.

Knows snapshots of an index; knows no model, no file's content and no ranking beyond the lanes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rag.errors import IndexFailure
from rag.humanize import counted
from rag.index.catalog.spaces import FIRST
from rag.location import Location, ObjectPath
from rag.search.asked_kind import AskedKind
from rag.search.spaces import SpaceQuery
from rag.search.timings import StageTimer
from rag.text.query_syntax import stresses, unquoted
from rag.types import Kind, Lane, Passage, Query, StoredPassage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.index.room import Answering, Within
    from rag.types import Vectors


STRESSED = "in a question of so many words, a quoted phrase is searched word by word; ask for the phrase alone to demand it"
UNQUOTED = "no passage contains the quoted phrase, so its words are searched one by one"
_Found = TypeVar("_Found", bound="tuple[int, float] | tuple[int, float, float]")


@dataclass(frozen=True, slots=True, eq=False)
class CandidateSet:
    """What the lanes found, with everything that later stages need from the index."""

    lanes: Mapping[Lane, Sequence[tuple[int, float]]]  # passages and scores, best first
    lexical: Mapping[int, float]  # lexical score of every passage that holds a word of the query
    shares: Mapping[int, float]  # share of the query that a passage holds, 0…1
    passages: Mapping[int, StoredPassage]
    similarities: Sequence[
        Mapping[int, float]
    ]  # by space that was asked: inner products of the passages that have a vector there
    asked: Sequence[SpaceQuery]  # these spaces, in the same order
    places: Mapping[int, int]  # row in `vectors` of each passage
    vectors: NDArray[np.float32]  # (passages, dim)
    generations: Mapping[str, int]  # by the name of the index
    notes: tuple[str, ...]
    words: str  # as they were searched
    allowed: Within | None  # the passages that filters, phrases and excluded words leave; None: all
    gone: frozenset[tuple[str, str]]  # root and path of the documents that were left out, as their file is gone

    @property
    def kinds(self) -> dict[int, Kind]:
        """The kind of every passage."""
        return {number: stored.passage.kind for number, stored in self.passages.items()}

    @property
    def wordless(self) -> frozenset[int]:
        """The passages of which no words are known, but for those that name what a photo shows, where none of them was asked for:
        a photo shows more than a classifier names.
        """
        return frozenset(n for n, one in self.passages.items() if not self._has_words(n, one.passage))

    def _has_words(self, number: int, passage: Passage) -> bool:
        return bool(passage.text or passage.caption or (passage.context.seen and number in self.lexical))

    def similarity(self, number: int) -> float:
        """The largest inner product of a passage with the query, over the spaces that have it; 0 where none has."""
        return max((known[number] for known in self.similarities if number in known), default=0.0)

    def lacking(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """Those of some passages that have no vector in a further space that was asked."""
        further = [known for one, known in zip(self.asked, self.similarities, strict=True) if one.space.number != FIRST]
        return tuple(number for number in numbers if number in self.places and any(number not in known for known in further))

    def vectors_of(self, numbers: Sequence[int]) -> Vectors:
        """The vectors of some of the passages, float32 (numbers, dim)."""
        return self.vectors[[self.places[number] for number in numbers]]


def find(
    snapshot: Answering,
    query: Query,
    asked_spaces: Sequence[SpaceQuery],
    candidates: int,
    promised: int,
    timer: StageTimer,
    asked: AskedKind | None = None,
    without: frozenset[str] = frozenset(),
    nearest: int = 0,
) -> CandidateSet:
    """The best `candidates` of each lane, the nearest `promised` of each kind, and the best `promised` of the kind `asked` for.

    The first of `asked_spaces` has the lane "dense", each other one a lane of its own; one that the index has no more is left
    out, with a note. `nearest`, if larger, takes the place of `promised` for the dense lanes: as many of each kind as a filter by
    that kind would give. The passages with the ids `without` are left out. Quoted phrases that leave nothing are searched as
    words, and a note says so.
    """
    filtered = snapshot.matching(query.filters)
    words: str = query.words
    notes: tuple[str, ...] = ()
    if stresses(words):
        words, notes = unquoted(words), (STRESSED,)
    allowed = snapshot.meeting(words, filtered)
    if allowed is not None and not len(allowed) and (plain := unquoted(words)) != words:
        loose = snapshot.meeting(plain, filtered)
        if loose is None or len(loose):
            words, allowed, notes = plain, loose, (UNQUOTED,)
    timer.end("filter")
    spaces, notes_gone = _still_there(snapshot, asked_spaces)
    each = max(promised, nearest)
    by_space = [snapshot.nearest_by_kind(one.vector, candidates, each, allowed, one.space.number)[0] for one in spaces]
    timer.end("dense")
    lexical = snapshot.containing(words, candidates, allowed) if words.strip() else []
    timer.end("lexical")
    if asked is not None and promised and (of_kind := snapshot.meeting(words, snapshot.matching(asked.narrowed(query.filters)))):
        of_it = [snapshot.nearest_by_kind(one.vector, promised, 0, of_kind, one.space.number)[0] for one in spaces]
        by_space = [_joined(found, more) for found, more in zip(by_space, of_it, strict=True)]
        lexical = _joined(lexical, snapshot.containing(words, promised, of_kind))
    dense = by_space[0] if len(by_space) == 1 else _joined_all(by_space)
    among = {number for number, _, _ in lexical}
    missing = sorted(number for number, _ in dense if number not in among)
    others = snapshot.containing(words, len(missing), snapshot.among(missing)) if lexical and missing else []
    timer.end("lexical")
    numbers = list(dict.fromkeys([number for number, _ in dense] + [number for number, _, _ in lexical]))
    present, gone = _drop_deleted({one.number: one for one in snapshot.passages(numbers) if one.id not in without})
    kept = list(present)
    vectors = snapshot.vectors(kept)
    lanes: dict[Lane, list[tuple[int, float]]] = {
        lane_of(at, one): [(number, score) for number, score in found if number in present]
        for at, (one, found) in enumerate(zip(spaces, by_space, strict=True))
    }
    similarities = [_similarities(snapshot, one, kept, vectors) | dict(lanes[lane_of(at, one)]) for at, one in enumerate(spaces)]
    lanes["lexical"] = [(number, score) for number, score, _ in lexical if number in present]
    return CandidateSet(
        lanes=lanes,
        lexical={number: score for number, score, _ in (*lexical, *others) if number in present},
        shares={number: share for number, _, share in (*lexical, *others) if number in present},
        passages=present,
        similarities=similarities,
        asked=spaces,
        places={number: at for at, number in enumerate(kept)},
        vectors=vectors,
        generations=snapshot.generations,
        notes=notes
        + notes_gone
        + _note_corrected(snapshot, query, words)
        + _note_gone(gone)
        + _explain_nothing(query, filtered, allowed, dense),
        words=words,
        allowed=allowed,
        gone=frozenset((one.passage.document.root, one.passage.document.path) for one in gone),
    )


def lane_of(at: int, one: SpaceQuery) -> Lane:
    """The name of the lane of a space: that of the first asked is "dense"."""
    return f"dense:{one.space.name}" if at else "dense"


def _still_there(snapshot: Answering, spaces: Sequence[SpaceQuery]) -> tuple[Sequence[SpaceQuery], tuple[str, ...]]:
    """The spaces that were not dropped since the query was embedded, and notes on the others. IndexFailure where none is left."""
    if len(spaces) == 1 and spaces[0].space.number == FIRST:
        return spaces, ()
    there = {FIRST, *(space.number for space in snapshot.spaces)}
    kept = [one for one in spaces if one.space.number in there]
    if not kept:
        raise IndexFailure(f"{spaces[0].space.name} was dropped meanwhile", remedy="search again")
    return kept, tuple(f"{one.space.name} was dropped meanwhile" for one in spaces if one.space.number not in there)


def _similarities(snapshot: Answering, one: SpaceQuery, numbers: Sequence[int], first: Vectors) -> dict[int, float]:
    """The inner products of the query with the passages that a space has; `first` are their vectors in the first space."""
    if one.space.number != FIRST:
        held, rows = snapshot.vectors_in(one.space.number, numbers)
    else:  # of several indexes, one may lack it: its rows are zeros
        there: NDArray[np.bool_] = np.any(first != 0, axis=1)
        held, rows = [number for number, has in zip(numbers, there.tolist(), strict=True) if has], first[there]
    return dict(zip(held, (rows @ one.vector[0]).tolist(), strict=True))


def _joined_all(nearest: Sequence[Sequence[tuple[int, float]]]) -> list[tuple[int, float]]:
    """The passages of several dense lanes, each once: rank by rank, as their scores cannot be compared."""
    places: dict[int, tuple[int, float]] = {}
    for found in nearest:
        for place, (number, score) in enumerate(found):
            if number not in places or place < places[number][0]:
                places[number] = place, score
    ordered = sorted(places.items(), key=lambda one: (one[1][0], one[0]))
    return [(number, score) for number, (_, score) in ordered]


def _joined(found: Sequence[_Found], more: Sequence[_Found]) -> list[_Found]:
    """Two lists of (number, score, …), best first, as one; ties by smaller number."""
    return sorted({one[0]: one for one in (*more, *found)}.values(), key=lambda one: (-one[1], one[0]))


def _explain_nothing(
    query: Query, filtered: Within | None, allowed: Within | None, dense: Sequence[tuple[int, float]]
) -> tuple[str, ...]:
    """A note where the index or the filters leave nothing to find."""
    if filtered is not None and not len(filtered):
        hint = "; paths are relative to a root, as hits show them" if query.filters.paths else ""
        return (f"no passage matches the filters{hint}",)
    if allowed is not None and not len(allowed):
        return ("no passage contains the quoted phrase and avoids the excluded words; without quotes, words match one by one",)
    return () if dense else ("the index has no passages yet; `rag status` shows what it holds",)


def _drop_deleted(found: Mapping[int, StoredPassage]) -> tuple[dict[int, StoredPassage], list[StoredPassage]]:
    """Drops passages whose file is gone while its folder exists: a hit that cannot be opened is worse than none."""
    files = {stored.file for stored in found.values()}
    gone = {file for file in files if _is_gone(file) and not _is_gone(file.parent)}
    kept = {number: stored for number, stored in found.items() if stored.file not in gone}
    return kept, [stored for stored in found.values() if stored.file in gone]


def without_deleted(found: Sequence[StoredPassage]) -> list[StoredPassage]:
    """The passages whose file is there, or whose whole folder is gone."""
    return list(_drop_deleted({stored.number: stored for stored in found})[0].values())


def _note_corrected(snapshot: Answering, query: Query, words: str) -> tuple[str, ...]:
    """A note on the words that were read as others; none for the words of a picture or a passage, which nobody typed."""
    if query.content.modality != "text" or not words.strip():
        return ()
    read_as = snapshot.corrections(words).items()
    return tuple(f"no passage contains {typed!r}; it was read as {read!r}" for typed, read in read_as)


def _note_gone(gone: Sequence[StoredPassage]) -> tuple[str, ...]:
    counts = Counter(index for index, _ in {(stored.index, stored.file) for stored in gone})
    which = {index: counted(count, "matching file is", "matching files are") for index, count in counts.items()}
    return tuple(
        f"{index}{': ' if index else ''}{files} gone; `rag index` brings the index up to date" for index, files in which.items()
    )


def _is_gone(file: Location) -> bool:
    """Whether nothing is at that path; a file that cannot be checked is not gone, and no store is asked."""
    if isinstance(file, ObjectPath):
        return False
    try:
        os.stat(file)  # noqa: PTH116 - two hundred a query, and pathlib takes as long again
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
