"""What happens to one document: identified, read, its passages keyed and handed to the writer, or the reason why it is skipped.

Knows documents in progress and the stages they pass; knows no walk, no thread and no commit.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.backends.base import Embedder, capabilities_of
from rag.corpus.composed_paths import composed
from rag.corpus.digests import reading_key
from rag.corpus.file_types import gives, shows_pictures
from rag.corpus.objects.cache import LocalFile
from rag.corpus.objects.store import ObjectGone
from rag.corpus.walk import FileEntry, Root
from rag.decoding.dispatch import Dispatcher
from rag.decoding.messages import (
    Answer,
    Done,
    Failed,
    Identified,
    Identify,
    Job,
    ListPassages,
    PassageRead,
    RangeFound,
    ReadAll,
    ReadRange,
    Rejected,
    Restarted,
    Rules,
)
from rag.decoding.pool import WorkerAnswer
from rag.errors import WrongRequest
from rag.indexing.embed_queue import EmbedQueue
from rag.indexing.fetch import Bringer, Brought
from rag.indexing.monitor import ProgressMonitor
from rag.indexing.ocr_cache import OcrCache
from rag.indexing.pending_document import PendingDocument, describe
from rag.indexing.quarantine import PATIENCE, Quarantine
from rag.indexing.scan import of_pictures
from rag.indexing.sight import ocr_rule, seeing
from rag.indexing.tally import RunTally
from rag.indexing.unread import judge_failure, put_not_brought, put_unread
from rag.loaders.policy import ReadingPolicy
from rag.text.clues import found_by
from rag.types import CaptionOf, Document, DocumentId, Kind, Passage

if TYPE_CHECKING:
    from rag.index.writing import IndexWriter


@dataclass(slots=True)
class DocumentIngester:
    """The documents in progress, and what earlier ones taught. Only for the writer thread."""

    writer: IndexWriter
    embedder: Embedder
    policy: ReadingPolicy
    tally: RunTally
    kinds: frozenset[Kind]
    readers: int  # processes; a long document is read in stretches by so many
    dispatcher: Dispatcher[PendingDocument]
    embed_queue: EmbedQueue
    ocr_cache: OcrCache
    monitor: ProgressMonitor
    rules: Rules = field(init=False)
    under_way: dict[int, PendingDocument] = field(default_factory=dict)  # documents, by their number
    reading: dict[tuple[bytes, str], list[PendingDocument]] = field(
        default_factory=dict
    )  # by digest and reading: who waits for it
    quarantine: Quarantine = field(init=False)
    deferred: list[tuple[Root, FileEntry, RunTally]] = field(default_factory=list)  # to be read alone, at the end
    recaptioned: set[str] = field(default_factory=set)  # pictures of which something else is said now
    refused: dict[bytes, str] = field(default_factory=dict)  # keys of contents that the model does not take, with its reason
    begun: int = 0  # documents

    def __post_init__(self) -> None:
        self.quarantine = Quarantine(self.writer.kept)
        policy = self.policy
        ocr = ocr_rule(policy)
        key = reading_key(policy.limits, policy.ocr, policy.clues)
        threads = 1 if self.readers else os.cpu_count() or 1  # without readers, one document is read at a time
        wanted = seeing(self.embedder.fingerprint, policy)
        shorter_side = capabilities_of(self.embedder).shorter_side
        self.rules = Rules(policy.limits, ocr, "caption" in policy.clues, key, shorter_side, threads, wanted)

    def start(self, root: Root, brought: Brought, tally: RunTally) -> None:
        """Starts a document that the walk found; it is counted in `tally`."""
        found, file = brought.found, brought.file
        if file is None:
            self._not_brought(root, found, brought.failure, tally)
            return
        document = describe(root, found, file.path, self.writer, self.policy, tally)
        if self.quarantine.is_late(document):
            file.close()
            self.deferred.append((root, found, tally))
        else:
            self._start(root, found, document, file, tally, self.rules)

    def start_deferred(self, bringer: Bringer) -> bool:
        """Starts the next document that timed out in an earlier run, alone and with more time; False if there is none."""
        if not self.deferred:
            return False
        root, found, tally = self.deferred.pop(0)
        _, file, failure = bringer.bring_one(found)
        if file is None:
            self._not_brought(root, found, failure, tally)
            return True
        document = describe(root, found, file.path, self.writer, self.policy, tally)
        self._start(root, found, document, file, tally, replace(self.rules, patience=PATIENCE))
        return True

    def close(self) -> None:
        """What is under way is read no further."""
        for pending in self.under_way.values():
            pending.file.close()

    def _start(self, root: Root, found: FileEntry, document: Document, file: LocalFile, tally: RunTally, rules: Rules) -> None:
        self.recaptioned.discard(composed(found.path))
        self.begun += 1
        pending = PendingDocument(self.begun, root, found, document, tally, rules, file=file)
        self.under_way[pending.number] = pending
        self._ask(pending, Identify(document, rules))

    def handle_answer(self, came: WorkerAnswer) -> None:
        """Continues the document that an answer belongs to. WrongRequest where files cannot be read at all."""
        whose = self.dispatcher.owner_of(came.ticket)
        if whose is not None:
            pending, stretch = whose
            self._take(pending, came.answer, stretch)
            if pending.number not in self.under_way:
                self.monitor.update(pending.found.path)
        elif isinstance(came.answer, Rejected):
            raise WrongRequest(came.answer.what, came.answer.remedy)

    def record_captions(self, root: str, path: str, captions: Sequence[CaptionOf]) -> None:
        """Stores what a document says about pictures. Pictures whose captions changed are read again."""
        pictures = self.writer.pictures.put_captions(root, path, captions)
        self.recaptioned |= pictures
        for pending in self.under_way.values() if pictures else ():
            pending.overtaken |= pending.root.name == root and composed(pending.found.path) in pictures

    def is_being_told(self) -> bool:
        """Whether a document that may caption pictures is still being read."""
        return any(shows_pictures(pending.found.path) for pending in self.under_way.values())

    def refuse(self, refused: Mapping[bytes, str]) -> None:
        """Stops sending contents of these keys to the model, which refused them for the given reasons."""
        self.refused |= refused

    def forget(self, root: Root, path: str) -> None:
        """Removes a document that no longer exists."""
        digest = self.writer.digest(DocumentId(root.name, path))
        if self.writer.remove(root.name, path):
            self.tally.removed += 1
            if digest is not None:
                self.tally.departed[digest] += 1

    # ---- step by step ---------------------------------------------------------------------------

    def _ask(self, pending: PendingDocument, job: Job, stretch: int = 0) -> None:
        for answer in self.dispatcher.submit(pending, job, stretch):
            self._take(pending, answer, stretch)

    def _take(self, pending: PendingDocument, answer: Answer, stretch: int) -> None:
        match answer:
            case Identified():
                pending.identity = answer
                self._identified(pending, answer)
            case PassageRead():
                self._keep(pending, answer, stretch)
            case RangeFound(number, passages):
                if number not in pending.outputs and pending.identity is not None:  # else it was found before its reader died
                    pending.begin(number)
                    self._ask(pending, ReadRange(pending.document, pending.rules, pending.identity.loader, passages), number)
            case Done(changed):
                if pending.ended(stretch, changed):
                    self._complete(pending)
            case Failed():
                self._give_up(pending, answer)
            case Restarted():
                pending.begin(stretch)
            case Rejected(what, remedy):
                raise WrongRequest(what, remedy)

    def _complete(self, pending: PendingDocument) -> None:
        """The whole document was read."""
        if pending.twin is not None:
            self._take_over(pending)
        elif pending.failure:
            self._leave_out(pending, Failed(pending.failure))
        else:
            pending.tally.indexed += 1
            pending.tally.skipped += pending.lost
            pending.tally.dropped += pending.dropped
            if pending.identity is not None and not pending.changed:
                self.writer.put_unread(pending.identity.digest, [one.reason for one in pending.lost])
            self._put(pending, pending.passages)

    def _identified(self, pending: PendingDocument, identity: Identified) -> None:
        """Copies a document with the same bytes, waits for one that is being read, or reads it; quarantined ones are skipped.

        Only now is its format known, whatever its name says.
        """
        if not gives(identity.loader, self.kinds):
            pending.tally.ignored["of a kind not asked for"] += 1
            self._end(pending)
            return
        reason = self.quarantine.reason(identity.digest, identity.reading)
        if reason is not None:
            self._leave_out(pending, Failed(reason))
            return
        pending.twin = self.writer.twin(identity.digest, identity.reading)
        if pending.twin is not None and pending.is_renamed:
            self._ask(pending, ListPassages(pending.document, pending.rules, identity.loader))
        elif pending.twin is not None:
            self._take_over(pending)
        elif (identity.digest, identity.reading) in self.reading:
            self.reading[identity.digest, identity.reading].append(pending)
        else:
            self.reading[identity.digest, identity.reading] = []
            self._ask(pending, ReadAll(pending.document, pending.rules, identity.loader, self.readers))

    def _keep(self, pending: PendingDocument, part: PassageRead, stretch: int) -> None:
        for digest, words in part.fresh:
            self.ocr_cache.keep(digest, words)
        keyed = pending.take(part, stretch, self.embedder, self.policy)
        if keyed is None or keyed[0] in self.refused:
            return
        if self.embed_queue.has(keyed[0]) or self.writer.known([keyed[0]]):
            self.tally.count_known(1)
        else:
            self.embed_queue.add(*keyed)

    def _take_over(self, pending: PendingDocument) -> None:
        assert pending.identity is not None
        pending.tally.reused += 1
        if self.writer.digest(pending.document.id) != pending.identity.digest:
            pending.tally.arrived[pending.identity.digest] += 1
        passages = pending.taken_over()
        self.tally.count_known(len(passages))
        self._put(pending, passages)

    def _put(self, pending: PendingDocument, passages: Sequence[tuple[Passage, bytes]]) -> None:
        """Hands a complete document to the writer."""
        identity, document = pending.identity, pending.document
        assert identity is not None
        digest = identity.digest
        if pending.changed:  # which bytes its passages are of is not known: no other document may take them over
            digest, document = b"", replace(document, stamp="")
            pending.tally.changing += 1
        elif pending.overtaken:
            document = replace(document, stamp="")
        self.record_captions(pending.root.name, pending.found.path, of_pictures(identity.captions))
        words = found_by(_of_the_file(passages[0][0]), self.policy.clues)
        self.writer.put_document(document, digest=digest, loader=identity.reading, passages=passages, path_words=words)
        pending.tally.passages.update(Counter(passage.kind for passage, _ in passages))
        self.quarantine.forget_late(pending.document)
        self._end(pending)

    def _give_up(self, pending: PendingDocument, failed: Failed) -> None:
        """Leaves a document out, which may be tried again by the next run."""
        said = judge_failure(self.quarantine, pending, failed)
        self._leave_out(pending, said)
        if said is failed:
            self.quarantine.forget_late(pending.document)

    def _leave_out(self, pending: PendingDocument, failed: Failed) -> None:
        """Stores the reason why a document could not be read."""
        self.record_captions(pending.document.id.root, pending.document.id.path, [])
        put_unread(self.writer, pending.document, failed.reason, pending.tally, passing=failed.passing)
        self._end(pending)

    def _not_brought(self, root: Root, found: FileEntry, failure: Exception | None, tally: RunTally) -> None:
        """A document that did not get here: one that is gone is removed, another has its reason."""
        document = Document(DocumentId(root.name, found.path), Path(found.path), found.stamp, found.modified)
        self.tally.count_read(document)
        if isinstance(failure, FileNotFoundError | ObjectGone):
            self.record_captions(root.name, found.path, [])
            self.forget(root, found.path)
        else:
            put_not_brought(self.writer, document, failure, tally)

    def _end(self, pending: PendingDocument) -> None:
        """The document is finished; others that waited for its passages can copy them."""
        pending.file.close()
        self.tally.count_read(pending.document)
        del self.under_way[pending.number]
        self.dispatcher.forget(pending)
        if pending.identity is not None and pending.twin is None:
            for other in self.reading.pop((pending.identity.digest, pending.identity.reading), ()):
                assert other.identity is not None
                self._identified(other, other.identity)


def _of_the_file(passage: Passage) -> Passage:
    """The passage without what holds only for a file inside the document: what it says is said of the whole document."""
    return replace(passage, inner="", taken=None) if passage.inner else passage
