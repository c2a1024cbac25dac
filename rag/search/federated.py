"""Searches several indexes as one: comparable ones are ranked together, the lists of others are merged by score or rank.

Knows open indexes and their hits; knows no vectors, no terminal and no HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from rag.config import load_settings
from rag.errors import NoSuchPassage, WrongRequest
from rag.index.locations import distinct_rooms, existing_room
from rag.models.loading import ModelCache, Say, silent
from rag.search.fusion import K
from rag.search.listing import name_key
from rag.search.options import SearchOptions
from rag.search.searcher import Searcher, answering

if TYPE_CHECKING:
    from rag.answers.answering import Answering
    from rag.search.pipeline import Results
    from rag.search.total import Total
    from rag.types import Content, Hit

_ORDERS: Mapping[str, Callable[[Hit], Any]] = {
    "best": lambda hit: -hit.score,
    "new": lambda hit: -(hit.dated or 0.0),
    "old": lambda hit: hit.dated or 0.0,
    "name": lambda hit: name_key(hit.document, hit.inner),
}
WEAK = 0.5  # weight of a list in which its own reranker finds no good match


@overload
def open_index(index: str | Path = "", *, say: Say = ..., **flags: Any) -> Searcher: ...
@overload
def open_index(
    first: str | Path, second: str | Path, /, *more: str | Path, say: Say = ..., **flags: Any
) -> FederatedSearcher: ...
def open_index(*named: str | Path, index: str | Path = "", say: Say = silent, **flags: Any) -> Searcher | FederatedSearcher:
    """Opens an index to search, or several that are searched as one; keywords are settings.

    `say` is told which models are loaded and how long that took. IndexNotFound, IndexDamaged, IndexTooNew, AnotherModel,
    BackendError, WrongSetting; WrongRequest where two folders have the same name. Every error names its index.
    """
    rooms = distinct_rooms(existing_room(each) for each in named or (index,))
    settings = load_settings(flags)
    models = ModelCache()
    with ExitStack() as failing:
        opened = [failing.enter_context(Searcher(room, settings, say, models)) for room in rooms]
        failing.pop_all()
    return opened[0] if len(named) < 2 else FederatedSearcher(opened)


class FederatedSearcher:
    """Several open indexes with their models, searched as one. Close it, or use it in a `with`.

    Indexes that share a model form one list: every model of theirs is a lane, in which what an index lacks is unknown, and they
    share the reranker. Lists without a common model are merged by `merge`. Every hit names its `index`; filters apply to each.
    """

    def __init__(self, searchers: Sequence[Searcher]) -> None:
        """Hits of equal rank keep the order of `searchers`."""
        self.searchers = tuple(searchers)

    def __enter__(self) -> FederatedSearcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all indexes."""
        for searcher in self.searchers:
            searcher.close()

    def query(self, text: str = "", **asked: Any) -> list[Hit]:
        """The hits for words, a picture or both, best first; takes the keywords of `search`."""
        return self.search(text, **asked).hits

    def search(self, text: str = "", options: SearchOptions | None = None, **asked: Any) -> Results:
        """Like `Searcher.search`; notes name their index.

        A root need not be in every index. `stages` is filled only where all indexes are comparable.
        """
        wanted = replace(options or SearchOptions(), **asked)
        if len(self._lists) == 1:
            return self._lists[0].search(text, wanted)
        content = None if wanted.like is None else self._content_of(wanted.like, text)
        top_k = self.searchers[0].settings.top_k if wanted.top_k is None else wanted.top_k
        from_start = replace(wanted, offset=0, top_k=wanted.offset + top_k, whole=wanted.whole or wanted.offset > 0)
        found = []
        unwanted = self._less_like(wanted.less_like)
        for searcher, known in self._lists_with(wanted.roots):
            here = replace(from_start, roots=known, less_like=unwanted[searcher.name])
            results = searcher.search(text, here, content=content)
            found.append(RankedList(searcher.name, searcher.reranker, results))
        return merge(found, top_k, wanted.offset, wanted.order)

    def ask(self, question: str, options: SearchOptions | None = None, **asked: Any) -> Answering:
        """As `Searcher.ask`, with evidence from all the indexes and the chat model of the first one's settings."""
        return answering(self, question, options, **asked)

    @cached_property
    def _lists(self) -> tuple[Searcher, ...]:
        """One searcher for all indexes that share a model, directly or through others: these are ranked together.

        First comes the one whose first model most of them have: by its vectors near-duplicates are told.
        """
        from rag.index.reader.federated_spaces import connected, models_of

        models = {searcher: models_of(searcher.index) for searcher in self.searchers}
        alike: dict[int, list[Searcher]] = {}
        for searcher, first in zip(self.searchers, connected([models[each] for each in self.searchers]), strict=True):
            alike.setdefault(first, []).append(searcher)
        for each in alike.values():
            common = {one: sum(one.index.fingerprint in models[other] for other in each) for one in each}
            each.sort(key=lambda one: -common[one])
        return tuple(each[0] if len(each) == 1 else each[0].beside(each[1:]) for each in alike.values())

    def _lists_with(self, roots: Sequence[str]) -> list[tuple[Searcher, list[str]]]:
        """The lists that have any of the roots (all, for none), each with the ones it has. WrongRequest for an unknown root."""
        known = [(searcher, searcher.roots()) for searcher in self._lists]
        everywhere = {root for _, mine in known for root in mine}
        for root in roots:
            if root not in everywhere:
                raise WrongRequest(f"no root is called {root!r}", remedy=f"the roots are: {', '.join(sorted(everywhere))}")
        return [(each, [root for root in roots if root in mine]) for each, mine in known if not roots or set(roots) & set(mine)]

    def _less_like(self, ids: Sequence[str]) -> Mapping[str, list[str]]:
        """By the name of each list, which of these passages it holds: vectors of others cannot be compared. NoSuchPassage."""
        held = {searcher.name: [id for id in ids if searcher.holds(id)] for searcher in self._lists}
        for id in ids:
            if not any(id in known for known in held.values()):
                raise NoSuchPassage(id)
        return held

    def _content_of(self, like: str, text: str) -> Content:
        for searcher in self.searchers:
            with suppress(NoSuchPassage):
                return searcher.content_of(like, text)
        raise NoSuchPassage(like)


