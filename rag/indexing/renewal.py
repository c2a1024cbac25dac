"""Brings an index to the current rules for words: its full text, and the vectors of a model whose rules changed with them.

Knows embedders and the writer; opens no file: words and looks are taken from the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.backends.base import capabilities_of
from rag.corpus.digests import content_key
from rag.humanize import counted
from rag.loaders.policy import ReadingPolicy
from rag.loaders.text.passage_content import text_content
from rag.text.clues import embedded_clues
from rag.types import Content, Fingerprint, Passage

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.index.writer.renewal import Renew
    from rag.index.writing import IndexWriter


def can_renew(embedder: Embedder, fingerprint: Fingerprint) -> bool:
    """Whether the embedder makes its vectors from those of that fingerprint without reading files."""
    earlier = capabilities_of(embedder).earlier
    return earlier is not None and earlier(fingerprint) is not None


def renew(writer: IndexWriter, embedder: Embedder, policy: ReadingPolicy) -> tuple[str, ...]:
    """Applies the current rules, in one commit; until then the old ones answer. Returns what was done, for people."""
    made = _renewing(embedder, policy) if writer.fingerprint != embedder.fingerprint else None
    done = writer.renew(embedder.fingerprint, made)
    if done is None:
        return ()
    passages, vectors = done
    if not passages:
        return ()
    said = f"the rules for words have changed: those of {counted(passages, 'passage')} were analysed anew"
    if vectors:
        said += f", and {counted(vectors, 'vector')} made anew from the words and looks in the index"
    return (f"{said}; no file was opened for it",)


def _renewing(embedder: Embedder, policy: ReadingPolicy) -> Renew:
    anew = capabilities_of(embedder).anew
    assert anew is not None  # `can_renew`

    def renewed(
        passages: Sequence[Passage], keys: Sequence[bytes], rows: NDArray[np.float32]
    ) -> tuple[list[bytes], NDArray[np.float32]]:
        contents = [_shown(passage, policy) for passage in passages]
        fresh = [
            content_key(content, embedder.fingerprint, clues="", seen=()) if content.modality == "text" else _key(key, embedder)
            for content, key in zip(contents, keys, strict=True)
        ]
        return fresh, anew(contents, rows)

    return renewed


def _shown(passage: Passage, policy: ReadingPolicy) -> Content:
    """What the model was shown of a passage, without its pixels."""
    if passage.modality == "text":
        return text_content(passage)
    return Content(passage.modality, clues=embedded_clues(passage, policy.clues))


def _key(key: bytes, embedder: Embedder) -> bytes:
    """The key of a picture's vector: the index does not hold the digest of its pixels, but the old key stands for them."""
    return blake2b(key + repr(embedder.fingerprint).encode(), digest_size=16).digest()
