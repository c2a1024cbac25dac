"""Several indexes asked as one: comparable ones are ranked together, the others' lists are joined by rank.

Knows open indexes and their hits; knows no vectors, no terminal and no HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from rag.config import load_settings
from rag.errors import NoSuchPassage, WrongRequest
from rag.index.locations import by_name, existing_index
from rag.models.loading import ModelCache, Say, silent
from rag.search.fusion import K
from rag.search.options import SearchOptions
from rag.search.searcher import Searcher

if TYPE_CHECKING:
    from rag.search.pipeline import Results
    from rag.types import Content, Fingerprint, Hit

WEAK = 0.5  # of its say has a list whose own reranker calls nothing in it a good match


@overload
def open_index(index: str = "", *, say: Say = ..., **flags: Any) -> Searcher: ...
@overload
def open_index(first: str, second: str, /, *more: str, say: Say = ..., **flags: Any) -> FederatedSearcher: ...
def open_index(*named: str, index: str = "", say: Say = silent, **flags: Any) -> Searcher | FederatedSearcher:
    """Opens an index for questions, or several that are asked as one; keywords are settings.

    `say` is told which model is loaded and how long it took. IndexNotFound, IndexDamaged, IndexTooNew, AnotherModel,
    BackendError, WrongSetting; WrongRequest where two folders have one name. Each names the index that it is about.
    """
    folders = by_name(existing_index(each) for each in named or (index,)).values()
    settings = load_settings(flags)
    models = ModelCache()
    with ExitStack() as failing:
        opened = [failing.enter_context(Searcher(folder, settings, say, models)) for folder in folders]
        failing.pop_all()
    return opened[0] if len(named) < 2 else FederatedSearcher(opened)


class FederatedSearcher:
    """Several open indexes with their models, asked as one. Close it, or use it in a `with`.

    Those of equal fingerprints are one list: their candidates stand in the same lanes, and one reranker judges them. Lists of
    different fingerprints are joined by `joined`. Every hit says its `index`; filters apply to each.
    """

    def __init__(self, searchers: Sequence[Searcher]) -> None:
        """In the order in which hits of equal rank are to stand."""
        self.searchers = tuple(searchers)

    def __enter__(self) -> FederatedSearcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of all index folders."""
        for searcher in self.searchers:
            searcher.close()

    def query(self, text: str = "", **asked: Any) -> list[Hit]:
        """The hits for words, a picture or both, best first; the keywords are those of `search`."""
        return self.search(text, **asked).hits

    def search(self, text: str = "", options: SearchOptions | None = None, **asked: Any) -> Results:
        """Hits, notes that say from which index they are, and the candidates; as `Searcher.search`.

        A root need not be in every index. The orders after each stage are there where all indexes are comparable.
        """
        wanted = replace(options or SearchOptions(), **asked)
        if len(self._lists) == 1:
            [only] = self._lists.values()
            return only.search(text, wanted)
        content = None if wanted.like is None else self._content_of(wanted.like, text)
        found = []
        for searcher, known in self._knowing(wanted.roots):
            results = searcher.search(text, replace(wanted, roots=known), content=content)
            found.append(RankedList(searcher.name, searcher.reranker, results))
        return joined(found, self.searchers[0].settings.top_k if wanted.top_k is None else wanted.top_k)

    @cached_property
    def _lists(self) -> Mapping[Fingerprint, Searcher]:
        """What is ranked together."""
        alike: dict[Fingerprint, list[Searcher]] = {}
        for searcher in self.searchers:
            alike.setdefault(searcher.index.fingerprint, []).append(searcher)
        return {print: each[0] if len(each) == 1 else each[0].beside(each[1:]) for print, each in alike.items()}

    def _knowing(self, roots: Sequence[str]) -> list[tuple[Searcher, list[str]]]:
        """The lists that can hold what is asked, each with those of the roots it knows. WrongRequest for one that none knows."""
        known = [(searcher, searcher.roots()) for searcher in self._lists.values()]
        everywhere = {root for _, mine in known for root in mine}
        for root in roots:
            if root not in everywhere:
                raise WrongRequest(f"no root is called {root!r}", remedy=f"the roots are: {', '.join(sorted(everywhere))}")
        return [(each, [root for root in roots if root in mine]) for each, mine in known if not roots or set(roots) & set(mine)]

    def _content_of(self, like: str, text: str) -> Content:
        for searcher in self.searchers:
            with suppress(NoSuchPassage):
                return searcher.content_of(like, text)
        raise NoSuchPassage(like)


@dataclass(frozen=True, slots=True)
class RankedList:
    """What one list of comparable indexes answered, and what judged it."""

    name: str  # of its indexes
    judge: object  # the reranker; None where the fused score orders
    results: Results


def joined(found: Sequence[RankedList], top_k: int) -> Results:
    """Lists whose vectors cannot be compared as one.

    Where one and the same reranker judged all hits, its scores can be compared: they are merged by score. Otherwise only ranks
    can be: reciprocal rank fusion over lists that have no passage in common,

        score = w · (K + 1) / (K + rank in its list)

    with K = 60, and w = 1, or 0.5 for a list in which its own reranker finds no good match. Equal scores stand in the order of
    the lists, so the best of the first list is followed by the best of the second. `rerank_score`, `fused` and `lanes` stay
    those of the list; `decided` says what was done.
    """
    hits = [hit for ranking in found for hit in (ranking.results.hits if _one_judge(found) else _by_rank(ranking))]
    ordered = sorted(hits, key=lambda hit: -hit.score)[:top_k]
    goods = [ranking.results.good for ranking in found]
    seconds: Counter[str] = Counter()
    for ranking in found:
        seconds.update(ranking.results.seconds)
    return replace(
        found[0].results,
        hits=[replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=1)],
        stages={},
        notes=tuple(_named(note, ranking.name) for ranking in found for note in ranking.results.notes),
        candidates=tuple(one for ranking in found for one in ranking.results.candidates),
        seconds=seconds,
        generations={name: one for ranking in found for name, one in ranking.results.generations.items()},
        good=True if True in goods else None if None in goods else False,
    )


def _one_judge(found: Sequence[RankedList]) -> bool:
    judges = {id(ranking.judge) for ranking in found}
    return len(judges) == 1 and all(hit.rerank_score is not None for ranking in found for hit in ranking.results.hits)


def _by_rank(ranking: RankedList) -> list[Hit]:
    weight = WEAK if ranking.results.good is False else 1.0
    return [
        replace(hit, score=weight * (K + 1) / (K + hit.rank), decided=f"rank {hit.rank} of {ranking.name}")
        for hit in ranking.results.hits
    ]


def _named(note: str, names: str) -> str:
    return note if any(note.startswith(f"{name}: ") for name in names.split(", ")) else f"{names}: {note}"
