"""The second stage: scores candidates with the reranker, and computes the final order.

Knows rerankers; knows no index, no file and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.backends.base import Reranker
from rag.errors import ContentRefused
from rag.search.asked_kind import AskedKind
from rag.search.boosts import BY_NAME, OF_KIND, boost, holds_identifier, lead, names_file, requested_kind
from rag.search.fusion import Candidate
from rag.search.several_pictures import mean_of, pictures_of, score_pictures
from rag.search.stored_content import words_only
from rag.text.clues import judged_clues
from rag.text.query_syntax import spoken
from rag.types import Clue, Content, DocumentId, Query, StoredPassage

if TYPE_CHECKING:
    from rag.types import Vectors

ENOUGH = 0.25  # of the best evidence: what is of the kind asked for and has as much is meant
HALF_MATCHED = 0.5  # share of the query from which a passage that holds its words is not thrown out by a score of 0
AT_LEAST = 0.3  # share of what the lexical lane matched that such a passage scores


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with its final score, the reranker's score if one ran, and in words how the final score came about."""

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
    asked: AskedKind | None = None,
) -> list[Judged]:
    """Candidates in the final order, best first.

    score = t · rerank score + (1 − t) · fused score, where t is 1, or less for kinds that the reranker is known to rank badly
    (its `trust`), or `blend` where that is a number. Without a reranker the fused score ranks; it also stands in for what the
    reranker refuses, such as a text that is too long. A passage that the query names is boosted, and `decided` says so: by the
    name of its file halfway to 1; without a reranker also by its kind, a tenth of the way. `read` loads contents from files;
    `vectors` gives those of passages, float32 (n, dim), for a reranker that reads them instead of pixels.
    """
    if reranker is None:
        fused = [Judged(candidate, candidate.fused, None, "fused") for candidate in chosen]
        return _ordered(_leading(query, fused, stored, asked), stored)
    candidates = [stored[candidate.number] for candidate in chosen]
    if not reranker.wants_pixels(query.content):
        contents = [words_only(one) for one in candidates]
    elif vectors is not None:
        rows = vectors([one.number for one in candidates])
        contents = [replace(words_only(one), vector=row) for one, row in zip(candidates, rows, strict=True)]
    else:
        contents = read(candidates)
    contents = [
        replace(content, clues=judged_clues(stored[candidate.number].passage, clues))
        for candidate, content in zip(chosen, contents, strict=True)
    ]
    reasons: Mapping[int, str] = {}
    try:
        scores = score_pictures(reranker, query.content, contents)
    except ContentRefused as refusal:
        scores, reasons = refusal.others, refusal.reasons
    remaining = iter(scores)
    count = len(pictures_of(query.content)) if "image" in reranker.modalities else 1
    told = f", {mean_of(count)}" if count > 1 else ""
    judged = [
        Judged(candidate, candidate.fused, None, f"fused: {reasons[at]}")
        if at in reasons
        else _judged(candidate, content, next(remaining), reranker, blend, told)
        for at, (candidate, content) in enumerate(zip(chosen, contents, strict=True))
    ]
    return _ordered(_boost_named(query, judged, stored), stored)


def keep_matched(judged: Sequence[Judged]) -> list[Judged]:
    """The same order rule, with a floor for passages that the reranker gave 0 although they hold the words of the query.

    The full text matched at least half of the query in them, and it does not err: words stand there. The floor, 0.15 to 0.3, is
    below a full match by any reranker, so they come after what it found.
    """
    floored = [
        replace(one, score=floor, decided=f"{one.decided}; held up, because the full text matched")
        if (floor := _floor(one)) > one.score
        else one
        for one in judged
    ]
    return sorted(floored, key=lambda one: -one.score) if floored != list(judged) else list(judged)


def _floor(one: Judged) -> float:
    """The least score of a passage: 0 unless the reranker gave it 0 and the lexical lane matched half of the query in it."""
    place = one.candidate.lanes.get("lexical")
    if one.rerank_score is None or one.rerank_score > 0 or place is None or place.share < HALF_MATCHED:
        return 0.0
    return AT_LEAST * place.share


def _boost_named(query: Query, judged: Sequence[Judged], stored: Mapping[int, StoredPassage]) -> list[Judged]:
    """The same, with what the query names boosted."""
    words = spoken(query.words)

    def boosted(one: Judged) -> Judged:
        passage = stored[one.candidate.number].passage
        if names_file(words, passage.document.path) or (passage.inner and names_file(words, passage.inner)):
            return replace(one, score=boost(one.score, BY_NAME), decided=f"{one.decided}, boosted: the query is the file's name")
        if kind := requested_kind(words, passage):
            return replace(one, decided=f"{one.decided}, which knew that this is a {kind}, as the query asks")
        return one

    return [boosted(one) for one in judged]


def _leading(query: Query, fused: Sequence[Judged], stored: Mapping[int, StoredPassage], asked: AskedKind | None) -> list[Judged]:
    """The fused scores, where what the query names leads, and `decided` says why."""
    words = spoken(query.words)
    enough = ENOUGH * max((one.candidate.evidence for one in fused), default=0.0)
    reasons: dict[int, str] = {}
    for one in fused:
        passage = stored[one.candidate.number].passage
        if names_file(words, passage.document.path) or (passage.inner and names_file(words, passage.inner)):
            reasons[one.candidate.number] = "the query is the file's name"
        elif holds_identifier(words, f"{passage.caption}\n{passage.text}"):
            reasons[one.candidate.number] = "it holds the identifier as it is asked for"
        elif asked is not None and asked.holds(passage) and one.candidate.evidence >= enough > 0:
            reasons[one.candidate.number] = f"the query asks for a {asked.name}"

    def led(one: Judged) -> Judged:
        reason = reasons.get(one.candidate.number)
        if reasons:
            decided = f"{one.decided}, leads: {reason}" if reason else f"{one.decided}, below what the query names"
            return replace(one, score=lead(one.score, leads=reason is not None), decided=decided)
        kind = requested_kind(words, stored[one.candidate.number].passage)
        if not kind:
            return one
        return replace(one, score=boost(one.score, OF_KIND), decided=f"{one.decided}, boosted: the query asks for a {kind}")

    return [led(one) for one in fused]


def _ordered(judged: Sequence[Judged], stored: Mapping[int, StoredPassage]) -> list[Judged]:
    """Best first; ties by document and position, which do not depend on when they were indexed."""

    def place(one: Judged) -> tuple[float, float, DocumentId, int]:
        passage = stored[one.candidate.number].passage
        return -one.score, -one.candidate.fused, passage.document, passage.ordinal

    return sorted(judged, key=place)


def _judged(candidate: Candidate, content: Content, score: float, reranker: Reranker, blend: float | str, told: str) -> Judged:
    share = reranker.trust.get(candidate.kind, 1.0) if blend == "auto" else 1.0 if isinstance(blend, str) else blend
    final = share * score + (1 - share) * candidate.fused
    decided = "rerank_score" if share == 1 else f"{share:.2f} rerank_score + {1 - share:.2f} fused"
    decided += told
    if content.modality not in reranker.modalities:
        decided += ", from its text: this reranker is text-only"
    return Judged(candidate, min(1.0, max(0.0, final)), score, decided)
