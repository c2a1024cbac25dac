"""THE READ PATH, readable top to bottom: embed → two lanes → fuse → choose → rerank → group → hits.

Knows the stages and connects them; knows no terminal, no HTTP and no SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.backends.base import Embedder, Reranker, capabilities_of
from rag.errors import EmbedderMismatch
from rag.humanize import counted
from rag.index.catalog.spaces import FIRST
from rag.search.asked_kind import asked_kind
from rag.search.candidates import CandidateSet, find, lane_of
from rag.search.cutoff import countable, drop_faint, drop_low, has_something, is_good, seen_by
from rag.search.dedup import ALIKE, DuplicateGroup, fold, unfolded
from rag.search.documents import by_document
from rag.search.further import as_judged, as_result, read_further
from rag.search.fusion import Candidate, DenseLane, choose, cosine_itself, fuse
from rag.search.grouping import Group, group
from rag.search.hits import hit_of, shown_words
from rag.search.less_like import lower_alike, move_away, read_unwanted
from rag.search.listing import FurtherResult, Listing, list_all, read_matches
from rag.search.presence import IsThere, present_first, shown_if_present, whose_folder_is_there
from rag.search.reranking import Judged, keep_matched, rescore
from rag.search.spaces import SpaceModel, as_asked, embed_query
from rag.search.timings import StageTimer
from rag.search.total import Total
from rag.search.variety import varied
from rag.types import Clue, Content, Fingerprint, Hit, Kind, Query, StoredPassage

if TYPE_CHECKING:
    from rag.index.room import Searchable

COMPARED = 60  # groups at least, or four times as many as are asked for: those behind cannot be shown unless nearly all repeat
CLUES: frozenset[Clue] = frozenset(("ocr", "caption", "path", "date"))


@dataclass(frozen=True, slots=True)
class RankingOptions:
    """`SearchOptions` completed by the settings: nothing is left open."""

    top_k: int = 10
    candidates: int = 100  # how many reach the reranker
    promised: int = 12  # of those, this many of each kind, if there are as many
    min_score: float = 0.0
    fold: bool = True  # near-duplicates are one hit
    group: str = "document"  # what one hit is: a "document" with its places, or one "place"
    fold_from: float = ALIKE  # cosine of the vectors from which two results may be duplicates
    without: frozenset[str] = frozenset()  # ids of passages that are no hits: the query, and what is not wanted
    less_like: tuple[str, ...] = ()  # ids of passages that the hits should not be like
    good_from: float | str = "auto"  # rerank score from which the best hit is a good match; "auto": depends on the reranker
    blend: float | str = "auto"  # weight of the rerank score in the final one; "auto": the reranker's `trust`; "never": always 1
    whole: bool = False  # after the candidates, every other passage that holds a word of the query; and all of them are counted
    typed: bool = True  # False: the words are those of a picture or a passage, and hold too much to list all that matches
    offset: int = 0  # results before the first hit; more than the candidates give only in a whole list
    order: str = "best"  # or "new", "old", "name": of a whole list


@dataclass(frozen=True, slots=True)
class Results:
    """The hits, and the ranking after each stage: (passage number, score), best first."""

    hits: list[Hit]
    stages: Mapping[str, list[tuple[int, float]]]
    notes: tuple[str, ...]
    candidates: tuple[StoredPassage, ...] = ()  # all that a first stage found, each with the name of its index
    seconds: Mapping[str, float] = field(default_factory=dict)  # of each stage, in the order they ran
    good: bool | None = None  # whether the best hit is a good match; None if unknown: no reranker, and an embedder not measured
    generations: Mapping[str, int] = field(default_factory=dict)  # of each index, by name: the commit that answered
    total: Total | None = None  # how many results a whole list has; None where none was asked for
    lacking: tuple[int, ...] = ()  # passages of the hits that have no vector in a space that was asked

    def texts(self) -> dict[str, str]:
        """The full text of each hit, with that of every member, by the id of the hit; without the marks of its format."""
        words = {(one.index, one.id): one.passage for one in self.candidates}
        texts = {}
        for hit in self.hits:
            parts = [shown_words(words[hit.index, member.id]) for member in hit.members]
            texts[hit.id] = "\n".join(dict.fromkeys(filter(None, parts)))
        return texts


def search(
    index: Searchable,
    query: Query,
    embedder: Embedder,
    reranker: Reranker | None,
    options: RankingOptions,
    *,
    read: Callable[[Sequence[StoredPassage]], list[Content]],
    clues: frozenset[Clue] = CLUES,
    spaces: Sequence[SpaceModel] = (),
) -> Results:
    """Query to ranked hits. `read` loads the contents of candidates from their files. EmbedderMismatch.

    `spaces` are the vector spaces to ask, where that is not the first one alone, which `embedder` made.
    """
    if embedder.fingerprint != index.fingerprint:
        raise EmbedderMismatch(index.folder, index.fingerprint, embedder.fingerprint)
    timer = StageTimer()
    asked = asked_kind(query.words) if query.content.modality == "text" else None
    spaces = spaces or (SpaceModel(FIRST, "", embedder),)
    vectors_asked, query_notes = embed_query(spaces, query.content, asked)
    if asked is not None:
        query = replace(query, words=asked.words, content=as_asked(embedder, query.content, asked))
    timer.end("embed")
    with index.snapshot() as snapshot:  # one commit answers; no model is called while it is held
        unwanted = read_unwanted(snapshot, options.less_like)
        vectors_asked = move_away(snapshot, vectors_asked, unwanted)
        nearest = options.candidates if options.whole else 0  # of each kind: a filter by a kind shows what its count says
        found = find(snapshot, query, vectors_asked, options.candidates, options.promised, timer, asked, options.without, nearest)
        left_out = unwanted.numbers if unwanted is not None else ()
        matches = read_matches(snapshot, found, typed=options.typed, without=left_out) if options.whole else None
    present, notes = found.passages, found.notes
    embedders = [one.space.embedder for one in found.asked]
    is_measured = all(capabilities_of(each).certainty is not None for each in embedders)
    fused = fuse(found.lanes, found.kinds, found.wordless, found.lexical, found.shares, _dense_lanes(found))
    chosen = fused if reranker is None else choose(fused, options.candidates, options.promised)
    timer.end("fuse")
    vectors = found.vectors_of if reranker is not None and _reads_all(reranker, index.fingerprint, found) else None
    judged = rescore(query, chosen, present, reranker, blend=options.blend, read=read, clues=clues, vectors=vectors, asked=asked)
    timer.end("rerank")
    if reranker is not None:
        notes += _note_refused(judged)
    judged = _tell_pictures(lower_alike(keep_matched(judged), unwanted, found.vectors_of), found)
    if is_measured:
        seen = frozenset[Kind]().union(*(seen_by(each, query) for each in embedders))
        judged = drop_faint(judged, found.shares, seen)
    drop_zero = all(each.fingerprint.model == "lite" for each in embedders)
    keeps = countable(found) if options.whole else has_something
    shown = drop_low(judged, present, options.min_score, keeps, drop_zero=drop_zero)
    is_there = whose_folder_is_there()
    groups = present_first(group(shown), is_there)
    first = len(groups) if options.whole else max(COMPARED, 4 * options.top_k)
    results = _results(groups[:first], found, options, is_there)
    if len(results) < options.top_k and first < len(groups):
        results = _results(groups, found, options, is_there)
    listing = Listing(results, exact=True, counts={})
    if matches is not None:
        listing = list_all(results, matches, found, index.name, options.group, options.order, options.min_score)
    page = listing.results[options.offset : options.offset + options.top_k]
    further = read_further(index, [one for one in page if isinstance(one, FurtherResult)], found.generations)
    by_number = {one.candidate.number: one for one in (*judged, *map(as_judged, further.values()))}
    ranks = _ranks(fused, judged if reranker is not None else ())
    shown_here = [
        one if isinstance(one, DuplicateGroup) else as_result(further[one.outline.number])
        for one in page
        if isinstance(one, DuplicateGroup) or one.outline.number in further
    ]
    hits = [
        replace(
            hit_of(rank, index.name, one, by_number[one.shown.best.stored.number], query, found.similarities[0]),
            ranks=ranks.get(one.shown.best.stored.number, {}),
        )
        for rank, one in enumerate(shown_here, start=options.offset + 1)
    ]
    stages = {
        **{lane: list(ranked) for lane, ranked in found.lanes.items()},
        "fused": [(candidate.number, candidate.fused) for candidate in fused],
        "reranked": [(one.candidate.number, one.score) for one in judged],
    }
    timer.end("group")
    sure = max((one.evidence for one in fused), default=0.0) if is_measured else None
    best = [by_number[one.shown.best.stored.number].rerank_score for one in results[: options.top_k]]
    good = is_good(best, reranker, options.good_from, sure)
    candidates = tuple(
        StoredPassage(one.number, one.id, one.passage, one.file, one.dated, one.index or index.name)
        for one in (*present.values(), *(one.stored for one in further.values()))
    )
    total = None if matches is None else Total(len(listing.results), listing.exact, listing.counts)
    notes += query_notes + index.remarks()
    lacking = found.lacking([one.shown.best.stored.number for one in shown_here])
    return Results(hits, stages, notes, candidates, timer.seconds, good, found.generations, total, lacking)


def _results(groups: Sequence[Group], found: CandidateSet, options: RankingOptions, is_there: IsThere) -> list[DuplicateGroup]:
    """The groups as results: what repeats is folded, what says the same is varied, places stand under their documents."""
    if options.fold:
        folded = fold(groups, found.vectors_of([one.best.stored.number for one in groups]), options.fold_from)
        varied_results = varied(folded, found.vectors_of([one.shown.best.stored.number for one in folded]))
        results = shown_if_present(varied_results, is_there)
    else:
        results = unfolded(groups)
    return by_document(results) if options.group == "document" else results


def _reads_all(reranker: Reranker, first: Fingerprint, found: CandidateSet) -> bool:
    """Whether a reranker reads vectors of the first space, and every candidate has one."""
    return reranker.reads_vectors == first and bool(found.vectors.any(axis=1).all())


def _dense_lanes(found: CandidateSet) -> list[DenseLane]:
    """What each space that was asked says of the candidates."""
    lanes = []
    for at, (one, similarities) in enumerate(zip(found.asked, found.similarities, strict=True)):
        measured = capabilities_of(one.space.embedder)
        certainty = measured.certainty or cosine_itself
        lanes.append(DenseLane(lane_of(at, one), similarities, certainty, measured.weight, one.space.name))
    return lanes


def _tell_pictures(judged: Sequence[Judged], found: CandidateSet) -> list[Judged]:
    """The same; of a query of several pictures, `decided` says how their vectors became one."""
    told = ", ".join(one.combined for one in found.asked if one.combined)
    return [replace(one, decided=f"{one.decided}; vector: {told}") for one in judged] if told else list(judged)


def _note_refused(judged: Sequence[Judged]) -> tuple[str, ...]:
    """A note on the candidates that the reranker refused."""
    refused = [one.decided for one in judged if one.rerank_score is None]
    count = f"{len(refused)} of {counted(len(judged), 'candidate')} kept the score of the first stage: "
    return (count + refused[0].removeprefix("fused: "),) if refused else ()


def _ranks(fused: Sequence[Candidate], judged: Sequence[Judged]) -> dict[int, dict[str, int]]:
    ranks: dict[int, dict[str, int]] = {one.number: {"fused": rank} for rank, one in enumerate(fused, start=1)}
    for rank, one in enumerate(judged, start=1):
        ranks[one.candidate.number]["reranked"] = rank
    return ranks
