"""What a further model is shown of stored passages: words from the index, pictures decoded again from their files.

Knows passages, the pool that reads files and what a model takes; knows no vectors and no commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from rag.backends.base import Embedder
from rag.corpus.sources import local_file, stamp_now
from rag.decoding.read_again import read_again
from rag.indexing.pending_document import shown_to
from rag.loaders.policy import ReadingPolicy
from rag.loaders.text.passage_content import text_content
from rag.location import Location
from rag.text.clues import embedded_clues
from rag.types import Content, Document, DocumentId, Dropped, Passage, StoredPassage

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool

CHANGED = "its file has changed since it was read; the next `rag index` reads it"
GONE = "its file cannot be read again"
DIFFERENT = "the same pixels with different words, of which the index keeps one vector"


class Picture(NamedTuple):
    """A passage whose pixels a model is shown."""

    stored: StoredPassage
    clues: str  # that go with them
    stamp: str  # of its file, as it was read


@dataclass(frozen=True, slots=True)
class ContentReader:
    """Makes the contents for one model. `sharing` gives the passages that share a vector, `stamp` that of a passage's file.

    A content is one by what the `first` model was shown of it. So a further model sees no pixels where the first saw none, and of
    a picture no caption and no date where these were nothing to the first: another picture may share the content later.
    """

    embedder: Embedder
    first: Embedder
    policy: ReadingPolicy
    files: AskPool
    sharing: Callable[[int], Sequence[StoredPassage]]
    stamp: Callable[[int], str]

    def look_at(self, stored: Sequence[StoredPassage]) -> tuple[dict[int, Content | str], list[Picture]]:
        """The content of each passage by its number, or the reason why there is none; and those whose picture must be decoded."""
        found: dict[int, Content | str] = {}
        pictures: list[Picture] = []
        for one in stored:
            words = self._words(one.passage)
            accepted = shown_to(self.embedder.modalities & self.first.modalities, words)
            if isinstance(accepted, Dropped):
                found[one.number] = accepted.reason
            elif words.modality != "text" and self._differs(one, accepted):
                found[one.number] = DIFFERENT
            elif accepted.modality == "text":
                found[one.number] = accepted
            else:
                pictures.append(Picture(one, accepted.clues, self.stamp(one.number)))
        return found, pictures

    def _words(self, passage: Passage) -> Content:
        """What the model is shown, without pixels."""
        if passage.modality == "text":
            return text_content(passage)
        if self.first.reads_clues or passage.modality not in self.first.modalities:
            return Content(passage.modality, clues=embedded_clues(passage, self.policy.clues))
        return Content(passage.modality, clues=passage.text)

    def _differs(self, one: StoredPassage, accepted: Content) -> bool:
        """Whether the model would be shown other words of a passage with the same pixels: one vector cannot stand for both."""
        if accepted.modality != "text" and not self.embedder.reads_clues:
            return False
        said = {self._words(other.passage).clues for other in self.sharing(one.number)}
        return len(said) > 1

    def decode(self, pictures: Sequence[Picture]) -> dict[int, Content | str]:
        """The content of each picture by the number of its passage, or the reason why there is none. Each file is opened once.

        Asks neither `sharing` nor `stamp`: another thread may call it.
        """
        by_file: dict[tuple[DocumentId, Location], list[Picture]] = {}
        for one in pictures:
            by_file.setdefault((one.stored.passage.document, one.stored.file), []).append(one)
        found: dict[int, Content | str] = {}
        changed = {key for key, (first, *_) in by_file.items() if not _is_as_read(first.stored.file, first.stamp)}
        for key in changed:
            found |= {one.stored.number: CHANGED for one in by_file.pop(key)}

        def decode(of_file: list[Picture]) -> None:
            ordered = sorted(of_file, key=lambda one: one.stored.passage.ordinal)
            passages = [one.stored.passage for one in ordered]
            contents = list[Content | None]()
            with suppress(OSError), local_file(ordered[0].stored.file) as file:
                document = Document(passages[0].document, file.path, caption=passages[0].caption)
                contents = read_again(document, passages, self.policy.limits, self.files)
            for one, content in zip(ordered, contents or [None] * len(ordered), strict=False):
                whole = content is not None and bool(content.pixels)
                found[one.stored.number] = replace(content, clues=one.clues) if content is not None and whole else GONE

        if by_file:
            with ThreadPoolExecutor(max(1, self.files.count)) as threads:
                list(threads.map(decode, by_file.values()))
        return found


def _is_as_read(file: Location, stamp: str) -> bool:
    """Whether a file still has the stamp that it had when it was read; those of its companions follow a bar."""
    try:
        return stamp.partition("|")[0] == stamp_now(file)
    except OSError:
        return False
