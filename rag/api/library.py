"""The indexes that one process serves: opened on first use, refreshed to the last commit before each, reopened when rebuilt.

Knows indexes where they are kept, and searchers; knows no HTTP.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from rag.api.grants import current_grant
from rag.config import Settings
from rag.errors import IndexNotFound, IndexReplaced, NoSuchIndex, NoSuchPassage, WrongRequest
from rag.index.locations import distinct_rooms, index_room
from rag.models.loading import ModelCache, scorer
from rag.search.candidates import without_corrections
from rag.search.federated import FederatedSearcher
from rag.search.searcher import Searcher

if TYPE_CHECKING:
    from rag.answers.answering import Answering
    from rag.backends.base import Reranker
    from rag.index.catalog.status import IndexStatus
    from rag.index.room import OpenedIndex, Room
    from rag.models.loading import Say
    from rag.search.options import SearchOptions
    from rag.search.pipeline import Results
    from rag.types import StoredPassage

Answer = TypeVar("Answer")


class IndexLibrary:
    """Indexes by name, with the settings and the key of this server. Safe to share between threads.

    An index that does not exist yet is served too: using it raises IndexNotFound until it appears. A rebuilt index is opened
    again; callers that still use the old one keep it until they release it.
    """

    def __init__(self, named: Sequence[str], settings: Settings, *, token: str = "", say: Say = lambda _: None) -> None:
        """`named` as for `--index`; none means the default. WrongRequest where two indexes have the same name."""
        self.id = secrets.token_hex(8)  # of this run: a client that found the run file checks it before it sends anything
        self.settings = settings
        self.token = token
        self.rooms: Mapping[str, Room] = {
            room.name: room for room in distinct_rooms(index_room(name) for name in named or [settings.index])
        }
        self._say = say
        self._models = ModelCache()
        self._readers: dict[str, OpenedIndex] = {}
        self._searchers: dict[str, Searcher] = {}
        self._statuses: dict[str, tuple[OpenedIndex, IndexStatus]] = {}
        self._locks = {name: threading.Lock() for name in self.rooms}
        self._loading = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The names served that the key of the request may know, in the order they were given; the first is the default."""
        return tuple(filter(current_grant().allows_index, self.rooms))

    def room(self, index: str | None = None) -> Room:
        """Where a served index is kept, by default the first. NoSuchIndex."""
        return self.rooms[self.name(index)]

    def name(self, index: str | None = None) -> str:
        """The name of a served index, by default the first. NoSuchIndex, also of one that the key of the request may not know."""
        name = index or next(iter(self.names), "")
        if name not in self.names:
            raise NoSuchIndex(name, self.names)
        return name

    def reader(self, index: str | None = None) -> OpenedIndex:
        """The index itself, without its models, at its last commit. NoSuchIndex, IndexNotFound, IndexDamaged, IndexTooNew."""
        name = self.name(index)
        with self._locks[name]:
            return self._newest(name)

    def searcher(self, index: str | None = None) -> Searcher:
        """The searcher of an index at its last commit. Errors: those of `reader`, and of loading the models; IndexReplaced."""
        name = self.name(index)
        with self._locks[name]:
            opened = self._newest(name)
            if name not in self._searchers or self._searchers[name].index is not opened:
                try:
                    with self._loading:
                        self._searchers[name] = Searcher(self.rooms[name], self.settings, self._say, self._models, opened)
                except IndexReplaced:  # of which the open one knows nothing yet
                    del self._readers[name]
                    raise
            return self._searchers[name]

    def _searcher_of(self, names: Sequence[str]) -> Searcher | FederatedSearcher:
        """The searcher of these indexes, of several as one, which knows no key. Errors: those of `searcher` for each."""
        if len(names) == 1:
            return self.searcher(names[0])
        return FederatedSearcher([self.searcher(name) for name in names])

    def distinct(self, names: Sequence[str | None]) -> list[str]:
        """The names of these indexes, each once; None is the first served. NoSuchIndex."""
        return list(dict.fromkeys(self.name(name) for name in names))

    def search(self, names: Sequence[str], text: str, options: SearchOptions) -> Results:
        """Searches these indexes as one, and reopens one that was rebuilt meanwhile. Errors as `Searcher.search`.

        Only what the key of the request may see is searched, found and told.
        """

        def search() -> Results:
            searched, wanted = self._within_grant(names, options)
            return self._searcher_of(searched).search(text, wanted)

        results = _reopening(search)
        return results if not current_grant().roots else replace(results, notes=without_corrections(results.notes))

    def ask(self, names: Sequence[str], question: str, options: SearchOptions, **asked: Any) -> Answering:
        """Starts an answer from these indexes, as `search`. Errors as `Searcher.ask`."""

        def ask() -> Answering:
            searched, wanted = self._within_grant(names, options)
            return self._searcher_of(searched).ask(question, wanted, **asked)

        return _reopening(ask)

    def passage(self, id: str, index: str | None = None) -> tuple[OpenedIndex, StoredPassage]:
        """A live passage by its id, with the index that holds it. NoSuchPassage, and the errors of `reader`."""
        opened, stored, _ = self.around(id, index, 0)
        return opened, stored

    def around(self, id: str, index: str | None, reach: int) -> tuple[OpenedIndex, StoredPassage, list[StoredPassage]]:
        """Like `passage`, with up to `reach` passages before and after it in its document, all of one commit.

        NoSuchPassage, and what `reader` raises.
        """

        def look() -> tuple[OpenedIndex, StoredPassage, list[StoredPassage]]:
            opened = self.reader(index)
            with opened.snapshot() as snapshot:
                stored = snapshot.by_id(id)
                if stored is None or not current_grant().allows_root(stored.passage.document.root):
                    raise NoSuchPassage(id)
                return opened, stored, snapshot.neighbours(stored.number, reach) if reach else []

        return _reopening(look)

    def status(self, index: str | None = None) -> IndexStatus:
        """What an index holds, counted once per commit; of a key limited to roots, what these hold. Errors as `reader`."""
        return _reopening(lambda: self._status(self.name(index)))

    def _status(self, name: str) -> IndexStatus:
        opened = self.reader(name)
        if current_grant().roots:
            with opened.snapshot() as snapshot:
                return snapshot.status_of(current_grant().allowed_roots(snapshot.roots()))
        cached = self._statuses.get(name)
        if cached is None or cached[0] is not opened or cached[1].generation != opened.generation:
            with opened.snapshot() as snapshot:
                cached = self._statuses[name] = (opened, snapshot.status())
        return cached[1]

    def _within_grant(self, names: Sequence[str], options: SearchOptions) -> tuple[Sequence[str], SearchOptions]:
        """The indexes and options of a search as the key of the request allows them: its roots become filters of the search.

        NoSuchPassage for `like` and `less_like` of another root; WrongRequest for a root that it may not know, or where none is
        left.
        """
        grant = current_grant()
        names = [self.name(name) for name in names]
        if not grant.roots:
            return names, options
        known = {name: grant.allowed_roots(self.reader(name).roots()) for name in names}
        allowed = sorted({root for roots in known.values() for root in roots})
        for root in options.roots:
            if root not in allowed:
                raise WrongRequest(f"no root is called {root!r}", remedy=f"the roots are: {', '.join(allowed)}")
        names = [name for name in names if set(known[name]) & set(options.roots or allowed)]
        if not names:
            raise WrongRequest("the key of this request may see nothing there", remedy="name another index")
        for id in (*([] if options.like is None else [options.like]), *options.less_like):
            if not any(self._may_see(id, name) for name in names):
                raise NoSuchPassage(id)
        return names, replace(options, roots=tuple(options.roots or allowed))

    def _may_see(self, id: str, name: str) -> bool:
        with suppress(NoSuchPassage):
            self.passage(id.removeprefix("#"), name)
            return True
        return False

    def reranker(self) -> Reranker:
        """The reranker of the first index; where it has none, the one of the settings. WrongRequest if there is none."""
        found = None
        with suppress(IndexNotFound, NoSuchIndex):
            found = self.searcher().reranker
        if found is None:
            with self._loading:
                found = scorer(self.settings, self._models, self._say)
        if found is None:
            raise WrongRequest(
                "this server has no reranker", remedy="start it with one: RAG_RERANKER=lite, or RAG_RERANKER_URL=…"
            )
        return found

    def close(self) -> None:
        """Closes all indexes; no search may be running."""
        for opened in self._readers.values():
            opened.close()
        self._readers.clear()
        self._searchers.clear()

    def look_again(self, name: str) -> None:
        """A run over that index has ended: what it committed is seen from now on."""
        with self._locks[name]:
            if name in self._readers:
                self._readers[name].look_again()

    def _newest(self, name: str) -> OpenedIndex:
        if name in self._readers:
            try:
                self._readers[name].refresh()
            except (IndexReplaced, IndexNotFound):
                del self._readers[name]
        if name not in self._readers:
            self._readers[name] = self.rooms[name].up_to_date().open(self.settings.search)
        return self._readers[name]


def _reopening(ask: Callable[[], Answer]) -> Answer:
    """What a question answers; asked again where the index was rebuilt meanwhile, as it is opened anew then."""
    try:
        return ask()
    except IndexReplaced:
        return ask()
