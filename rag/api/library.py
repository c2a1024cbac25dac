"""The indexes that one process serves: opened on first use, refreshed to the last commit before each, reopened when rebuilt.

Knows indexes where they are kept, and searchers; knows no HTTP.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from rag.api.grants import current_grant
from rag.config import Settings
from rag.errors import IndexFailure, IndexNotFound, IndexReplaced, NoSuchIndex, NoSuchPassage, WrongRequest
from rag.index.locations import distinct_rooms, index_room
from rag.index.reader.limited import LimitedIndex
from rag.models.loading import ModelCache, scorer
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

ROOTS_LAST = 2.0  # seconds: what roots an index has is then asked anew
AWAY_LASTS = 10.0  # seconds: the same of one that could not be asked, which may take long


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
        self._roots: dict[str, tuple[float, tuple[str, ...]]] = {}  # of each index, and until when
        self._locks = {name: threading.Lock() for name in self.rooms}
        self._loading = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The names served that the key of the request may know, in the order they were given; the first is the default.

        One that is limited to roots knows the indexes that hold one of these.
        """
        grant = current_grant()
        named = filter(grant.allows_index, self.rooms)
        return tuple(name for name in named if not grant.roots or grant.allowed_roots(self._roots_of(name)))

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
        """The index itself, without its models, at its last commit, with the roots that the key of the request may see.

        NoSuchIndex, IndexNotFound, IndexDamaged, IndexTooNew.
        """
        name, roots = self.name(index), current_grant().roots
        with self._locks[name]:
            opened = self._newest(name)
        return LimitedIndex(opened, roots) if roots else opened

    def searcher(self, index: str | None = None) -> Searcher:
        """The searcher of an index at its last commit, limited as `reader`.

        Its errors, and those of loading the models; IndexReplaced.
        """
        name, roots = self.name(index), current_grant().roots
        with self._locks[name]:
            opened = self._newest(name)
            if name not in self._searchers or self._searchers[name].index is not opened:
                try:
                    with self._loading:
                        self._searchers[name] = Searcher(self.rooms[name], self.settings, self._say, self._models, opened)
                except IndexReplaced:  # of which the open one knows nothing yet
                    del self._readers[name]
                    raise
            found = self._searchers[name]
        return found.limited_to(roots) if roots else found

    def _searcher_of(self, names: Sequence[str]) -> Searcher | FederatedSearcher:
        """The searcher of these indexes, of several as one. Errors: those of `searcher` for each."""
        if len(names) == 1:
            return self.searcher(names[0])
        return FederatedSearcher([self.searcher(name) for name in names])

    def distinct(self, names: Sequence[str | None]) -> list[str]:
        """The names of these indexes, each once; None is the first served. NoSuchIndex."""
        return list(dict.fromkeys(self.name(name) for name in names))

    def search(self, names: Sequence[str], text: str, options: SearchOptions) -> Results:
        """Searches these indexes as one, and reopens one that was rebuilt meanwhile. Errors as `Searcher.search`.

        Only what the key of the request may see is searched, found, counted and told.
        """
        return _reopening(lambda: self._searcher_of(names).search(text, options))

    def ask(self, names: Sequence[str], question: str, options: SearchOptions, **asked: Any) -> Answering:
        """Starts an answer from these indexes, as `search`. Errors as `Searcher.ask`."""
        return _reopening(lambda: self._searcher_of(names).ask(question, options, **asked))

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
                if stored is None:
                    raise NoSuchPassage(id)
                return opened, stored, snapshot.neighbours(stored.number, reach) if reach else []

        return _reopening(look)

    def status(self, index: str | None = None) -> IndexStatus:
        """What an index holds, counted once per commit; of a key limited to roots, what these hold. Errors as `reader`."""
        return _reopening(lambda: self._status(self.name(index)))

    def _status(self, name: str) -> IndexStatus:
        opened = self.reader(name)
        if isinstance(opened, LimitedIndex):
            return opened.status()
        cached = self._statuses.get(name)
        if cached is None or cached[0] is not opened or cached[1].generation != opened.generation:
            with opened.snapshot() as snapshot:
                cached = self._statuses[name] = (opened, snapshot.status())
        return cached[1]

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

    def _roots_of(self, name: str) -> tuple[str, ...]:
        """The roots of a served index as of two seconds ago; none where it cannot be asked: nobody is told of it then."""
        until, roots = self._roots.get(name, (0.0, ()))
        if time.monotonic() > until:
            lasts, roots = AWAY_LASTS, ()
            with suppress(IndexFailure), self._locks[name]:
                lasts, roots = ROOTS_LAST, tuple(self._newest(name).roots())
            self._roots[name] = time.monotonic() + lasts, roots
        return roots

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
