"""The part of the writer that stores picture texts: captions that documents give, and words that OCR recognised.

Knows the writer's open transaction and waiting documents; the rows belong to `rag.index.catalog.picture_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from rag.index.catalog import picture_text as pictures
from rag.index.catalog.documents import clear_stamps
from rag.index.catalog.recognised_words import RecognisedWords
from rag.index.catalog.transaction import Transaction
from rag.index.files.uninterruptible import uninterruptible
from rag.index.writer.pending import PendingDocuments
from rag.types import CaptionOf, DocumentId


class PictureWords:
    """Part of a `Writer`: changes become visible with its next commit."""

    def __init__(self, transaction: Transaction, waiting: PendingDocuments, number_of: Callable[[str], int]) -> None:
        """`number_of` returns the number of a root by its name."""
        self._transaction, self._waiting, self._number_of = transaction, waiting, number_of

    @uninterruptible()
    def put_captions(self, root: str, source_path: str, captions: Sequence[CaptionOf]) -> AbstractSet[str]:
        """Stores the captions that one document gives to pictures, replacing those it gave before.

        Returns the paths of pictures whose caption changed. These count as changed until they are put again.
        """
        before, after = pictures.by_target(self.captions_from(root, source_path)), pictures.by_target(captions)
        targets = {path for path in before | after if before.get(path) != after.get(path)}
        if targets:
            number = self._number_of(root)
            with self._transaction.changing() as connection:
                pictures.put_captions(connection, number, source_path, captions)
                clear_stamps(connection, number, targets)
            for path in targets:
                self._waiting.clear_stamp(DocumentId(root, path))
        return targets

    def captions_from(self, root: str, source_path: str) -> list[CaptionOf]:
        """The captions that one document gives, in their order there."""
        number = self._number_of(root)
        with self._transaction.reading() as connection:
            return pictures.captions_from(connection, number, source_path)

    def captions_for(self, root: str, target_path: str) -> list[str]:
        """The captions given to one picture, ordered by the path of the document that gives them and their order there."""
        number = self._number_of(root)
        with self._transaction.reading() as connection:
            return pictures.captions_for(connection, number, target_path)

    @uninterruptible()
    def put_recognised(self, key: bytes, words: str) -> None:
        """Stores the words recognised in the picture with that hash."""
        with self._transaction.changing() as connection:
            pictures.put_recognised(connection, key, words)

    def recognised(self, key: bytes) -> str | None:
        """The words recognised in the picture with that hash; None where OCR has not run on it."""
        with self._transaction.reading() as connection:
            return pictures.recognised(connection, key)

    def open_recognised(self) -> RecognisedWords:
        """The words that are committed, for other threads; the caller closes it."""
        return RecognisedWords(self._transaction.folder)
