"""The second stage: candidates with their contents to the reranker, and its scores into the final order.

Knows rerankers; knows no index, no file and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.backends.base import Reranker
from rag.errors import ContentRefused
from rag.search.boosts import BY_NAME, OF_KIND, boost, kind_asked_for, names_file
from rag.search.fusion import Candidate
from rag.search.stored_content import words_only
from rag.text.clues import judged_clues
from rag.text.query_syntax import spoken
from rag.types import Clue, Content, DocumentId, Query, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with its final score, the reranker's own score where one ran, and in words what decided."""

    candidate: Candidate
    score: float
    rerank_score: float | None
    decided: str


def rescore(
    query: Query,
    chosen: Sequence[Candidate],
    stored: Mapping[int, StoredPassage],
    reranker: Reranker | None,
    *,
    blend: float | str,
    read: Callable[[Sequence[StoredPassage]], list[Content]],
    clues: frozenset[Clue],
    vectors: Callable[[Sequence[int]], Vectors] | None = None,
) -> list[Judged]:
    """Candidates in the final order, best first.

    score = t · rerank score + (1 − t) · fused score, where t is 1, or less for kinds the reranker is known to hurt (its
    `trust`), or `blend` where that is a number. Without a reranker the fused score orders; it also scores what the reranker
    refuses, such as a text too long for it. What the query names outright is lifted, and `decided` says so: a file by its
    name, halfway to 1; without a reranker also the kind it asks for, a tenth of the way. `read` opens the
    files of candidates; `vectors` gives those of passages, float32 (n, dim), where the reranker reads them instead of pixels.
    """
    if reranker is None:
        fused = [Judged(candidate, candidate.fused, None, "fused") for candidate in chosen]
        return _ordered(_named(query, fused, stored), stored)
    candidates = [stored[candidate.number] for candidate in chosen]
    if not reranker.wants_pixels(query.content):
        contents = [words_only(one) for one in candidates]
    elif vectors is not None:
        rows = vectors([one.number for one in candidates])
        contents = [replace(words_only(one), vector=row) for one, row in zip(candidates, rows, strict=True)]
    else:
        contents = read(candidates)
    told = [
        replace(content, clues=judged_clues(stored[candidate.number].passage, clues))
        for candidate, content in zip(chosen, contents, strict=True)
    ]
    reasons: Mapping[int, str] = {}
    try:
        scores = reranker.score(query.content, told)
    except ContentRefused as refusal:
        scores, reasons = refusal.others, refusal.reasons
    given = iter(scores)
    judged = [
        Judged(candidate, candidate.fused, None, f"fused: {reasons[at]}")
        if at in reasons
        else _judged(candidate, content, next(given), reranker, blend)
        for at, (candidate, content) in enumerate(zip(chosen, told, strict=True))
    ]
    return _ordered(_named(query, judged, stored), stored)


def _named(query: Query, judged: Sequence[Judged], stored: Mapping[int, StoredPassage]) -> list[Judged]:
    """The same, with what the query names outright lifted."""
    words = spoken(query.words)

    def lift(one: Judged) -> Judged:
        passage = stored[one.candidate.number].passage
        if names_file(words, passage.document.path):
            return replace(one, score=boost(one.score, BY_NAME), decided=f"{one.decided}, lifted: the query is the file's name")
        kind = kind_asked_for(words, passage)
        if not kind:
            return one
        if one.rerank_score is None:
            return replace(one, score=boost(one.score, OF_KIND), decided=f"{one.decided}, lifted: the query asks for a {kind}")
        return replace(one, decided=f"{one.decided}, which was told that this is a {kind}, as the query asks")

    return [lift(one) for one in judged]


def _ordered(judged: Sequence[Judged], stored: Mapping[int, StoredPassage]) -> list[Judged]:
    """Best first; equals by their place in the corpus, which does not depend on when they came into the index."""

    def place(one: Judged) -> tuple[float, float, DocumentId, int]:
        passage = stored[one.candidate.number].passage
        return -one.score, -one.candidate.fused, passage.document, passage.ordinal

    return sorted(judged, key=place)


def _judged(candidate: Candidate, content: Content, score: float, reranker: Reranker, blend: float | str) -> Judged:
    share = reranker.trust.get(candidate.kind, 1.0) if blend == "auto" else 1.0 if isinstance(blend, str) else blend
    final = share * score + (1 - share) * candidate.fused
    decided = "rerank_score" if share == 1 else f"{share:.2f} rerank_score + {1 - share:.2f} fused"
    if content.modality not in reranker.modalities:
        decided += ", by its words: this reranker reads only text"
    return Judged(candidate, min(1.0, max(0.0, final)), score, decided)
