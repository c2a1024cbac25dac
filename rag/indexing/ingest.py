"""What is done with one document: looked at, read, its passages keyed and handed to the writer; or why it is left out.

Knows documents on their way, and everybody who has a part in it; knows no walk, no thread and no commit.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.backends.base import Embedder
from rag.corpus.digests import reading_key
from rag.corpus.file_types import gives, shows_pictures
from rag.corpus.walk import FileEntry, Root, composed
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
from rag.humanize import place
from rag.index.writer.writer import Writer
from rag.indexing.embed_queue import EmbedQueue
from rag.indexing.monitor import ProgressMonitor
from rag.indexing.ocr_cache import OcrCache
from rag.indexing.pending_document import PendingDocument, describe
from rag.indexing.quarantine import name_of, read_quarantine, write_quarantine
from rag.indexing.report import RunTally
from rag.indexing.scan import of_pictures
from rag.loaders.policy import ReadingPolicy
from rag.text.clues import found_by
from rag.types import CaptionOf, DocumentId, Kind, Passage, Skipped


@dataclass(slots=True)
class DocumentIngester:
    """The documents under way, and what was learnt from those before. For the one thread that writes."""

    writer: Writer
    embedder: Embedder
    policy: ReadingPolicy
    tally: RunTally
    kinds: frozenset[Kind]
    readers: int  # processes; a long document is read in stretches by so many
    errands: Dispatcher
    feeding: EmbedQueue
    recognised: OcrCache
    standing: ProgressMonitor
    rules: Rules = field(init=False)
    under_way: dict[int, PendingDocument] = field(default_factory=dict)  # documents, by their number
    reading: dict[tuple[bytes, str], list[PendingDocument]] = field(
        default_factory=dict
    )  # by digest and reading: who waits for it
    quarantined: dict[str, str] = field(init=False)  # reasons, by `quarantine.name_of`
    recaptioned: set[str] = field(default_factory=set)  # pictures of which something else is said now
    refused: dict[bytes, str] = field(default_factory=dict)  # keys of contents that the model does not take, with its reason
    begun: int = 0  # documents

    def __post_init__(self) -> None:
        self.quarantined = read_quarantine(self.writer.folder)
        policy = self.policy
        ocr = policy.ocr if "ocr" in policy.clues else "never"
        key = reading_key(policy.limits, policy.ocr, policy.clues)
        self.rules = Rules(policy.limits, ocr, "caption" in policy.clues, key, self.feeding.side)

    def begin(self, root: Root, found: FileEntry, tally: RunTally) -> None:
        """Begins with a document that the walk found, and that is to be counted there."""
        document = describe(root, found, self.writer, self.policy, tally)
        self.recaptioned.discard(composed(found.path))
        self.begun += 1
        arriving = PendingDocument(self.begun, root, found, document, tally)
        self.under_way[arriving.number] = arriving
        self._ask(arriving, Identify(document, self.rules))

    def take(self, came: WorkerAnswer) -> None:
        """Goes on with the document that an answer is of. WrongRequest where files cannot be read at all."""
        whose = self.errands.whose(came.ticket)
        if whose is not None:
            arriving, stretch = whose
            self._take(arriving, came.answer, stretch)
            if arriving.number not in self.under_way:
                self.standing.say(arriving.found.path)
        elif isinstance(came.answer, Rejected):
            raise WrongRequest(came.answer.what, came.answer.remedy)

    def hear(self, root: str, path: str, captions: Sequence[CaptionOf]) -> None:
        """Keeps what a document says of pictures. Those of which it says something else than before are to be read again."""
        pictures = self.writer.pictures.put_captions(root, path, captions)
        self.recaptioned |= pictures
        for arriving in self.under_way.values() if pictures else ():
            arriving.overtaken |= arriving.root.name == root and composed(arriving.found.path) in pictures

    def is_being_told(self) -> bool:
        """Whether a document is under way that may say something of pictures."""
        return any(shows_pictures(arriving.found.path) for arriving in self.under_way.values())

    def refuse(self, refused: Mapping[bytes, str]) -> None:
        """From now on contents of these keys are not shown to the model, which gave the reasons."""
        self.refused |= refused

    def forget(self, root: Root, path: str) -> None:
        """A document is gone."""
        digest = self.writer.digest(DocumentId(root.name, path))
        if self.writer.remove(root.name, path):
            self.tally.removed += 1
            if digest is not None:
                self.tally.departed[digest] += 1

    # ---- step by step ---------------------------------------------------------------------------

    def _ask(self, arriving: PendingDocument, job: Job, stretch: int = 0) -> None:
        for answer in self.errands.ask(arriving, job, stretch):
            self._take(arriving, answer, stretch)

    def _take(self, arriving: PendingDocument, answer: Answer, stretch: int) -> None:
        match answer:
            case Identified():
                arriving.identity = answer
                self._identified(arriving, answer)
            case PassageRead():
                self._keep(arriving, answer, stretch)
            case RangeFound(number, passages):
                if number not in arriving.pieces and arriving.identity is not None:  # else it was found before its reader died
                    arriving.begin(number)
                    self._ask(arriving, ReadRange(arriving.document, self.rules, arriving.identity.loader, passages), number)
            case Done(changed):
                if arriving.ended(stretch, changed):
                    self._complete(arriving)
            case Failed():
                if answer.killed and arriving.identity is not None:
                    self._quarantine(arriving.identity, answer.reason)
                self._leave_out(arriving, answer)
            case Restarted():
                arriving.begin(stretch)
            case Rejected(what, remedy):
                raise WrongRequest(what, remedy)

    def _complete(self, arriving: PendingDocument) -> None:
        """All of it was read."""
        if arriving.twin is not None:
            self._take_over(arriving)
        elif arriving.failure:
            self._leave_out(arriving, Failed(arriving.failure))
        else:
            arriving.tally.indexed += 1
            arriving.tally.skipped += arriving.lost
            arriving.tally.dropped += arriving.dropped
            self._put(arriving, arriving.passages)

    def _identified(self, arriving: PendingDocument, identity: Identified) -> None:
        """Takes over a document with the same bytes, waits for one that is being read, or reads it; none in quarantine.

        Only now is it known what it is, whatever its name says.
        """
        if not gives(identity.loader, self.kinds):
            arriving.tally.ignored["of a kind not asked for"] += 1
            self._end(arriving)
            return
        reason = self.quarantined.get(name_of(identity.digest, identity.reading))
        if reason is not None:
            self._leave_out(arriving, Failed(reason))
            return
        arriving.twin = self.writer.twin(identity.digest, identity.reading)
        if arriving.twin is not None and arriving.is_renamed:
            self._ask(arriving, ListPassages(arriving.document, self.rules, identity.loader))
        elif arriving.twin is not None:
            self._take_over(arriving)
        elif (identity.digest, identity.reading) in self.reading:
            self.reading[identity.digest, identity.reading].append(arriving)
        else:
            self.reading[identity.digest, identity.reading] = []
            self._ask(arriving, ReadAll(arriving.document, self.rules, identity.loader, self.readers))

    def _keep(self, arriving: PendingDocument, part: PassageRead, stretch: int) -> None:
        for digest, words in zip(part.digests, part.words, strict=True):
            if digest in part.fresh and words is not None:
                self.recognised.keep(digest, words)
        keyed = arriving.take(part, stretch, self.embedder, self.policy)
        if keyed is None or keyed[0] in self.refused:
            return
        if self.feeding.has(keyed[0]) or self.writer.known([keyed[0]]):
            self.standing.known(1)
        else:
            self.feeding.add(*keyed)

    def _take_over(self, arriving: PendingDocument) -> None:
        assert arriving.identity is not None
        arriving.tally.reused += 1
        if self.writer.digest(arriving.document.id) != arriving.identity.digest:
            arriving.tally.arrived[arriving.identity.digest] += 1
        passages = arriving.taken_over()
        self.standing.known(len(passages))
        self._put(arriving, passages)

    def _put(self, arriving: PendingDocument, passages: Sequence[tuple[Passage, bytes]]) -> None:
        """Hands a whole document to the writer."""
        identity, document = arriving.identity, arriving.document
        assert identity is not None
        digest = identity.digest
        if arriving.changed:  # which bytes its passages are of is not known: no other document may take them over
            digest, document = b"", replace(document, stamp="")
            arriving.tally.changing += 1
        elif arriving.overtaken:
            document = replace(document, stamp="")
        self.hear(arriving.root.name, arriving.found.path, of_pictures(identity.captions))
        words = found_by(passages[0][0], self.policy.clues)
        self.writer.put_document(document, digest=digest, loader=identity.reading, passages=passages, path_words=words)
        arriving.tally.passages.update(Counter(passage.kind for passage, _ in passages))
        self._end(arriving)

    def _leave_out(self, arriving: PendingDocument, failed: Failed) -> None:
        """Keeps the reason why a document could not be read; one that is gone since the walk is forgotten.

        What the system refused (permissions, a broken disk) is no property of the file: it is tried again in the next run.
        """
        document = arriving.document
        self.hear(document.id.root, document.id.path, [])
        if not os.path.lexists(document.file):
            arriving.tally.removed += self.writer.remove(document.id.root, document.id.path)
        else:
            arriving.tally.skipped.append(Skipped(document.id, failed.reason))
            self.writer.put_skipped(replace(document, stamp="") if failed.passing else document, failed.reason)
        self._end(arriving)

    def _quarantine(self, identity: Identified, reason: str) -> None:
        self.quarantined[name_of(identity.digest, identity.reading)] = reason
        write_quarantine(self.writer.folder, self.quarantined)

    def _end(self, arriving: PendingDocument) -> None:
        """The document is done with; those that waited for its passages can take them over."""
        self.standing.ended(arriving.document)
        del self.under_way[arriving.number]
        self.errands.forget(arriving)
        if arriving.identity is not None and arriving.twin is None:
            for other in self.reading.pop((arriving.identity.digest, arriving.identity.reading), ()):
                assert other.identity is not None
                self._identified(other, other.identity)


def go_without(refused: Mapping[bytes, str], writer: Writer, tally: RunTally) -> None:
    """Reports the passages of these keys, with the reasons; what is left of their documents is tried again in the next run."""
    met: set[bytes] = set()
    for document, digest, lost, whole in writer.give_up_vectors(refused.keys()):
        tally.passages.subtract(Counter(passage.kind for passage, _ in lost))
        if not whole:
            reasons = [f"{place(passage.locator)}: {refused[key]}" for passage, key in lost]
            tally.skipped += [Skipped(document.id, reason.removeprefix(": ")) for reason in reasons]
            continue
        reason = refused[lost[0][1]]
        writer.put_skipped(replace(document, stamp=""), reason)
        tally.skipped.append(Skipped(document.id, reason))
        if digest in met:
            tally.reused -= 1
        else:
            tally.indexed -= 1
        met.add(digest)
