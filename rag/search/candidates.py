"""The first stages of a search: filters and the two lanes, dense and lexical, on one commit of the index.

Knows snapshots of an index; knows no model, no file's content and no ranking beyond the lanes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.humanize import counted
from rag.index.reader.federated import Answering
from rag.index.reader.open_index import Allowed
from rag.search.asked_kind import AskedKind
from rag.search.timings import StageTimer
from rag.text.query_syntax import unquoted
from rag.types import Kind, Lane, Query, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


UNQUOTED = "no passage contains the quoted phrase, so its words are searched one by one"
_Found = TypeVar("_Found", bound="tuple[int, float] | tuple[int, float, float]")


@dataclass(frozen=True, slots=True, eq=False)
class CandidateSet:
    """What the lanes found, with everything that later stages need from the index."""

    lanes: Mapping[Lane, Sequence[tuple[int, float]]]  # passages and scores, best first
    lexical: Mapping[int, float]  # lexical score of every passage that holds a word of the query
    shares: Mapping[int, float]  # share of the query that a passage holds, 0…1
    passages: Mapping[int, StoredPassage]
    similarities: Mapping[int, float]  # inner product of every passage with the query's vector
    places: Mapping[int, int]  # row in `vectors` of each passage
    vectors: NDArray[np.float32]  # (passages, dim)
    generations: Mapping[str, int]  # by the name of the index
    notes: tuple[str, ...]
    words: str  # as they were searched
    allowed: Allowed | None  # the passages that filters, phrases and excluded words leave; None: all
    gone: frozenset[tuple[str, str]]  # root and path of the documents that were left out, as their file is gone

    @property
    def kinds(self) -> dict[int, Kind]:
        """The kind of every passage."""
        return {number: stored.passage.kind for number, stored in self.passages.items()}

    @property
    def wordless(self) -> frozenset[int]:
        """The passages without any text."""
        return frozenset(n for n, one in self.passages.items() if not (one.passage.text or one.passage.caption))

    def vectors_of(self, numbers: Sequence[int]) -> Vectors:
        """The vectors of some of the passages, float32 (numbers, dim)."""
        return self.vectors[[self.places[number] for number in numbers]]


def find(
    snapshot: Answering,
    query: Query,
    vector: Vectors,
    candidates: int,
    promised: int,
    timer: StageTimer,
    asked: AskedKind | None = None,
    without: str = "",
    nearest: int = 0,
) -> CandidateSet:
    """The best `candidates` of each lane, the nearest `promised` of each kind, and the best `promised` of the kind `asked` for.

    `vector` has shape (1, dim). `nearest`, if larger, takes the place of `promised` for the dense lane: as many of each kind as a
    filter by that kind would give. The passage with the id `without` is left out. Quoted phrases that leave nothing are searched
    as words, and a note says so.
    """
    filtered = snapshot.matching(query.filters)
    words: str = query.words
    notes: tuple[str, ...] = ()
    allowed = snapshot.meeting(words, filtered)
    if allowed is not None and not len(allowed) and (plain := unquoted(words)) != words:
        loose = snapshot.meeting(plain, filtered)
        if loose is None or len(loose):
            words, allowed, notes = plain, loose, (UNQUOTED,)
    timer.end("filter")
    dense = snapshot.nearest_by_kind(vector, candidates, max(promised, nearest), allowed)[0]
    timer.end("dense")
    lexical = snapshot.containing(words, candidates, allowed) if words.strip() else []
    timer.end("lexical")
    if asked is not None and promised and (of_kind := snapshot.meeting(words, snapshot.matching(asked.narrowed(query.filters)))):
        dense = _joined(dense, snapshot.nearest_by_kind(vector, promised, 0, of_kind)[0])
        lexical = _joined(lexical, snapshot.containing(words, promised, of_kind))
    among = {number for number, _, _ in lexical}
    missing = sorted(number for number, _ in dense if number not in among)
    others = snapshot.containing(words, len(missing), Allowed(np.array(missing, np.int64))) if lexical and missing else []
    timer.end("lexical")
    numbers = list(dict.fromkeys([number for number, _ in dense] + [number for number, _, _ in lexical]))
    present, gone = _drop_deleted({one.number: one for one in snapshot.passages(numbers) if one.id != without})
    kept = list(present)
    vectors = snapshot.vectors(kept)
    similarities = dict(zip(kept, (vectors @ vector[0]).tolist(), strict=True))
    lanes: dict[Lane, list[tuple[int, float]]] = {
        "dense": [(number, score) for number, score in dense if number in present],
        "lexical": [(number, score) for number, score, _ in lexical if number in present],
    }
    return CandidateSet(
        lanes=lanes,
        lexical={number: score for number, score, _ in (*lexical, *others) if number in present},
        shares={number: share for number, _, share in (*lexical, *others) if number in present},
        passages=present,
        similarities=similarities | dict(lanes["dense"]),
        places={number: at for at, number in enumerate(kept)},
        vectors=vectors,
        generations=snapshot.generations,
        notes=notes
        + _note_corrected(snapshot, query, words)
        + _note_gone(gone)
        + _explain_nothing(query, filtered, allowed, dense),
        words=words,
        allowed=allowed,
        gone=frozenset((one.passage.document.root, one.passage.document.path) for one in gone),
    )


def _joined(found: Sequence[_Found], more: Sequence[_Found]) -> list[_Found]:
    """Two lists of (number, score, …), best first, as one; ties by smaller number."""
    return sorted({one[0]: one for one in (*more, *found)}.values(), key=lambda one: (-one[1], one[0]))


def _explain_nothing(
    query: Query, filtered: Allowed | None, allowed: Allowed | None, dense: Sequence[tuple[int, float]]
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
    return tuple(f"no passage contains {typed!r}; it was read as {read!r}" for typed, read in snapshot.corrections(words).items())


def _note_gone(gone: Sequence[StoredPassage]) -> tuple[str, ...]:
    counts = Counter(index for index, _ in {(stored.index, stored.file) for stored in gone})
    which = {index: counted(count, "matching file is", "matching files are") for index, count in counts.items()}
    return tuple(
        f"{index}{': ' if index else ''}{files} gone; `rag index` brings the index up to date" for index, files in which.items()
    )


def _is_gone(file: Path) -> bool:
    """Whether nothing is at that path; a file that cannot be checked is not gone."""
    try:
        os.stat(file)  # noqa: PTH116 - two hundred a query, and pathlib takes as long again
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
