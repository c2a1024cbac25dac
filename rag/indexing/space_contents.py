"""What a further model is shown of stored passages: words from the index, pictures decoded again from their files.

Knows passages, the pool that reads files and what a model takes; knows no vectors and no commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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

    def read(self, stored: Sequence[StoredPassage]) -> dict[int, Content | str]:
        """The content of each passage by its number, or the reason why there is none. Each file is opened once."""
        found: dict[int, Content | str] = {}
        shown: dict[int, Content] = {}
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
                shown[one.number] = accepted
        found.update(self._decode([one for one in stored if one.number in shown], shown))
        return found

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

    def _decode(self, stored: Sequence[StoredPassage], shown: Mapping[int, Content]) -> dict[int, Content | str]:
        by_file: dict[tuple[DocumentId, Location], list[StoredPassage]] = {}
        for one in stored:
            by_file.setdefault((one.passage.document, one.file), []).append(one)
        found: dict[int, Content | str] = {}
        changed = {key for key, (first, *_) in by_file.items() if not _is_as_read(first.file, self.stamp(first.number))}
        for key in changed:
            found |= {one.number: CHANGED for one in by_file.pop(key)}

        def decode(passages: list[StoredPassage]) -> None:
            ordered = sorted(passages, key=lambda one: one.passage.ordinal)
            first, contents = ordered[0], list[Content | None]()
            with suppress(OSError), local_file(first.file) as file:
                document = Document(first.passage.document, file.path, caption=first.passage.caption)
                contents = read_again(document, [one.passage for one in ordered], self.policy.limits, self.files)
            for one, content in zip(ordered, contents or [None] * len(ordered), strict=False):
                whole = content is not None and bool(content.pixels)
                found[one.number] = replace(content, clues=shown[one.number].clues) if content is not None and whole else GONE

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
