"""The nouns of judging: judged queries, what is relevant to them, and where a ranked passage is.

Knows locators; knows no file format, no index and no measure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rag.types import Lines, Locator, Page, Seconds, Sheet, Slide, Whole


@dataclass(frozen=True, slots=True)
class Judgement:
    """A place, or a whole document, that was judged for a query: grade 1 and more is relevant, 0 is not."""

    document: str  # POSIX path below its root, or the id of the set
    locator: Locator
    grade: int
    inner: str = ""  # which file inside the document; "": any


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and its judgements."""

    id: str
    words: str
    image: Path | None
    judgements: tuple[Judgement, ...]
    tags: frozenset[str] = frozenset()

    @property
    def is_answerable(self) -> bool:
        """Whether anything is relevant to it."""
        return any(one.grade > 0 for one in self.judgements)


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document that a set brings along: the path of the file it becomes, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Judged queries, and the documents of the set if it has its own."""

    name: str
    queries: tuple[JudgedQuery, ...]
    documents: Callable[[], Iterable[SourceDocument]] | None = None
    identity: Callable[[str], str] = str  # path below its root → the name by which judgements call the document

    @property
    def of_documents(self) -> bool:
        """Whether every judgement is of a whole document: then a document counts once in a ranking, at its best place."""
        return all(isinstance(one.locator, Whole) and not one.inner for query in self.queries for one in query.judgements)


@dataclass(frozen=True, slots=True)
class PassageRef:
    """Where a ranked passage is, to compare it with judgements."""

    document: str
    locator: Locator
    inner: str = ""


Qrels: TypeAlias = Mapping[str, Mapping[str, int]]  # query id → name of a place → grade
Run: TypeAlias = Mapping[str, Sequence[str]]  # query id → names of places, best first, none twice
Values: TypeAlias = Mapping[str, Mapping[str, float]]  # measure → query id → value


def overlap(judged: Locator, found: Locator) -> bool:
    """Whether two locators of one document overlap; the whole document overlaps every place in it."""
    match judged, found:
        case (Whole(), _) | (_, Whole()):
            return True
        case Seconds(), Seconds():
            return judged.start < found.end + 1e-6 and found.start < judged.end + 1e-6
        case Lines(), Lines():
            return judged.start <= found.end and found.start <= judged.end
    return judged == found


def qrels_of(judged: JudgedSet) -> dict[str, dict[str, int]]:
    """The grades of the answerable queries by the names that `names_of` gives."""
    return {query.id: _graded(query) for query in judged.queries if query.is_answerable}


def names_of(judged: JudgedSet, query: JudgedQuery, ranking: Iterable[PassageRef]) -> list[str]:
    """The names of the ranked places, best first, as measures compare them.

    Where whole documents are judged, a document is named once, at its best place. Otherwise every place has a rank of its own;
    it has the name of the first judgement that it overlaps, the highest grade first, and each judgement is found once.
    """
    if judged.of_documents:
        return list(dict.fromkeys(judged.identity(place.document) for place in ranking))
    taken = set(_graded(query))
    open_judgements = sorted(query.judgements, key=lambda one: -one.grade)
    names = []
    for at, place in enumerate(ranking):
        document = judged.identity(place.document)
        met = next((one for one in open_judgements if one.document == document and _meets(one, place)), None)
        if met is None:
            name = _name(document, place.locator, place.inner)
            name = f"{name}~{at}" if name in taken else name
        else:
            name = _name(met.document, met.locator, met.inner)
            open_judgements = [one for one in open_judgements if _name(one.document, one.locator, one.inner) != name]
        taken.add(name)
        names.append(name)
    return names


def _meets(judgement: Judgement, place: PassageRef) -> bool:
    return judgement.inner in ("", place.inner) and overlap(judgement.locator, place.locator)


def _graded(query: JudgedQuery) -> dict[str, int]:
    grades: dict[str, int] = {}
    for one in query.judgements:
        name = _name(one.document, one.locator, one.inner)
        grades[name] = max(one.grade, grades.get(name, 0))
    return grades


def _name(document: str, locator: Locator, inner: str) -> str:
    """`plan.pdf#page=3`, `talk.mp4#t=2.0,4.0`, `notes.md#lines=5-9`; of a whole document its name alone."""
    place = _fragment(locator)
    inside = f"inner={re.sub('#', '%23', inner)}" if inner else ""
    fragment = "&".join(filter(None, (inside, place)))
    return f"{document}#{fragment}" if fragment else document


def _fragment(locator: Locator) -> str:
    match locator:
        case Page(number):
            return f"page={number}"
        case Slide(number):
            return f"slide={number}"
        case Sheet(name):
            return f"sheet={name}"
        case Seconds(start, end):
            return f"t={start:.3f},{end:.3f}"
        case Lines(start, end):
            return f"lines={start}-{end}"
        case Whole():
            return ""
