"""Opens an index with its models and searches it: what the command line, the API and Python callers share.

Knows settings and the read path; knows no terminal and no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.backends.base import capabilities_of
from rag.config import Settings
from rag.errors import IndexReplaced, MovedOn, NoSuchPassage, WrongRequest
from rag.index.locations import index_room
from rag.loaders.policy import policy_of
from rag.location import Location
from rag.models.canaries import compare_canaries
from rag.models.loading import ModelCache, Say, reranker_beside, silent
from rag.models.selection import choose_embedder, choose_kept, this_machine
from rag.search.options import GROUPINGS, MOST_UNLIKE, ORDERS, SearchOptions
from rag.search.question import content_of, filters_of, given_medium, picture_content, words_content
from rag.search.spaces import FurtherModels, spaces_to_ask
from rag.text.query_syntax import literal
from rag.types import Content, Fingerprint, Hit, Query, StoredPassage

if TYPE_CHECKING:
    from rag.answers.answering import Answering
    from rag.backends.base import Embedder
    from rag.decoding.ask_pool import AskPool
    from rag.index.catalog.spaces import Space
    from rag.index.reader.open_index import IndexStatus
    from rag.index.room import OpenedIndex, Room, Searchable
    from rag.search.pipeline import RankingOptions, Results
    from rag.search.spaces import SpaceModel

_ATTEMPTS = 4  # each fails only if another compaction comes within milliseconds


class Searcher:
    """An open index with its models. Close it, or use it in a `with`."""

    def __init__(
        self,
        place: Path | Room,
        settings: Settings,
        say: Say = silent,
        models: ModelCache | None = None,
        opened: OpenedIndex | None = None,
    ) -> None:
        """`place` is an index folder or any other index. `models` are reused before others are loaded; `opened` is the index if
        it is open already. IndexReplaced where another model rebuilt it while this one was loaded.
        """
        room = index_room(place) if isinstance(place, Path) else place
        self.settings = settings
        kept = room.settings()
        self.policy = policy_of(kept)
        chosen = choose_embedder(settings, kept, this_machine())
        models = models or ModelCache()
        self.embedder = models.loaded_embedder(chosen, say)
        made_by = room.fingerprint()
        if self.embedder.fingerprint in {space.fingerprint for space in room.spaces()}:  # a further one was named
            self.embedder = models.loaded_embedder(choose_kept(settings, kept, this_machine()), say)
        if self.embedder.fingerprint == made_by:
            compare_canaries(room.place, kept, self.embedder)
        elif earlier := capabilities_of(self.embedder).earlier:
            self.embedder = earlier(made_by) or self.embedder
        self._further = FurtherModels(room.place, settings, models, say)
        self._open_model: Callable[[Space], Embedder] = self._further.embedder
        self.reranker = reranker_beside(self.embedder.fingerprint.model, settings, models, say)
        self.index: OpenedIndex = opened or room.open(settings.search)
        if self.index.fingerprint != made_by:  # rebuilt with another model while this one was loaded
            if opened is None:
                self.index.close()
            raise IndexReplaced(room.place)
        self._searched: Searchable = self.index

    def __enter__(self) -> Searcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def files(self) -> AskPool:
        """The pool that opens files: worker processes, or this process if the setting `jobs` is 0."""
        from rag.decoding.ask_pool import AskPool, shared_pool

        return shared_pool() if self.settings.jobs != 0 else AskPool(0)

    @property
    def name(self) -> str:
        """The name of the index; of several, all of them."""
        return self._searched.name

    def beside(self, others: Sequence[Searcher]) -> Searcher:
        """A searcher of all these indexes as one, by all their models and this one's reranker. EmbedderMismatch."""
        from rag.index.reader.federated import FederatedIndex

        together = copy(self)
        together._searched = FederatedIndex([self.index, *(other.index for other in others)])

        def open_model(space: Space) -> Embedder:
            opened = [searcher.embedder_of(space.fingerprint) for searcher in (self, *others)]  # each compares its own canaries
            return next(each for each in opened if each is not None)

        together._open_model = open_model
        return together

    def limited_to(self, roots: Iterable[str]) -> Searcher:
        """A searcher of these roots, by the same models: it finds, counts and tells what an index of them alone would."""
        from rag.index.reader.limited import LimitedIndex

        limited = copy(self)
        limited.index = limited._searched = LimitedIndex(self.index, roots)
        return limited

    def embedder_of(self, fingerprint: Fingerprint) -> Embedder | None:
        """The model of the space with that fingerprint, opened; None where the index has none. Errors as `open_to_ask`."""
        if fingerprint == self.index.fingerprint:
            return self.embedder
        space = next((each for each in self.index.spaces() if each.fingerprint == fingerprint), None)
        return None if space is None else self._further.embedder(space)

    def close(self) -> None:
        """Closes the index."""
        self.index.close()

    def status(self) -> IndexStatus:
        """What the index holds."""
        return self.index.status()

    def roots(self) -> Mapping[str, Location]:
        """The roots by name, with the folder of each."""
        with self._searched.snapshot() as snapshot:
            return snapshot.roots()

    def query(self, text: str = "", **asked: Any) -> list[Hit]:
        """The hits for words, a picture or both, best first; takes the keywords of `search`."""
        return self.search(text, **asked).hits

    def search(
        self, text: str = "", options: SearchOptions | None = None, *, content: Content | None = None, **asked: Any
    ) -> Results:
        """Hits, the ranking after each stage, and notes. The keywords are the fields of `SearchOptions`.

        `content` is that of the passage `like`, if another index holds it. WrongRequest for an empty query or an invalid filter,
        NoSuchPassage, TooLarge for a huge picture given as bytes.
        """
        from rag.search.pipeline import search

        wanted = replace(options or SearchOptions(), **asked)
        content = content or self._content(text, wanted)
        words = text if text.strip() else literal(content.text or content.clues)
        query = Query(words, content, filters_of(wanted, self.roots()))
        ranking = self._ranking(wanted, typed=bool(text.strip()) and wanted.like is None)
        spaces, notes = self._spaces(wanted)
        run = partial(
            search,
            self._searched,
            query,
            self.embedder,
            self.reranker if wanted.rerank else None,
            ranking,
            read=self._read,
            clues=self.policy.clues,
            spaces=spaces,
        )
        found = _retry_after_compaction(run)
        self._searched.ask_first(found.lacking)
        return replace(found, notes=notes + found.notes) if notes else found

    def _spaces(self, wanted: SearchOptions) -> tuple[Sequence[SpaceModel], tuple[str, ...]]:
        """The vector spaces to ask, with notes on those that cannot be. WrongRequest."""
        return spaces_to_ask(self.embedder, self._searched.spaces(), wanted.spaces, self._open_model)

    def ask(self, question: str, options: SearchOptions | None = None, **asked: Any) -> Answering:
        """Starts the answer to a question, with sources: iterate over it for its pieces, `whole()` is the checked answer.

        As `rag.answers.ask.ask`. NoChatModel, with the evidence, if no chat model is set.
        """
        return answering(self, question, options, **asked)

    def content_of(self, id: str, text: str) -> Content:
        """A passage as a query: its text, or its picture with the text known about it, and `text` added. NoSuchPassage."""
        with self._searched.snapshot() as snapshot:
            stored = snapshot.by_id(id.removeprefix("#"))
        if stored is None:
            raise NoSuchPassage(id)
        return content_of(stored, text, self.policy.limits, self.files)

    def holds(self, id: str) -> bool:
        """Whether a passage has that id."""
        with self._searched.snapshot() as snapshot:
            return snapshot.by_id(id.removeprefix("#")) is not None

    def _content(self, text: str, wanted: SearchOptions) -> Content:
        given = given_medium(wanted)
        if given == "like":
            return self.content_of(str(wanted.like), text)
        if not given:
            return words_content(text)
        policy = self.policy if wanted.ocr or "image" not in self.embedder.modalities else replace(self.policy, ocr="never")
        return picture_content(text, wanted, policy, self.files)

    def _read(self, stored: Sequence[StoredPassage]) -> list[Content]:
        from rag.search.stored_content import read_contents

        return read_contents(stored, self.policy.limits, self.files)

    def _ranking(self, wanted: SearchOptions, *, typed: bool) -> RankingOptions:
        """The options, completed by the settings. WrongRequest for a number or a name that cannot be."""
        from rag.search.pipeline import RankingOptions

        settings = self.settings
        top_k = settings.top_k if wanted.top_k is None else wanted.top_k
        if top_k < 1:
            raise WrongRequest(f"top_k is {top_k}", remedy="ask for one hit or more")
        if wanted.group not in GROUPINGS:
            raise WrongRequest(f"no grouping is called {wanted.group!r}", remedy=f"the groupings are: {', '.join(GROUPINGS)}")
        if wanted.offset < 0:
            raise WrongRequest(f"offset is {wanted.offset}", remedy="leave out no result, or more")
        if wanted.order not in ORDERS:
            raise WrongRequest(f"no order is called {wanted.order!r}", remedy=f"the orders are: {', '.join(ORDERS)}")
        less_like = tuple(id.removeprefix("#") for id in wanted.less_like)
        if len(less_like) > MOST_UNLIKE:
            raise WrongRequest(f"{len(less_like)} passages are not wanted", remedy=f"name at most {MOST_UNLIKE}")
        asked = settings.candidates if wanted.candidates is None else wanted.candidates
        whole = wanted.whole or wanted.offset > 0 or wanted.order != "best"
        return RankingOptions(
            top_k=top_k,
            candidates=asked if whole else max(asked, top_k),  # the ranking of a whole list does not depend on where a page ends
            min_score=settings.min_score if wanted.min_score is None else wanted.min_score,
            blend=settings.blend if wanted.blend is None else wanted.blend,
            fold_from=settings.fold_from,
            good_from=settings.good_from,
            fold=wanted.fold and wanted.like is None,  # copies of the passage are the best hits, and must not vanish with it
            group=wanted.group,
            without=frozenset((*less_like, *([] if wanted.like is None else [wanted.like.removeprefix("#")]))),
            less_like=less_like,
            whole=whole,
            typed=typed,
            offset=wanted.offset,
            order=wanted.order,
        )


def answering(searcher: object, question: str, options: SearchOptions | None, **asked: Any) -> Answering:
    """What `rag.answers.ask.ask` returns. Imported by name, because that room stands on this one."""
    started: Answering = import_module("rag.answers.ask").ask(searcher, question, options, **asked)
    return started


def _retry_after_compaction(run: Callable[[], Results]) -> Results:
    """Runs a search again if a compaction removed what it was about to open: the next snapshot is of a newer commit."""
    for _ in range(_ATTEMPTS):
        with suppress(MovedOn):
            return run()
    return run()
