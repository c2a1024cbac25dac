"""The whole list of results: the ranked ones, then every other passage that holds a word of the query; counted, ordered, cut.

Knows ranked results and outlines of passages; knows no model, no file and no words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.search.dedup import DuplicateGroup

if TYPE_CHECKING:
    from rag.index.reader.outlines import PassageOutline
    from rag.index.room import Answering
    from rag.search.candidates import CandidateSet
    from rag.types import StoredPassage

_DIGITS = re.compile(r"([0-9]{1,18})", re.ASCII)
MOST_LISTED = 10_000  # passages of the lexical lane that a list holds


@dataclass(frozen=True, slots=True)
class FurtherResult:
    """A document, or a place, that holds a word of the query and came after the candidates."""

    outline: PassageOutline  # of its best passage
    rank: int  # in the lexical lane
    lexical: float  # score of that lane
    share: float  # of the query that it holds
    score: float  # 0…1, on the scale of the ranked results


@dataclass(frozen=True, slots=True)
class Listing:
    """All results in the order asked for, and how many there are of each kind and in each folder."""

    results: Sequence[DuplicateGroup | FurtherResult]
    exact: bool  # False: more passages hold a word of the query than a list holds
    counts: Mapping[str, Mapping[str, int]]  # "kinds", "folders", "roots": the results that a filter by each would keep


@dataclass(frozen=True, slots=True)
class Matches:
    """The passages that hold a word of the query, best first, and whether those are all."""

    found: Sequence[tuple[PassageOutline, int, float, float]]  # with rank, score and share
    whole: bool


def read_matches(snapshot: Answering, found: CandidateSet, *, typed: bool, without: Sequence[int] = ()) -> Matches:
    """All passages that hold a word of the query but those `without`, up to `MOST_LISTED`; none for a query nobody `typed`."""
    if not typed or not found.words.strip():
        return Matches((), True)
    lexical = snapshot.containing(found.words, MOST_LISTED + 1, found.allowed)
    kept = [one for one in lexical[:MOST_LISTED] if one[0] not in without]
    outlines = snapshot.outlines([number for number, _, _ in kept])
    numbered = [
        (outline, rank, score, share)
        for rank, (outline, (_, score, share)) in enumerate(zip(outlines, kept, strict=True), start=1)
    ]
    return Matches(numbered, len(lexical) <= MOST_LISTED)


def list_all(
    ranked: Sequence[DuplicateGroup],
    matches: Matches,
    found: CandidateSet,
    index: str,
    group: str,
    order: str,
    min_score: float,
) -> Listing:
    """The ranked results, and behind them one for each document (or place) of `matches` that is not among them.

    A further result has the score of the last ranked one, times its BM25 by the largest of a candidate: it was not worth ranking.
    `index` is the name of passages that carry none.
    """
    unit = _document if group == "document" else _place
    shown = {unit(stored, index) for one in ranked for stored in _passages(one)}
    ceiling = min((one.shown.best.score for one in ranked), default=1.0)
    most = max((score / (1 - score) for score in found.lexical.values()), default=0.0)
    gone = found.gone
    further: dict[Hashable, FurtherResult] = {}
    for outline, rank, lexical, share in matches.found:
        key = outline.document if group == "document" else (outline.index_name, outline.number)
        if key in shown or key in further or (outline.root, outline.path) in gone:
            continue
        score = ceiling * min(1.0, lexical / (1 - lexical) / most) if most else 0.0
        if score >= min_score:
            further[key] = FurtherResult(outline, rank, lexical, share, score)
    results: list[DuplicateGroup | FurtherResult] = [*ranked, *further.values()]
    counts = _counts(ranked, further, matches, index, group)
    return Listing(_ordered(results, order), matches.whole, counts)


def _ordered(results: list[DuplicateGroup | FurtherResult], order: str) -> list[DuplicateGroup | FurtherResult]:
    if order == "name":
        return sorted(results, key=_name)
    if order in ("new", "old"):
        return sorted(results, key=_dated, reverse=order == "new")
    return results


def _dated(one: DuplicateGroup | FurtherResult) -> float:
    return one.outline.dated if isinstance(one, FurtherResult) else one.shown.best.stored.dated


def _name(one: DuplicateGroup | FurtherResult) -> tuple[Any, ...]:
    if isinstance(one, FurtherResult):
        return name_key(one.outline.path, one.outline.inner)
    passage = one.shown.best.stored.passage
    return name_key(passage.document.path, passage.inner)


def name_key(path: str, inner: str) -> tuple[Any, ...]:
    """What files are sorted by: the name, with numbers by their size, then the whole path."""
    name = (inner or path).rpartition("/")[2].casefold()
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name) if part]
    return tuple(parts), path, inner


def _passages(one: DuplicateGroup) -> Iterator[StoredPassage]:
    for part in (one.shown, *one.others):
        for member in part.members:
            yield member.stored


def _document(stored: StoredPassage, index: str) -> Hashable:
    passage = stored.passage
    return stored.index or index, passage.document.root, passage.document.path, passage.inner


def _place(stored: StoredPassage, index: str) -> Hashable:
    return stored.index or index, stored.number


def _counts(
    ranked: Sequence[DuplicateGroup], further: Mapping[Hashable, FurtherResult], matches: Matches, index: str, group: str
) -> dict[str, dict[str, int]]:
    """How many results a filter by a kind, a folder or a root would keep."""
    kinds: dict[Hashable, set[str]] = {}
    folders: Counter[str] = Counter()
    roots: Counter[str] = Counter()
    for one in ranked:
        first = one.shown.best.stored
        kinds[_document(first, index) if group == "document" else _place(first, index)] = {
            member.stored.passage.kind for member in one.shown.members
        }
        places = [stored.passage.document for stored in _passages(one)]
        folders.update({_folder(place.path) for place in places})
        roots.update({place.root for place in places})
    for outline, *_ in matches.found:
        key = outline.document if group == "document" else (outline.index_name, outline.number)
        if key in further or key in kinds:
            kinds.setdefault(key, set()).add(outline.kind)
    for result in further.values():
        folders[_folder(result.outline.path)] += 1
        roots[result.outline.root] += 1
    each = Counter(kind for found in kinds.values() for kind in found)
    return {"kinds": _largest_first(each), "folders": _largest_first(folders), "roots": _largest_first(roots)}


def _folder(path: str) -> str:
    """The first folder of a path; "" for a file of the root itself."""
    return path.rpartition("/")[0].partition("/")[0]


def _largest_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
