"""A new index: made empty, with what it keeps of its model and of how it reads.

Knows settings, models and the index folder; knows no document.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import Settings
from rag.errors import BackendError
from rag.index.locations import fixed_settings
from rag.models.canaries import embed_canaries
from rag.models.selection import Chosen, remembered

if TYPE_CHECKING:
    from rag.backends.base import Embedder


def create_index(folder: Path, settings: Settings, chosen: Chosen, embedder: Embedder, say: Callable[[str], None]) -> None:
    """Makes an empty index for that model, and says which it is.

    BackendError where a server fails a proof of format: an index of wrong vectors looks fine and ranks badly.
    """
    from rag.index.catalog.index_folder import create

    _name_model(chosen, embedder, say)
    create(folder, embedder.fingerprint, _kept(settings, chosen, embedder))


def _name_model(chosen: Chosen, embedder: Embedder, say: Callable[[str], None]) -> None:
    """Says which model a new index is made with, and where it was found; not of lite where nothing else was thought of."""
    if chosen.backend != "lite" or chosen.why:
        say(f"new index with {embedder.fingerprint.model} ({chosen.why or chosen.backend})")


def _kept(settings: Settings, chosen: Chosen, embedder: Embedder) -> dict[str, str]:
    """What a new index keeps: how it reads, which model it was made with, and for a server its canaries."""
    canaries = {}
    if chosen.backend == "server":
        from rag.models.doctor import prove

        for finding in prove(chosen.choice, "embedder"):
            if finding.verdict == "failed":
                raise BackendError(f"{finding.subject}: {finding.check}: {finding.detail}", remedy=finding.remedy)
        canaries = embed_canaries(embedder)
    return fixed_settings(settings) | remembered(chosen, settings) | canaries
