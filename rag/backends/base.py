"""What turns content into numbers. Knows models; knows no files and no index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.types import Content, Fingerprint, Kind, Modality, Role

if TYPE_CHECKING:
    from rag.types import Vectors


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model, where it runs, and what it is told. Empty fields mean the model's own defaults."""

    model: str = ""  # a name such as Qwen/Qwen3-VL-Embedding-2B, or a local folder
    family: str = ""  # of FAMILIES, where the name does not tell
    urls: tuple[str, ...] = ()  # endpoints of a server, without /v1
    dim: int = 0  # shorter vectors; 0: the model's own
    query_instruction: str = ""
    document_instruction: str = ""
    rerank_instruction: str = ""
    api_key: str = ""
    ca_bundle: str = ""  # a file of certificates
    in_flight: int = 8  # requests at once for each endpoint
    timeout: float = 120.0  # seconds for one request


UNTOLD = Choice()


class Embedder(Protocol):
    """Content to comparable vectors. Made from a `Choice`.

    Laws, checked for every row of EMBEDDERS by tests/contracts/test_embedders.py:
    - ``embed`` returns float32 of shape (len(contents), dim), rows of unit length, in input order; an empty list gives (0, dim).
    - It gives a vector for every content or raises BackendError. It never returns a vector for anything else. ContentRefused
      where a working model does not take some of the contents; it holds the vectors of the others.
    - A content's vector does not depend on its neighbours in the list.
    - Equal fingerprints mean comparable vectors, and only those.
    """

    fingerprint: Fingerprint
    modalities: frozenset[Modality]
    reads_clues: bool  # whether `Content.clues` changes the vector: part of what a vector is keyed by
    batch: int  # how many contents it likes at once

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors: ...


class Reranker(Protocol):
    """(query, passage) pairs to scores. Made from a `Choice`.

    Laws, checked for every row of RERANKERS by tests/contracts/test_rerankers.py:
    - ``score`` gives one finite float in 0…1 per content, in input order; an empty list gives an empty list.
    - A content's score does not depend on its neighbours in the list.
    - It scores every content or raises BackendError: ContentRefused where a working model does not take some of the pairs.
    - ``score`` uses a candidate's pixels where it has them and never fails without them. ``wants_pixels(query)`` says whether
      the pictures and videos among the candidates must be decoded again for this query; where it is false they come with their
      clues alone.
    - ``reads_vectors`` is the fingerprint of the embedder whose document vectors tell it all that pixels would: candidates of
      such an index come with their `vector` instead of pixels, and no file is opened. None for most.
    """

    name: str
    modalities: frozenset[Modality]  # a content of another modality is scored by its clues
    reads_vectors: Fingerprint | None
    trust: Mapping[Kind, float]  # share of its score in the final one, 0…1, where published figures say it hurts a kind; else 1

    def wants_pixels(self, query: Content) -> bool: ...

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]: ...
