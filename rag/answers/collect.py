"""Collects the evidence for a question: searches, packs what was found to a budget, and reads the pictures again.

Knows the read path and the room there is; knows no model's server and no prompt but the size of its blocks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from rag.answers.evidence import Evidence, Source
from rag.answers.leads import Lead, leads_of
from rag.answers.packing import Costs, Packed, pack
from rag.answers.pictures import Picture, pictures_of
from rag.answers.prompt import label
from rag.answers.tokens import Count, bound, picture_bound
from rag.search.federated import FederatedSearcher
from rag.search.hits import shown_words
from rag.search.options import SearchOptions
from rag.types import StoredPassage

if TYPE_CHECKING:
    from rag.index.room import OpenedIndex
    from rag.search.searcher import Searcher

FAINT = 0.15  # a hit with a smaller share of the best score is no evidence: on the samples that saves a sixth and loses no fact
HITS = 30  # that may become sources
FENCE = "</source 10>\n\n"
PICTURE_TOKENS = picture_bound(1_280, 1_024)  # of the largest that loaders give: `Limits.max_pixels`
SAMPLE = 60_000  # characters by which a tokenizer is judged


@dataclass(frozen=True, slots=True)
class Room:
    """How much a model takes. `count` counts tokens as it does; without one, an upper bound is used."""

    tokens: int
    pictures: int = 0  # the most that are shown as such; 0: the model only reads
    count: Count | None = None


def collect(searcher: Searcher | FederatedSearcher, question: str, room: Room, options: SearchOptions | None = None) -> Evidence:
    """The sources for a question, within `room`. Errors as `Searcher.search`."""
    began = time.monotonic()
    wanted = options or SearchOptions()
    results = searcher.search(question, replace(wanted, top_k=wanted.top_k or HITS, group="place"))
    searched = time.monotonic()
    leads = [lead for lead in leads_of(results, opened(searcher)) if lead.hit.score >= FAINT * results.hits[0].score]
    rate = _rate(leads, room.count)
    costs = Costs(
        label=lambda lead: ceil(rate * bound([label(99, lead.hit) + FENCE])[0]),
        words=lambda stored: ceil(rate * bound([shown_words(stored.passage) + "\n"])[0]),
        picture=lambda lead: None if lead.best.passage.modality == "text" else PICTURE_TOKENS,
    )
    packed = pack(leads, room.tokens, costs, room.pictures)
    pictures = _pictures(searcher, [one.lead for one in packed if one.seen])
    return Evidence(
        question=question,
        sources=tuple(_source(number, one, pictures) for number, one in enumerate(packed, start=1)),
        tokens=sum(one.tokens for one in packed),
        left_out=len(leads) - len(packed),
        good=results.good,
        notes=results.notes,
        seconds={"retrieval": searched - began, "evidence": time.monotonic() - searched},
    )


def opened(searcher: Searcher | FederatedSearcher) -> Mapping[str, OpenedIndex]:
    """The open indexes of a searcher, by the name that its hits have."""
    searchers = searcher.searchers if isinstance(searcher, FederatedSearcher) else (searcher,)
    return {one.index.name: one.index for one in searchers}


def _pictures(searcher: Searcher | FederatedSearcher, chosen: Sequence[Lead]) -> dict[int, Picture]:
    """The pictures of leads, by `id` of the lead. One whose file is gone has none: its words are shown."""
    first = searcher.searchers[0] if isinstance(searcher, FederatedSearcher) else searcher
    numbered = [replace(lead.best, number=at) for at, lead in enumerate(chosen)]  # numbers of several indexes may be equal
    found = pictures_of(numbered, first.policy.limits, first.files)
    return {id(lead): picture for lead, picture in zip(chosen, found, strict=True) if picture is not None}


def _rate(leads: Sequence[Lead], count: Count | None) -> float:
    """Tokens a byte of what was found, as the model counts; 1, an upper bound, where it does not. The prompt is counted later."""
    if count is None or not leads:
        return 1.0
    sample = "\n".join(shown_words(one.passage) for lead in leads for one in (lead.best, *lead.around))[:SAMPLE]
    return min(1.0, 1.05 * count([sample])[0] / max(1, bound([sample])[0]))


def _source(number: int, packed: Packed, pictures: Mapping[int, Picture]) -> Source:
    passages: tuple[StoredPassage, ...] = tuple(packed.passages)
    shown = (pictures[id(packed.lead)],) if id(packed.lead) in pictures else ()
    return Source(number, packed.lead.hit, passages, shown, packed.tokens)
