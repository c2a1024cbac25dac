"""The passages of one document as they are read: kept in order, their words joined, each with the key of its vector.

Knows clues and keys; knows no file, no index and no model but its fingerprint.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.corpus.companions import CAPTION_BYTES
from rag.corpus.composed_paths import composed
from rag.corpus.digests import content_key
from rag.corpus.file_types import PICTURE_SUFFIXES
from rag.decoding.messages import Identified, PassageRead, Rules
from rag.errors import UnreadableDocument
from rag.loaders.policy import ReadingPolicy
from rag.loaders.text.encoding import decoded
from rag.text.clues import embedded_clues
from rag.types import Content, Document, DocumentId, Dropped, Modality, Passage, Skipped

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.corpus.objects.cache import LocalFile
    from rag.corpus.walk import FileEntry, Root
    from rag.index.catalog.documents import TwinDocument
    from rag.index.writing import IndexWriter
    from rag.indexing.tally import RunTally


@dataclass(slots=True)
class JobOutput:
    """What one job returned: for the whole document, or for a range of its passages."""

    passages: list[tuple[Passage, bytes]] = field(default_factory=list)  # each with the key of its vector
    fresh: list[Passage] = field(default_factory=list)  # as split now, where a twin is taken over
    lost: list[Skipped] = field(default_factory=list)  # parts that could not be read
    dropped: Counter[str] = field(default_factory=Counter)  # parts left out on purpose, by reason
    unseen: str = ""  # why the model could be shown nothing of it


@dataclass(slots=True)
class PendingDocument:
    """A document on its way into the index."""

    number: int
    root: Root
    found: FileEntry
    document: Document
    tally: RunTally  # where it is counted
    rules: Rules
    identity: Identified | None = None
    twin: TwinDocument | None = None
    tickets: set[int] = field(default_factory=set)  # of all jobs asked for it
    outputs: dict[int, JobOutput] = field(
        default_factory=lambda: {0: JobOutput()}
    )  # 0: of the job for the whole, then by stretch
    file: LocalFile = field(kw_only=True)  # what is read; the document's own, or a copy of an object
    missing: set[int] = field(default_factory=lambda: {0})  # pieces whose job has not ended
    changed: bool = False  # while it was read
    overtaken: bool = False  # something else is said of it than when it was begun: it is to be read once more

    def begin(self, stretch: int) -> None:
        """Expects one more output, or the same once again: earlier results of it are dropped."""
        self.outputs[stretch] = JobOutput()
        self.missing.add(stretch)

    def ended(self, stretch: int, changed: bool) -> bool:
        """Whether this output completes the document."""
        self.missing.discard(stretch)
        self.changed |= changed
        return not self.missing

    def take(self, part: PassageRead, stretch: int, embedder: Embedder, policy: ReadingPolicy) -> tuple[bytes, Content] | None:
        """Stores one passage; returns its key and the content for the model, if there is one."""
        content, output = part.outcome, self.outputs[stretch]
        if content is None:
            output.fresh.append(part.passage)
        elif isinstance(content, Dropped):
            output.dropped[content.reason.partition(" at ")[0]] += 1
        elif isinstance(content, Skipped):
            output.lost.append(content)
        else:
            return self._keyed(part, content, output, embedder, policy)
        return None

    def _keyed(
        self, part: PassageRead, content: Content, output: JobOutput, embedder: Embedder, policy: ReadingPolicy
    ) -> tuple[bytes, Content] | None:
        passage = part.passage if "caption" in policy.clues else replace(part.passage, caption="")
        if content.modality != "text":
            seen = "\n".join(filter(None, part.words))
            passage = replace(passage, text="\n".join(filter(None, (passage.text, seen)))) if seen else passage
            content = replace(content, clues=embedded_clues(passage, policy.clues))
        shown = shown_to(embedder.modalities, content)
        if isinstance(shown, Dropped):
            output.dropped[shown.reason] += 1
            output.unseen = f"{shown.reason}: {embedder.fingerprint.model}"
            return None
        clues = shown.clues if embedder.reads_clues else ""
        key = content_key(shown, embedder.fingerprint, clues=clues, seen=part.digests if shown.pixels else ())
        output.passages.append((passage, key))
        return key, shown

    @property
    def passages(self) -> list[tuple[Passage, bytes]]:
        """All of them in order, each with the key of its vector."""
        return [one for _, output in sorted(self.outputs.items()) for one in output.passages]

    @property
    def lost(self) -> list[Skipped]:
        """The parts that could not be read."""
        return [one for _, output in sorted(self.outputs.items()) for one in output.lost]

    @property
    def dropped(self) -> Counter[str]:
        """How many parts were left out on purpose, by reason."""
        return sum((output.dropped for output in self.outputs.values()), Counter[str]())

    @property
    def failure(self) -> str:
        """Why nothing of it can be indexed; "" where something can."""
        if any(output.passages for output in self.outputs.values()):
            return ""
        unseen = next((output.unseen for output in self.outputs.values() if output.unseen), "")
        return self.lost[0].reason if self.lost else unseen or "nothing in it can be indexed"

    def taken_over(self) -> list[tuple[Passage, bytes]]:
        """The passages of its twin, as its own. The new name may make a picture a screenshot, or serve as a title."""
        assert self.twin is not None
        taken = [(replace(passage, document=self.document.id), key) for passage, key in self.twin.passages]
        fresh = {passage.ordinal: passage for passage in self.outputs[0].fresh}
        return [(_named_anew(passage, fresh.get(passage.ordinal, passage)), key) for passage, key in taken]

    @property
    def is_renamed(self) -> bool:
        """Whether its name differs from its twin's."""
        return self.twin is not None and self.document.file.name != self.twin.id.path.rpartition("/")[2]


