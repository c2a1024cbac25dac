"""What turns content into numbers. Knows models; knows no files and no index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rag.types import Content, Fingerprint, Modality, Role

if TYPE_CHECKING:
    from rag.types import Vectors


class Embedder(Protocol):
    """Content to comparable vectors.

    Laws, checked for every row of EMBEDDERS by tests/contracts/test_embedders.py:
    - ``embed`` returns float32 of shape (len(contents), dim), rows of unit length, in input order; an empty list gives (0, dim).
    - It gives a vector for every content or raises BackendError. It never returns a vector for anything else.
    - A content's vector does not depend on its neighbours in the list.
    - Equal fingerprints mean comparable vectors, and only those.
    """

    fingerprint: Fingerprint
    modalities: frozenset[Modality]
    reads_clues: bool  # whether `Content.clues` changes the vector: part of what a vector is keyed by
    batch: int  # how many contents it likes at once

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors: ...


class Reranker(Protocol):
    """(query, passage) pairs to scores.

    Laws, checked for every row of RERANKERS by tests/contracts/test_rerankers.py:
    - ``score`` gives one finite float in 0…1 per content, in input order; an empty list gives an empty list.
    - A content's score does not depend on its neighbours in the list.
    - It scores every content or raises BackendError.
    - ``score`` uses a candidate's pixels where it has them and never fails without them. ``wants_pixels(query)`` says whether
      the pictures and videos among the candidates must be decoded again for this query; where it is false they come with their
      clues alone.
    """

    name: str
    modalities: frozenset[Modality]  # a content of another modality is scored by its clues

    def wants_pixels(self, query: Content) -> bool: ...

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]: ...
