"""What each stage of a search ranked for a judged query.

Knows searchers and their results; knows no file format and no measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.evaluation.judged import JudgedQuery, JudgedSet, PassageRef, Run, names_of

if TYPE_CHECKING:
    from rag.search.searcher import Searcher
    from rag.types import Hit

STAGES = ("dense", "lexical", "fused", "reranked", "hits")
DEPTH = 100  # hits asked for: recall@100 needs as many


def rank_all(searcher: Searcher, judged: JudgedSet, group: str = "document", spaces: Sequence[str] = ()) -> dict[str, Run]:
    """The run of each of STAGES, and of each further dense lane, over the answerable queries.

    `group` and `spaces` are as in `SearchOptions`.
    """
    runs: dict[str, dict[str, list[str]]] = {stage: {} for stage in STAGES}
    for query in judged.queries:
        if not query.is_answerable:
            continue
        for stage, ranking in rank(searcher, query, group, spaces).items():
            runs.setdefault(stage, {})[query.id] = names_of(judged, query, ranking)
    return dict(runs)


def indexed_share(judged: JudgedSet, searcher: Searcher) -> float:
    """The share of the relevant documents that the index holds, 0…1: the others cannot be found."""
    relevant = {one.document for query in judged.queries for one in query.judgements if one.grade > 0}
    with searcher.index.snapshot() as snapshot:
        held = {judged.identity(path) for path in snapshot.document_paths()}
    return len(relevant & held) / max(len(relevant), 1)


def rank(
    searcher: Searcher, query: JudgedQuery, group: str = "document", spaces: Sequence[str] = ()
) -> dict[str, list[PassageRef]]:
    """The passages that each of STAGES found for the query, best first.

    A hit is judged by its best place, then by the other places inside it, best first, then by what is folded under it; each has
    a rank of its own, and the locator that covers them all counts for nothing.
    """
    results = searcher.search(query.words, image=None if query.image is None else str(query.image), group=group, spaces=spaces)
    places = {
        one.number: PassageRef(one.passage.document.path, one.passage.locator, one.passage.inner) for one in results.candidates
    }
    stages = {stage: [places[number] for number, _ in ranking] for stage, ranking in results.stages.items()}
    stages["hits"] = [place for hit in results.hits for place in places_of(hit)]
    return stages


def places_of(hit: Hit) -> Iterator[PassageRef]:
    """The places of a hit, best first."""
    yield PassageRef(hit.document, hit.best, hit.inner)
    for member in sorted(hit.members, key=lambda one: -one.score):
        if member.id != hit.id:
            yield PassageRef(hit.document, member.locator, hit.inner)
    for one in hit.folded:
        yield PassageRef(one.document, one.locator, one.inner)