@dataclass(frozen=True, slots=True)
class RankedList:
    """The results of one list of comparable indexes, and the reranker that scored them."""

    name: str  # of its indexes
    reranker: object  # None where the fused score ranks
    results: Results


def merge(lists: Sequence[RankedList], top_k: int, offset: int = 0, order: str = "best") -> Results:
    """Merges lists whose vectors cannot be compared.

    If the same reranker scored all hits, they are merged by score. Otherwise only ranks can be compared: reciprocal rank
    fusion of lists that have no passage in common,

        score = w · (K + 1) / (K + rank in its list)

    with K = 60, and w = 1, or 0.5 for a list in which its own reranker finds no good match. Equal scores keep the order of the
    lists, so the best of the first list is followed by the best of the second. `rerank_score`, `fused` and `lanes` stay those
    of the list; `decided` says how the score came about. The first `offset` hits are left out; in another `order` than "best" it
    decides instead of the scores.
    """
    hits = [hit for ranking in lists for hit in (ranking.results.hits if _same_reranker(lists) else _by_rank(ranking))]
    ordered = sorted(hits, key=_ORDERS[order])[offset : offset + top_k]
    goods = [ranking.results.good for ranking in lists]
    seconds: Counter[str] = Counter()
    for ranking in lists:
        seconds.update(ranking.results.seconds)
    return replace(
        lists[0].results,
        hits=[replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=offset + 1)],
        stages={},
        notes=tuple(_with_name(note, ranking.name) for ranking in lists for note in ranking.results.notes),
        candidates=tuple(one for ranking in lists for one in ranking.results.candidates),
        seconds=seconds,
        generations={name: one for ranking in lists for name, one in ranking.results.generations.items()},
        good=True if True in goods else None if None in goods else False,
        total=_sum([ranking.results.total for ranking in lists]),
    )


def _sum(totals: Sequence[Total | None]) -> Total | None:
    """The totals of lists that have no passage in common; None where one was not counted."""
    known = [total for total in totals if total is not None]
    if len(known) < len(totals):
        return None
    counts: dict[str, Counter[str]] = {}
    for total in known:
        for by, each in total.counts.items():
            counts.setdefault(by, Counter()).update(each)
    largest_first = {by: dict(each.most_common()) for by, each in counts.items()}
    return replace(
        known[0], results=sum(one.results for one in known), exact=all(one.exact for one in known), counts=largest_first
    )


def _same_reranker(lists: Sequence[RankedList]) -> bool:
    rerankers = {id(ranking.reranker) for ranking in lists}
    return len(rerankers) == 1 and all(hit.rerank_score is not None for ranking in lists for hit in ranking.results.hits)


def _by_rank(ranking: RankedList) -> list[Hit]:
    weight = WEAK if ranking.results.good is False else 1.0
    return [
        replace(hit, score=weight * (K + 1) / (K + hit.rank), decided=f"rank {hit.rank} of {ranking.name}")
        for hit in ranking.results.hits
    ]


def _with_name(note: str, names: str) -> str:
    return note if any(note.startswith(f"{name}: ") for name in names.split(", ")) else f"{names}: {note}"
