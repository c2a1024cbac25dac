"""Reads passages of one document again, for what an index does not keep: their pixels.

Knows documents, passages and the pool that reads files; knows no model and no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.corpus.file_types import SHOWN_BY
from rag.decoding.messages import ReadRange, Rules
from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside import HOLDERS
from rag.types import Content, Document, Passage

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool


def read_again(document: Document, passages: Sequence[Passage], limits: Limits, pool: AskPool) -> list[Content | None]:
    """The contents of passages of one document; None for one that cannot be read, [] if another type of file is there now."""
    own = [SHOWN_BY.get(passage.kind, ()) for passage in passages if not passage.inner]
    try:
        found, _ = pool.call("rag.loaders.questions:family", document.file, {"limits": limits})
        family = found["family"]
        if not all(family in able for able in own) or (not own and family not in HOLDERS):
            return []
        parts = pool.read(ReadRange(document, Rules(limits, "never", captions=False, key=""), family, tuple(passages)))
    except UnreadableDocument:
        return []
    return [part.outcome if isinstance(part.outcome, Content) else None for part in parts]
