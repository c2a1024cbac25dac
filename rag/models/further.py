"""Opens the model of a vector space beside the first, and compares it with what the index keeps of it.

Knows choices and canaries; knows no query and no content of the index.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.backends.base import capabilities_of
from rag.errors import EmbedderMismatch
from rag.models.canaries import compare_canaries
from rag.models.loading import ModelCache, Say, silent
from rag.models.selection import choose_kept, this_machine

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.config import Settings
    from rag.index.catalog.spaces import Space


def open_to_fill(folder: Path | str, space: Space, settings: Settings, models: ModelCache) -> Embedder:
    """The embedder of a space. EmbedderMismatch or AnotherModel where it is not the same; the errors of `open_embedder`."""
    embedder = models.embedder(choose_kept(settings, space.settings, this_machine()))
    refuse_other(folder, space, embedder)
    compare_canaries(folder, space.settings, embedder)
    return embedder


def open_to_ask(folder: Path | str, space: Space, settings: Settings, models: ModelCache, say: Say = silent) -> Embedder:
    """The same with its weights loaded, for queries: one of an earlier revision answers for itself where it can."""
    embedder = models.loaded_embedder(choose_kept(settings, space.settings, this_machine()), say)
    if embedder.fingerprint != space.fingerprint and (earlier := capabilities_of(embedder).earlier):
        embedder = earlier(space.fingerprint) or embedder
    refuse_other(folder, space, embedder)
    compare_canaries(folder, space.settings, embedder)
    return embedder


def refuse_other(folder: Path | str, space: Space, embedder: Embedder) -> None:
    """EmbedderMismatch where the embedder's vectors cannot be compared with those of the space."""
    if embedder.fingerprint != space.fingerprint:
        error = EmbedderMismatch(folder, space.fingerprint, embedder.fingerprint)
        error.remedy = f"drop the old one, then add it again: rag models drop {space.name}"
        raise error
