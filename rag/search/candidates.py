"""The first stages: filters, two lanes, and all that is kept of what they found, from one commit of the index.

Knows moments of an index; knows no model, no file's content and no order but that of the lanes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.humanize import counted
from rag.index.reader.federated import Answering
from rag.index.reader.open_index import Allowed
from rag.search.timings import StageTimer
from rag.types import Kind, Lane, Query, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class CandidateSet:
    """What the lanes found: everything that an answer needs of the index, so that it is asked nothing more."""

    lanes: Mapping[Lane, Sequence[tuple[int, float]]]  # passages and scores, best first
    shares: Mapping[int, float]  # how much of the question the lexical lane found in a passage
    passages: Mapping[int, StoredPassage]
    similarities: Mapping[int, float]  # of every passage with the query's vector
    places: Mapping[int, int]  # of the passages in `vectors`
    vectors: NDArray[np.float32]
    generations: Mapping[str, int]  # by the name of the index
    notes: tuple[str, ...]

    @property
    def kinds(self) -> dict[int, Kind]:
        """The kind of every passage."""
        return {number: stored.passage.kind for number, stored in self.passages.items()}

    @property
    def wordless(self) -> frozenset[int]:
        """The passages of which no words are known."""
        return frozenset(n for n, one in self.passages.items() if not (one.passage.text or one.passage.caption))

    def vectors_of(self, numbers: Sequence[int]) -> Vectors:
        """The vectors of some of the passages, a row each."""
        return self.vectors[[self.places[number] for number in numbers]]


def find(snapshot: Answering, query: Query, vector: Vectors, candidates: int, promised: int, timer: StageTimer) -> CandidateSet:
    """The `candidates` best of each lane, with the `promised` nearest of each kind. `vector` has one row."""
    filtered = snapshot.matching(query.filters)
    allowed = snapshot.meeting(query.words, filtered)
    timer.end("filter")
    dense = snapshot.nearest_by_kind(vector, candidates, promised, allowed)[0]
    timer.end("dense")
    worded = snapshot.containing(query.words, candidates, allowed) if query.words.strip() else []
    timer.end("lexical")
    numbers = list(dict.fromkeys([number for number, _ in dense] + [number for number, _, _ in worded]))
    present, notes = _still_there({one.number: one for one in snapshot.passages(numbers)})
    kept = list(present)
    vectors = snapshot.vectors(kept)
    similarities = dict(zip(kept, (vectors @ vector[0]).tolist(), strict=True))
    lanes: dict[Lane, list[tuple[int, float]]] = {
        "dense": [(number, score) for number, score in dense if number in present],
        "lexical": [(number, score) for number, score, _ in worded if number in present],
    }
    return CandidateSet(
        lanes=lanes,
        shares={number: share for number, _, share in worded},
        passages=present,
        similarities=similarities | dict(lanes["dense"]),
        places={number: at for at, number in enumerate(kept)},
        vectors=vectors,
        generations=snapshot.generations,
        notes=notes + _why_nothing(query, filtered, allowed, dense),
    )


def _why_nothing(
    query: Query, filtered: Allowed | None, allowed: Allowed | None, dense: Sequence[tuple[int, float]]
) -> tuple[str, ...]:
    """A note where nothing can be found whatever the models say."""
    if filtered is not None and not len(filtered):
        below = "; paths are those below a root, as hits show them" if query.filters.paths else ""
        return (f"nothing in the index passes the filters{below}",)
    if allowed is not None and not len(allowed):
        return ("no passage holds what is quoted and none of what is not wanted; without quotes, words count one by one",)
    return () if dense else ("the index holds no passages yet; `rag status` says what it holds",)


def _still_there(found: Mapping[int, StoredPassage]) -> tuple[dict[int, StoredPassage], tuple[str, ...]]:
    """Without passages whose file is gone while its folder is there: a hit one cannot open is worse than none."""
    files = {stored.file for stored in found.values()}
    gone = {file for file in files if _is_gone(file) and not _is_gone(file.parent)}
    missed = {(stored.index, stored.file) for stored in found.values() if stored.file in gone}
    many = Counter(index for index, _ in missed)
    which = {index: counted(count, "file that matched is", "files that matched are") for index, count in many.items()}
    notes = [
        f"{index}{': ' if index else ''}{files} gone; `rag index` brings the index up to date" for index, files in which.items()
    ]
    return {n: stored for n, stored in found.items() if stored.file not in gone}, tuple(notes)


def _is_gone(file: Path) -> bool:
    """Whether there is nothing at that place; what one may not look at is not gone."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
