"""Models opened once and shared, and what is said while one is loaded.

Knows what was chosen; knows no index, no terminal and no HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from rag.backends import EMBEDDERS, RERANKERS
from rag.config import Settings
from rag.models.selection import ModelChoice, choose_reranker, this_machine
from rag.plugins import resolve

if TYPE_CHECKING:
    from rag.backends.base import Embedder, Reranker

_Model = TypeVar("_Model")
Say = Callable[[str], None]
Models = MutableMapping[tuple[str, ModelChoice], Any]  # by role: those that are loaded already, shared by several indexes


def silent(_: str) -> None:
    """Says nothing."""


def reranker_beside(embedder: str, settings: Settings, say: Say = silent, models: Models | None = None) -> Reranker | None:
    """The reranker that runs beside the embedding model of that name, loaded; None where there is none."""
    chosen = choose_reranker(settings, embedder, this_machine())
    return None if chosen is None else shared(chosen, open_reranker, say, models)


def shared(chosen: ModelChoice, open_it: Callable[[ModelChoice], _Model], say: Say, models: Models | None) -> _Model:
    """A model of `models`; one that is not there yet is opened by `open_it` and kept there."""
    if models is None:
        return _loaded(chosen, open_it, say)
    role = open_it.__name__
    if (role, chosen) not in models:
        models[role, chosen] = _loaded(chosen, open_it, say)
    found: _Model = models[role, chosen]
    return found


def _loaded(chosen: ModelChoice, open_it: Callable[[ModelChoice], _Model], say: Say) -> _Model:
    """Opens a model; one that runs in this process is loaded now, and that is said, with the time it took."""
    model = open_it(chosen)
    load = getattr(model, "load", None)
    if load is None:
        return model
    say(f"loading {chosen.choice.model} with {chosen.backend}{f' ({chosen.why})' if chosen.why else ''}")
    started = time.monotonic()
    load()
    say(f"loaded in {time.monotonic() - started:.1f} s; `rag serve` keeps it loaded")
    return model


def open_embedder(chosen: ModelChoice) -> Embedder:
    """The embedder that was chosen; in this process it is loaded now."""
    embedder: Embedder = resolve(EMBEDDERS, chosen.backend, "embedder")(chosen.choice)
    return embedder


def open_reranker(chosen: ModelChoice | None) -> Reranker | None:
    """The reranker that was chosen, if one was."""
    if chosen is None:
        return None
    reranker: Reranker = resolve(RERANKERS, chosen.backend, "reranker")(chosen.choice)
    return reranker
