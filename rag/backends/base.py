"""What turns content into numbers. Knows models; knows no files and no index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.types import Content, Fingerprint, Kind, Modality, Role

if TYPE_CHECKING:
    from rag.types import Vectors


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model to use, where it runs, and its instructions. Empty fields mean the model's own defaults."""

    model: str = ""  # a name such as Qwen/Qwen3-VL-Embedding-2B, or a local folder
    family: str = ""  # a key of FAMILIES, needed if the model's name does not tell
    urls: tuple[str, ...] = ()  # endpoints of a server, without /v1
    dim: int = 0  # length of the vectors, if shorter than the model's own; 0: the model's own
    query_instruction: str = ""
    document_instruction: str = ""
    rerank_instruction: str = ""
    api_key: str = ""
    ca_bundle: str = ""  # a PEM file of certificates to trust
    in_flight: int = 8  # concurrent requests per endpoint
    timeout: float = 120.0  # seconds per request


DEFAULT_CHOICE = Choice()


class Embedder(Protocol):
    """Content to comparable vectors. Constructed from a `Choice`.

    Laws, checked for every row of EMBEDDERS by tests/contracts/test_embedders.py:
    - ``embed`` returns float32 of shape (len(contents), dim), rows of unit length, in input order; an empty list gives (0, dim).
    - It returns a vector for every content or raises BackendError; it never returns a vector of anything else. It raises
      ContentRefused, which carries the vectors of the other contents, if the model works but rejects some of them.
    - A content's vector does not depend on its neighbours in the list.
    - An image content holds one picture, or as many as ``pictures_together`` says: a query of more is embedded picture by
      picture, and its vector is their mean (`rag.search.several_pictures`).
    - Two vectors are comparable if and only if their fingerprints are equal.

    An embedder may also declare `capabilities` (see `EmbedderCapabilities`) and have a `load` method (see `InProcess`).
    """

    fingerprint: Fingerprint
    modalities: frozenset[Modality]
    reads_clues: bool  # whether `Content.clues` changes the vector, so that clues belong to the key of a stored vector
    batch: int  # contents that keep it busy, over all concurrent calls together

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors: ...


class SideEmbedder(Protocol):
    """An embedder for texts in a process of its own, working beside one in this process.

    Laws, checked by tests/contracts/test_embedders.py:
    - ``is_ready`` says whether it accepts a call now, without waiting. The first time it is asked starts the process.
    - ``embed`` takes contents without pixels and returns exactly the rows that the embedder beside it would, even if the process
      has died.
    - ``close`` ends the process; ``is_ready`` is False from then on.
    """

    def is_ready(self) -> bool: ...

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EmbedderCapabilities:
    """How an embedder is best called. Optional: an embedder declares it as its attribute `capabilities`.

    Laws, checked by tests/contracts/test_embedders.py:
    - ``concurrent_calls``: this many threads may call ``embed`` at once, each with up to ``batch // concurrent_calls`` contents.
      1: one call at a time, from a thread of its own. 0: the embedder is pure Python, which a second thread would only slow down,
      so it is called in the thread that supplies the contents, with up to ``batch`` of them.
    - ``pictures_per_call``: a call is due as soon as this many contents with pixels wait, and takes no more of them.
      0: as many as of texts. A server that gets each picture in a request of its own declares 1, so that no picture waits.
    - ``shorter_side``: a picture thinned by ``downsample.thin(pixels, shorter_side)`` gets the same vector as the whole picture,
      so readers need not send more. In pixels; 0: every pixel counts.
    - ``side_embedder``: makes an embedder for texts in another process. Used only if ``concurrent_calls`` is 0.
    - ``earlier``: the embedder of an earlier revision, by its fingerprint; None for any other. By it an index that was made with
      that revision is searched until a run makes its vectors anew.
    - ``certainty``: by the cosine of a query and a document, how sure it is that the document answers, 0…1, never falling: 1/3
      and more is a good match. None where that is not measured.
    - ``names_looks``: whether words name something that this embedder sees in pixels; where they name nothing, a picture without
      a word of the query matches by chance. None: pixels may match any words.
    - ``weight``: of its cosines in the fusion of lanes, beside 1 for the full text. None: the scores of each query tell.
    - ``pictures_together``: so many pictures in one query it reads as one input, as it was trained to.
    - ``anew``: makes document rows of contents without pixels from their rows of the earlier revision, float32 (n, dim).
    """

    concurrent_calls: int = 1
    pictures_per_call: int = 0
    shorter_side: int = 0
    side_embedder: Callable[[], SideEmbedder] | None = None
    earlier: Callable[[Fingerprint], Embedder | None] | None = None
    anew: Callable[[Sequence[Content], Vectors], Vectors] | None = None
    certainty: Callable[[float], float] | None = None
    names_looks: Callable[[str], bool] | None = None
    weight: float | None = None
    pictures_together: int = 1


def capabilities_of(embedder: Embedder) -> EmbedderCapabilities:
    """What the embedder declares in `capabilities`; the defaults if it declares nothing, as a plugin may."""
    declared = getattr(embedder, "capabilities", None)
    return declared if isinstance(declared, EmbedderCapabilities) else EmbedderCapabilities()


@runtime_checkable
class InProcess(Protocol):
    """An embedder or reranker whose weights are loaded into this process. Optional: a model without `load` has nothing to load.

    Laws, checked by tests/contracts/test_in_process.py:
    - ``load`` loads the weights, so that the first call need not; once they are loaded, it does nothing.
      BackendError, with the reason, if they cannot be loaded.
    - Without it, the first ``embed`` or ``score`` loads them.
    """

    def load(self) -> None: ...


class Reranker(Protocol):
    """(query, passage) pairs to scores. Constructed from a `Choice`.

    Laws, checked for every row of RERANKERS by tests/contracts/test_rerankers.py:
    - ``score`` returns one finite float in 0…1 per content, in input order; an empty list gives an empty list.
    - A content's score does not depend on its neighbours in the list.
    - The query holds one picture at most: for a query of several it is called once for each, and the score is their mean.
    - It scores every content or raises BackendError: ContentRefused if the model works but rejects some of the pairs.
    - ``score`` uses a candidate's pixels if it has them and never fails without them. ``wants_pixels(query)`` says whether this
      query needs the pictures and videos among the candidates decoded again; if not, they come with their clues alone.
    - ``reads_vectors`` is the fingerprint of the embedder whose document vectors can replace pixels: candidates from an index
      made by it come with their `vector`, and no file is opened. None for most rerankers.
    """

    name: str
    modalities: frozenset[Modality]  # a content of another modality is scored by its clues
    reads_vectors: Fingerprint | None
    trust: Mapping[
        Kind, float
    ]  # weight of its score per kind, 0…1: below 1 if published figures say that it ranks that kind worse, else 1

    def wants_pixels(self, query: Content) -> bool: ...

    def score(self, query: Content, contents: Sequence[Content]) -> list[float]: ...
