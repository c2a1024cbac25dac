"""Opens an index with its models and asks it: what the command line, the API and Python callers share.

Knows settings and the read path; knows no terminal and no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Settings
from rag.errors import MovedOn, NoSuchPassage, WrongRequest
from rag.loaders.policy import policy_of
from rag.models.canaries import compare_canaries
from rag.models.loading import ModelCache, Say, reranker_beside, silent
from rag.models.selection import choose_embedder, this_machine
from rag.search.options import SearchOptions
from rag.search.question import content_of, filters_of, one_of, picture_asked, words_asked
from rag.text.query_syntax import literal
from rag.types import Content, Hit, Query, StoredPassage

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.index.reader.federated import Searchable
    from rag.index.reader.open_index import IndexStatus, OpenIndex
    from rag.search.pipeline import RankingOptions, Results

_ATTEMPTS = 4  # each is undone only by another compaction within milliseconds


class Searcher:
    """An open index with its models. Close it, or use it in a `with`."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        say: Say = silent,
        models: ModelCache | None = None,
        opened: OpenIndex | None = None,
    ) -> None:
        """`models` holds those opened before, and keeps those opened here; `opened` is the index where it is open already."""
        from rag.index.catalog.index_folder import fingerprint_of, settings_of
        from rag.index.reader.open_index import open_index as open_folder

        self.settings = settings
        kept = settings_of(folder)
        self.policy = policy_of(kept)
        chosen = choose_embedder(settings, kept, this_machine())
        models = models or ModelCache()
        self.embedder = models.loaded_embedder(chosen, say)
        if self.embedder.fingerprint == fingerprint_of(folder):
            compare_canaries(folder, kept, self.embedder)
        self.reranker = reranker_beside(self.embedder.fingerprint.model, settings, models, say)
        self.index = opened or open_folder(folder, settings.search)
        self._asked_of: Searchable = self.index

    def __enter__(self) -> Searcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def files(self) -> AskPool:
        """What opens files for this searcher: worker processes, or this process where the setting `jobs` is 0."""
        from rag.decoding.ask_pool import AskPool, shared_pool

        return shared_pool() if self.settings.jobs != 0 else AskPool(0)

    @property
    def name(self) -> str:
        """The name of the index; of several, all of them."""
        return self._asked_of.name

    def beside(self, others: Sequence[Searcher]) -> Searcher:
        """One whose questions go to the indexes of all of them, with the models of this one. EmbedderMismatch."""
        from rag.index.reader.federated import FederatedIndex

        together = copy(self)
        together._asked_of = FederatedIndex([self.index, *(other.index for other in others)])
        return together

    def close(self) -> None:
        """Lets go of the index folder."""
        self.index.close()

    def status(self) -> IndexStatus:
        """What the index holds."""
        return self.index.status()

    def roots(self) -> Mapping[str, Path]:
        """The roots that can be asked for, by name, with the folder of each."""
        with self._asked_of.snapshot() as snapshot:
            return snapshot.roots()

    def query(self, text: str = "", **asked: Any) -> list[Hit]:
        """The hits for words, a picture or both, best first; the keywords are those of `search`."""
        return self.search(text, **asked).hits

    def search(
        self, text: str = "", options: SearchOptions | None = None, *, content: Content | None = None, **asked: Any
    ) -> Results:
        """Hits, the order after each stage, and notes. The keywords are the fields of `SearchOptions`.

        `content` is what the passage `like` holds, where another index has it. WrongRequest where nothing is asked or a filter
        cannot be meant, NoSuchPassage, TooLarge for the bytes of a huge picture.
        """
        from rag.search.pipeline import search

        wanted = replace(options or SearchOptions(), **asked)
        content = content or self._content(text, wanted)
        words = text if text.strip() else literal(content.text or content.clues)
        query = Query(words, content, filters_of(wanted, self.roots()))
        ranking = self._ranking(wanted)
        ask = partial(
            search,
            self._asked_of,
            query,
            self.embedder,
            self.reranker if wanted.rerank else None,
            replace(ranking, top_k=ranking.top_k + (wanted.like is not None)),
            read=self._read,
            clues=self.policy.clues,
        )
        results = _asked_again(ask)
        return results if wanted.like is None else _without(results, wanted.like, ranking.top_k)

    def content_of(self, id: str, text: str) -> Content:
        """A passage as a query: its words, or its picture with the words known about it; `text` stands beside. NoSuchPassage."""
        with self._asked_of.snapshot() as snapshot:
            stored = snapshot.by_id(id.removeprefix("#"))
        if stored is None:
            raise NoSuchPassage(id)
        return content_of(stored, text, self.policy.limits, self.files)

    def _content(self, text: str, wanted: SearchOptions) -> Content:
        given = one_of(wanted)
        if given == "like":
            return self.content_of(str(wanted.like), text)
        if not given:
            return words_asked(text)
        policy = self.policy if wanted.ocr or "image" not in self.embedder.modalities else replace(self.policy, ocr="never")
        return picture_asked(text, wanted, policy, self.files)

    def _read(self, stored: Sequence[StoredPassage]) -> list[Content]:
        from rag.search.stored_content import read_contents

        return read_contents(stored, self.policy.limits, self.files)

    def _ranking(self, wanted: SearchOptions) -> RankingOptions:
        """The options, completed by the settings. WrongRequest."""
        from rag.search.pipeline import RankingOptions

        settings = self.settings
        top_k = settings.top_k if wanted.top_k is None else wanted.top_k
        if top_k < 1:
            raise WrongRequest(f"top_k is {top_k}", remedy="ask for one hit or more")
        return RankingOptions(
            top_k=top_k,
            candidates=max(settings.candidates if wanted.candidates is None else wanted.candidates, top_k),
            min_score=settings.min_score if wanted.min_score is None else wanted.min_score,
            blend=settings.blend if wanted.blend is None else wanted.blend,
            fold_from=settings.fold_from,
            good_from=settings.good_from,
            fold=wanted.fold and wanted.like is None,  # what repeats the passage is the most like it, and must not go with it
        )


def _asked_again(ask: Callable[[], Results]) -> Results:
    """What is asked, also where a compaction took away what was about to be opened: the next moment is of a newer commit."""
    for _ in range(_ATTEMPTS):
        with suppress(MovedOn):
            return ask()
    return ask()


def _without(results: Results, id: str, top_k: int) -> Results:
    """The results without the passage that was asked with, ranks counted anew."""
    others = [hit for hit in results.hits if id.removeprefix("#") not in {hit.id, *(member.id for member in hit.members)}]
    return replace(results, hits=[replace(hit, rank=rank) for rank, hit in enumerate(others[:top_k], start=1)])
