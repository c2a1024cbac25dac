"""What the write path asks of a writer, wherever the index is kept: the changes of one run, and when they are seen.

Knows the nouns; knows no folder, no database and no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rag.index.catalog.documents import IncompleteDocument, TwinDocument
    from rag.index.catalog.spaces import Space
    from rag.index.filling import Spaces
    from rag.index.writer.renewal import Renew
    from rag.location import Location
    from rag.types import CaptionOf, Document, DocumentId, Fingerprint, Passage, Vectors


class RecognisedWords(Protocol):
    """The recognised words that are committed, by the hash of a picture. Safe to ask from any thread."""

    def find(self, key: bytes) -> str | None: ...
    def close(self) -> None: ...


class PictureTexts(Protocol):
    """Captions that documents give to pictures, and words that were recognised in pictures; committed with the rest."""

    def put_captions(self, root: str, source_path: str, captions: Sequence[CaptionOf]) -> AbstractSet[str]:
        """Replaces what a document says; returns the paths of pictures of which something else is said now.

        Their stamps are cleared, so that they are read again.
        """
        ...

    def captions_for(self, root: str, target_path: str) -> list[str]: ...
    def put_recognised(self, key: bytes, words: str) -> None: ...
    def open_recognised(self) -> RecognisedWords: ...


class Memory(Protocol):
    """What a run leaves for the next one, beside the documents."""

    def keep_setting(self, name: str, value: str) -> None: ...
    def keep_ignored(self, root: str, counts: Mapping[str, int]) -> None: ...
    def read_again(self, versions: Mapping[str, int]) -> Counter[str]: ...


class Kept(Protocol):
    """Small named texts beside the index, each written at once and durably: what is quarantined."""

    def read(self, name: str) -> str:
        """The text of that name; "" where there is none, or it cannot be read."""
        ...

    def write(self, name: str, text: str) -> None:
        """StorageFailed."""
        ...


class FurtherSpaces(Protocol):
    """The vector spaces beside the first, whose vectors are made from what the index holds."""

    def add(self, name: str, fingerprint: Fingerprint, settings: Mapping[str, str]) -> Space:
        """A space of that name without any vector."""
        ...


class IndexWriter(Protocol):
    """A writer of an index; for one thread at a time.

    Laws, checked for every row of INDEXES by tests/scale/test_contract.py:
    - A document becomes visible whole, once all its vectors are there, and replaces its older version at the same moment; until
      then the older version stays. What `commit` has returned from survives a kill.
    - `stamps` gives (path, stamp) of a root's documents, skipped ones too, ordered by the path's bytes; changes may be made
      meanwhile.
    - A key that has a vector keeps it: `known` says which have one, and no model is asked for those again. Vectors are kept as
      they are committed, also those whose document is not complete.
    - `twin` gives a document with the same digest that was read the same way, with the key of every passage.
    - A kill at any moment leaves every document as it was or as it is to be; the next run needs the same calls of the model as
      if the work since the last commit had not been done, and no others.
    """

    fingerprint: Fingerprint
    remarks: list[str]
    settled_documents: int
    settled_passages: int

    @property
    def pictures(self) -> PictureTexts: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def kept(self) -> Kept: ...
    @property
    def spaces(self) -> Spaces: ...
    def put_space_first(self, space: Space) -> None:
        """Puts a space in the place of the first one, and commits. IndexFailure where it lacks a content's vector."""
        ...

    def roots(self) -> dict[str, Location]: ...
    def add_root(self, name: str, folder: Location) -> None: ...
    def remove_root(self, name: str) -> None: ...
    def renew(self, fingerprint: Fingerprint, vectors: Renew | None) -> tuple[int, int] | None: ...
    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]: ...
    def twin(self, digest: bytes, loader: str) -> TwinDocument | None: ...
    def digest(self, document: DocumentId) -> bytes | None: ...
    def put_document(
        self, document: Document, *, digest: bytes, loader: str, passages: Sequence[tuple[Passage, bytes]], path_words: str
    ) -> None: ...
    def put_unread(self, digest: bytes, reasons: Sequence[str]) -> None: ...
    def put_skipped(self, document: Document, reason: str) -> None: ...
    def remove(self, root: str, path: str) -> bool: ...
    def known(self, keys: Sequence[bytes]) -> set[bytes]: ...
    def put_vectors(self, keys: Sequence[bytes], vectors: Vectors) -> None: ...
    def give_up_vectors(self, keys: AbstractSet[bytes]) -> list[IncompleteDocument]: ...
    @property
    def waiting_documents(self) -> int: ...
    def give_up_waiting(self) -> int: ...
    def commit(self) -> int: ...
