"""Whether a model takes long for folders: estimated from one call and from what the folders hold.

Knows an embedder, the walk and sizes of files; opens no file and knows no index.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from rag.backends.base import InProcess, capabilities_of
from rag.config import Settings
from rag.corpus.file_types import family_of
from rag.corpus.walk import FileEntry, walk
from rag.indexing.roots import choose_root, heeded_files
from rag.location import Location
from rag.types import Content

if TYPE_CHECKING:
    from rag.backends.base import Embedder

PATIENCE = 60.0  # seconds of the model alone that a person waits for the last document
FEW = 64  # passages for which nothing is estimated
MOST = 50_000  # passages that are counted
BYTES_EACH = 2_000  # of text for a passage, about
ON_PROCESSOR = 5.0  # contents a second, about, of a neural model in this process without an accelerator
SAMPLE = "The harbour is deep enough for ships of every size, and the tide table hangs beside the door of the pilots' house. " * 8


def seconds_needed(folders: Sequence[Location], settings: Settings, embedder: Embedder, *, accelerated: bool) -> float:
    """Seconds that the model needs for the passages of the folders, at least; 0.0 for few. BackendError where it fails.

    A model whose weights this process loads is not called: on an accelerator it is fast, else it is as slow as such models are.
    """
    passages = count_passages(folders, settings)
    if passages < FEW:
        return 0.0
    if isinstance(embedder, InProcess):
        return 0.0 if accelerated else passages / ON_PROCESSOR
    return passages / rate_of(embedder)


def count_passages(folders: Sequence[Location], settings: Settings) -> int:
    """How many passages the folders give, at least and at most MOST: by the sizes of texts, and one of every other file."""
    heeded = heeded_files(settings, {})
    targets = (choose_root(folder, {})[0]._replace(heeded=heeded) for folder in folders)
    count = 0
    for found in chain.from_iterable(walk(*target) for target in targets):
        if count >= MOST:
            return MOST
        if isinstance(found, FileEntry):
            count += _passages_of(found)
    return count


def rate_of(embedder: Embedder) -> float:
    """Contents a second, from one call of as many as it takes at a time, times the calls that it takes at once. BackendError."""
    at_once = max(1, capabilities_of(embedder).concurrent_calls)
    contents = [Content("text", text=SAMPLE)] * max(1, embedder.batch // at_once)
    began = time.perf_counter()
    embedder.embed(contents, role="document")
    return at_once * len(contents) / max(1e-6, time.perf_counter() - began)


def _passages_of(file: FileEntry) -> int:
    if family_of(file.path) != "text":
        return 1
    size = file.stamp.partition(":")[0]
    return max(1, int(size) // BYTES_EACH) if size.isdigit() else 1