def _named_anew(passage: Passage, now: Passage) -> Passage:
    """A passage of a document that has another name, with what may come from the name."""
    return replace(passage, kind=now.kind, context=replace(now.context, seen=passage.context.seen), taken=now.taken)


def shown_to(modalities: frozenset[Modality], content: Content) -> Content | Dropped:
    """The content as a model of these modalities accepts it: a text-only model gets a picture's known words."""
    if content.modality in modalities:
        return content
    if content.clues:
        return Content("text", text=content.clues)
    return Dropped("a picture without words, for a model that only reads")


def describe(root: Root, found: FileEntry, file: Path, writer: IndexWriter, policy: ReadingPolicy, tally: RunTally) -> Document:
    """The document a walk found, as the file that it is here, with its caption: the text beside it, and the alt texts other
    documents show it with.
    """
    companions = tuple(file.parent / name for name in found.companions)
    caption = ""
    if "caption" in policy.clues and _suffix(found.path) in PICTURE_SUFFIXES:
        said = [_said_beside(root, found, one, tally) for one in companions if one.suffix.lower() == ".txt"]
        said += writer.pictures.captions_for(root.name, composed(found.path))
        caption = "\n".join(dict.fromkeys(text for text in said if text))
    return Document(DocumentId(root.name, found.path), file, found.stamp, found.modified, companions, caption)


def _said_beside(root: Root, found: FileEntry, companion: Path, tally: RunTally) -> str:
    """The text of a caption file; if it cannot be read, that is reported and the picture has no caption."""
    try:
        with companion.open("rb") as stream:
            return decoded(stream.read(2 * CAPTION_BYTES)).strip()
    except (UnreadableDocument, OSError) as error:
        reason = error.what if isinstance(error, UnreadableDocument) else f"cannot be opened: {error.strerror}"
        path = (PurePosixPath(found.path).parent / companion.name).as_posix()
        tally.skipped.append(Skipped(DocumentId(root.name, path), f"as a caption: {reason}"))
        return ""


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
