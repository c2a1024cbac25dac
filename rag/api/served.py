"""The indexes one process serves: opened when first asked, brought to the last commit before each use, reopened when rebuilt.

Knows index folders and searchers; knows no HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Settings
from rag.errors import IndexNotFound, IndexReplaced, NoSuchPassage, WrongRequest
from rag.opening import index_folder
from rag.searching import Searcher

if TYPE_CHECKING:
    from rag.searching import Models, Say
    from rag.types import StoredPassage


class NoSuchIndex(WrongRequest):
    """A name that is not served."""

    def __init__(self, name: str, served: Sequence[str]) -> None:
        super().__init__(f"no index called {name!r} is served here", remedy=f"the indexes are: {', '.join(served)}")


class Served:
    """Indexes by name, with the settings and the key of this server. Safe to share between threads.

    An index that does not exist yet is served too: asking it raises IndexNotFound until it appears. What was rebuilt is opened
    anew; those who still use the old one keep it until they let go.
    """

    def __init__(self, named: Sequence[str], settings: Settings, *, token: str = "", say: Say = lambda _: None) -> None:
        """`named` as for `--index`; none means the default. WrongRequest where two folders have one name."""
        self.settings = settings
        self.token = token
        self.folders: Mapping[str, Path] = _by_name([index_folder(name) for name in named or [settings.index]])
        self._say = say
        self._models: Models = {}
        self._open: dict[str, Searcher] = {}
        self._locks = {name: threading.Lock() for name in self.folders}
        self._loading = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The names served, in the order they were given; the first is the default."""
        return tuple(self.folders)

    @property
    def searchers(self) -> dict[str, Searcher]:
        """The searchers of the indexes that exist, at their last commit."""
        found = {}
        for name in self.names:
            try:
                found[name] = self.searcher(name)
            except IndexNotFound:
                continue
        return found

    def folder(self, index: str | None = None) -> Path:
        """The folder of a served index; the first where none is named. NoSuchIndex."""
        return self.folders[self.name(index)]

    def name(self, index: str | None = None) -> str:
        """The name of a served index; the first where none is named. NoSuchIndex."""
        name = index or self.names[0]
        if name not in self.folders:
            raise NoSuchIndex(name, self.names)
        return name

    def searcher(self, index: str | None = None) -> Searcher:
        """The searcher of an index at its last commit. NoSuchIndex, IndexNotFound and whatever opening an index raises."""
        name = self.name(index)
        with self._locks[name]:
            if name in self._open:
                try:
                    self._open[name].index.refresh()
                except IndexReplaced:
                    del self._open[name]
                except IndexNotFound:
                    del self._open[name]
                    raise
            if name not in self._open:
                if not (self.folders[name] / "catalog.sqlite").exists():
                    raise IndexNotFound(self.folders[name])
                with self._loading:
                    self._open[name] = Searcher(self.folders[name], self.settings, self._say, self._models)
            return self._open[name]

    def passage(self, id: str, index: str | None = None) -> tuple[Searcher, StoredPassage]:
        """A live passage by its id, with the searcher that holds it. NoSuchPassage, and what `searcher` raises."""
        searcher = self.searcher(index)
        stored = searcher.index.by_id(id)
        if stored is None:
            raise NoSuchPassage(id)
        return searcher, stored

    def models(self) -> Mapping[Any, Any]:
        """The models that are loaded, by role and choice."""
        return dict(self._models)

    def close(self) -> None:
        """Lets go of all indexes; nobody may be searching."""
        for searcher in self._open.values():
            searcher.close()
        self._open.clear()


def _by_name(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        if found.setdefault(folder.name, folder) != folder:
            what = f"two indexes are called {folder.name}: {found[folder.name]} and {folder}"
            raise WrongRequest(what, remedy="serve one of them, or rename a folder")
    return found
