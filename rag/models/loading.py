"""Opens each chosen model once, shares it, and reports while its weights are loaded.

Knows choices; knows no index, no terminal and no HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from rag.backends import EMBEDDERS, RERANKERS
from rag.backends.base import InProcess
from rag.models.run_files import Task
from rag.models.selection import ModelChoice, choose_reranker, choose_scorer, this_machine
from rag.plugins import resolve

if TYPE_CHECKING:
    from rag.backends.base import Embedder, Reranker
    from rag.config import Settings

Say = Callable[[str], None]
_Key: TypeAlias = tuple[Task, ModelChoice]


def silent(_: str) -> None:
    """Says nothing."""


class ModelCache:
    """The models opened so far, by role and choice: each is opened once and loaded once, for several indexes or several runs.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._opened: dict[_Key, Any] = {}
        self._loaded: set[_Key] = set()

    def embedder(self, chosen: ModelChoice) -> Embedder:
        """The embedder of a choice. One in this process loads its weights when they are first needed. As `open_embedder`."""
        opened: Embedder = self._open(("embedder", chosen), open_embedder)
        return opened

    def loaded_embedder(self, chosen: ModelChoice, say: Say) -> Embedder:
        """The same, with its weights loaded: `say` hears when that begins and how long it took. BackendError if it fails."""
        opened: Embedder = self._load(("embedder", chosen), self.embedder(chosen), say)
        return opened

    def loaded_reranker(self, chosen: ModelChoice, say: Say) -> Reranker:
        """The reranker of a choice, with its weights loaded. As `loaded_embedder`."""
        key: _Key = ("reranker", chosen)
        opened: Reranker = self._load(key, self._open(key, open_reranker), say)
        return opened

    def _open(self, key: _Key, open_model: Callable[[ModelChoice], Any]) -> Any:
        if key not in self._opened:
            self._opened[key] = open_model(key[1])
        return self._opened[key]

    def _load(self, key: _Key, model: Any, say: Say) -> Any:
        if key not in self._loaded and isinstance(model, InProcess):
            chosen = key[1]
            say(f"loading {chosen.choice.model} with {chosen.backend}{f' ({chosen.why})' if chosen.why else ''}")
            started = time.monotonic()
            model.load()
            say(f"loaded in {time.monotonic() - started:.1f} s; `rag serve` keeps it loaded")
            self._loaded.add(key)
        return model


def reranker_beside(embedder: str, settings: Settings, models: ModelCache, say: Say = silent) -> Reranker | None:
    """The reranker that goes with the embedding model of that name, loaded; None if there is none."""
    chosen = choose_reranker(settings, embedder, this_machine())
    return None if chosen is None else models.loaded_reranker(chosen, say)


def scorer(settings: Settings, models: ModelCache, say: Say = silent) -> Reranker | None:
    """The reranker for pairs that a caller brings, loaded; None if there is none."""
    chosen = choose_scorer(settings, this_machine())
    return None if chosen is None else models.loaded_reranker(chosen, say)


def open_embedder(chosen: ModelChoice) -> Embedder:
    """The embedder of a choice. WrongRequest for an unknown backend, WrongSetting, MissingExtra or BackendError from its own."""
    embedder: Embedder = resolve(EMBEDDERS, chosen.backend, "embedder")(chosen.choice)
    return embedder


def open_reranker(chosen: ModelChoice) -> Reranker:
    """The reranker of a choice; the errors are those of `open_embedder`."""
    reranker: Reranker = resolve(RERANKERS, chosen.backend, "reranker")(chosen.choice)
    return reranker
