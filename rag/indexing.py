"""THE WRITE PATH, readable top to bottom: walk → changed? → look → read → words → key → embed → write → commit, all at once.

Knows the rooms and joins them; knows no terminal and no SQL. Documents are read by `rag.decoding` in other processes, vectors
made by `rag.feeding` in other threads; this one thread walks, decides, and writes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from rag.assembly import Arriving
from rag.backends.base import Embedder
from rag.clues import found_by
from rag.contract import place
from rag.corpus import Blocked, Change, Found, Gone, Ignored, Root, compare, composed, walk
from rag.decoding.inbox import Inbox
from rag.decoding.jobs import Again, Answer, Ended, Failed, Identity, Job, Look, Part, Read, Refused, Rules, Split
from rag.decoding.pool import Answered, Pool
from rag.decoding.work import is_light, perform
from rag.errors import BackendError, IndexFailure, Interrupted, RagError, WrongRequest
from rag.feeding import Embedded, Feeding
from rag.identity import reading_key
from rag.index.writer import Writer
from rag.opening import Policy
from rag.reading import describe
from rag.recognition import Recognised
from rag.reports import Progress, Report, Tally, Tell
from rag.suffixes import CAPTION_SUFFIXES, PICTURE_SUFFIXES
from rag.targets import Target
from rag.types import CaptionOf, DocumentId, Passage, Skipped

DECODED_BYTES = 64_000_000  # of answers that wait to be taken from the decoders
FED_BYTES = 64_000_000  # of contents that wait for the model, for each 8 calls it takes at once
UNCOMMITTED = 2_000  # passages held in memory until the next commit
AHEAD = 64  # documents under way at once, beside four for each decoder
FIRST_COMMIT = 2.0  # seconds after the start: what a person looks for first
PAUSE = 0.1  # seconds; how long nothing is looked after while nothing comes


def index_targets(
    writer: Writer,
    targets: Sequence[Target],
    embedder: Embedder,
    policy: Policy,
    *,
    notes: Sequence[str],
    commit_seconds: float,
    jobs: int,
    tell: Tell,
) -> Report:
    """Brings the index up to date with the targets and says what was done.

    `jobs` decoders at most run beside this process; with 0 everything is read in it. Commits every `commit_seconds`; Ctrl-C or a
    failing model commits what is finished, then raises.
    """
    started = time.monotonic()
    run = _Run(writer, embedder, policy, Tally(notes=list(notes)), commit_seconds, jobs, tell)
    try:
        try:
            for target in targets:
                run.bring_up_to_date(target)
            run.finish()
        finally:
            run.pool.close()
    except KeyboardInterrupt:
        try:
            run.embed_what_waits()
        finally:  # also where Ctrl-C comes again
            done = run.tally.indexed + run.tally.reused - writer.give_up_waiting()
            writer.commit()
        raise Interrupted(f"stopped after {done} documents; they are committed", remedy="run the same command to go on") from None
    except IndexFailure:
        raise
    except RagError:
        writer.give_up_waiting()
        writer.commit()
        raise
    finally:
        run.feeding.close()
        run.recognised.close()
    return run.tally.report(time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    """The state of one run: what is under way, and when the last commit was."""

    writer: Writer
    embedder: Embedder
    policy: Policy
    tally: Tally
    commit_seconds: float
    jobs: int
    tell: Tell
    inbox: Inbox[Answered, Embedded] = field(init=False)
    pool: Pool = field(init=False)
    feeding: Feeding = field(init=False)
    recognised: Recognised = field(init=False)
    rules: Rules = field(init=False)
    under_way: dict[int, Arriving] = field(default_factory=dict)  # by ticket
    reading: dict[tuple[bytes, str], list[Arriving]] = field(default_factory=dict)  # by digest and reading: who waits for it
    recaptioned: set[str] = field(default_factory=set)  # pictures of which something else is said now
    refused: dict[bytes, str] = field(default_factory=dict)  # keys of contents that the model does not take, with its reason
    tickets: int = 0
    done: int = 0  # documents of this target
    total: int = 0
    uncommitted: int = 0  # passages
    due: float = 0.0  # when the next commit is

    def __post_init__(self) -> None:
        self.inbox = Inbox(DECODED_BYTES)
        self.recognised = Recognised(self.writer)
        self.pool = Pool(self.jobs, self.inbox, self.recognised.find)
        self.feeding = Feeding(self.embedder, self.inbox)
        policy = self.policy
        ocr = policy.ocr if "ocr" in policy.clues else "never"
        key = reading_key(policy.limits, policy.ocr, policy.clues)
        self.rules = Rules(policy.limits, ocr, "caption" in policy.clues, key)
        self.due = time.monotonic() + min(FIRST_COMMIT, self.commit_seconds)

    # ---- one target -------------------------------------------------------------------------

    def bring_up_to_date(self, target: Target) -> None:
        """Reads what is new or changed below the target, and forgets what is gone.

        Documents that show pictures come first: what they say of a picture is known before the picture is read.
        """
        root = target.root
        changes, gone = self._look(target)
        first = [change.found for change in changes if _shows_pictures(change.found.path)]
        rest = [change.found for change in changes if not _shows_pictures(change.found.path)]
        self.recaptioned, self.done, self.total = set(), 0, len(changes)
        self._read_all(root, first)
        for path in gone:
            self.recaptioned |= self.writer.put_captions(root.name, path, [])
        again = self._shown_anew(target, self.recaptioned - {composed(found.path) for found in rest})
        self.total += len(again)
        self._read_all(root, [*rest, *again])
        for path in gone:
            self._forget(root, path)
        self._tell("")

    def _shown_anew(self, target: Target, recaptioned: AbstractSet[str]) -> list[Found]:
        """Unchanged pictures below the target of which other documents say something else now."""
        if not recaptioned:
            return []
        again = [item for item in walk(*target) if isinstance(item, Found) and composed(item.path) in recaptioned]
        self.tally.unchanged -= len(again)
        return again

    def _look(self, target: Target) -> tuple[list[Change], list[str]]:
        """What changed below a target, and which documents are gone; an empty root is not believed."""
        root, under = target
        changes: list[Change] = []
        gone: list[str] = []
        present = 0
        for item in compare(walk(root, under), self.writer.stamps(root.name, under)):
            match item:
                case None:
                    self.tally.unchanged += 1
                    present += 1
                case Change():
                    changes.append(item)
                    present += 1
                case Gone(path):
                    gone.append(path)
                case Ignored(_, reason):
                    self.tally.ignored[reason] += 1
                case Blocked(path, reason):
                    self.tally.skipped.append(Skipped(DocumentId(root.name, path), reason))
        if gone and not present and not under:
            self.tally.notes.append(
                f"{root.folder} is empty, and the index holds {len(gone)} documents of it: they are kept. "
                f"If they are gone for good: rag rm {root.folder}"
            )
            gone = []
        return changes, gone

    def _read_all(self, root: Root, all_found: Sequence[Found]) -> None:
        """Brings documents in, many at once; comes back when the last is there (its vectors may not be)."""
        for found in all_found:
            while len(self.under_way) >= AHEAD + 4 * self.jobs or self._is_full():
                self._take_next(PAUSE)
            while self._take_next(0.0):
                pass
            self._tell(found.path)
            self._begin(root, found)
            self._commit_when_due()
        while self.under_way:
            self._take_next(PAUSE)

    # ---- one document -----------------------------------------------------------------------

    def _begin(self, root: Root, found: Found) -> None:
        document = describe(root, found, self.writer, self.policy, self.tally)
        self.tickets += 1
        arriving = Arriving(self.tickets, root, found, document)
        self.under_way[arriving.ticket] = arriving
        self._ask(arriving, Look(document, self.rules))

    def _ask(self, arriving: Arriving, job: Job) -> None:
        """Has a job done: here what costs less than to send it away, elsewhere what could do harm."""
        if self.jobs and not is_light(job):
            self.pool.submit(arriving.ticket, job)
            return
        for answer in perform(job, self.recognised.find, threads=os.cpu_count() or 1):
            self._take(arriving, answer)

    def _take(self, arriving: Arriving, answer: Answer) -> None:
        match answer:
            case Identity():
                arriving.identity = answer
                self._identified(arriving, answer)
            case Part():
                self._keep(arriving, answer)
            case Ended() if arriving.twin is not None:
                self._take_over(arriving)
            case Ended() if arriving.failure:
                self._leave_out(arriving, Failed(arriving.failure))
            case Ended():
                self.tally.indexed += 1
                self.tally.skipped += arriving.lost
                self.tally.dropped += arriving.dropped
                self._put(arriving, arriving.passages)
            case Failed():
                self._leave_out(arriving, answer)
            case Again():
                arriving.begin_anew()
            case Refused(what, remedy):
                raise WrongRequest(what, remedy)

    def _identified(self, arriving: Arriving, identity: Identity) -> None:
        """Takes over a document with the same bytes, waits for one that is being read, or reads it."""
        arriving.twin = self.writer.twin(identity.digest, identity.reading)
        if arriving.twin is not None and arriving.is_renamed:
            self._ask(arriving, Split(arriving.document, self.rules, identity.loader))
        elif arriving.twin is not None:
            self._take_over(arriving)
        elif (identity.digest, identity.reading) in self.reading:
            self.reading[identity.digest, identity.reading].append(arriving)
        else:
            self.reading[identity.digest, identity.reading] = []
            self._ask(arriving, Read(arriving.document, self.rules, identity.loader))

    def _keep(self, arriving: Arriving, part: Part) -> None:
        for digest, words in zip(part.digests, part.words, strict=True):
            if digest in part.fresh and words is not None:
                self.recognised.keep(digest, words)
        keyed = arriving.take(part, self.embedder, self.policy)
        if keyed is None or keyed[0] in self.refused or self.feeding.has(keyed[0]) or self.writer.known([keyed[0]]):
            return
        self.feeding.add(*keyed)

    def _take_over(self, arriving: Arriving) -> None:
        assert arriving.identity is not None
        self.tally.reused += 1
        if self.writer.digest(arriving.document.id) != arriving.identity.digest:
            self.tally.arrived[arriving.identity.digest] += 1
        self._put(arriving, arriving.taken_over())

    def _put(self, arriving: Arriving, passages: Sequence[tuple[Passage, bytes]]) -> None:
        """Hands a whole document to the writer."""
        identity, document = arriving.identity, arriving.document
        assert identity is not None
        self.recaptioned |= self.writer.put_captions(arriving.root.name, arriving.found.path, _of_pictures(identity.captions))
        words = found_by(passages[0][0], self.policy.clues)
        self.writer.put_document(document, digest=identity.digest, loader=identity.reading, passages=passages, path_words=words)
        self.tally.passages.update(Counter(passage.kind for passage, _ in passages))
        self.uncommitted += len(passages)
        self._end(arriving)

    def _leave_out(self, arriving: Arriving, failed: Failed) -> None:
        """Keeps the reason why a document could not be read; one that is gone since the walk is forgotten.

        What the system refused (permissions, a broken disk) is no property of the file: it is tried again in the next run.
        """
        document = arriving.document
        self.recaptioned |= self.writer.put_captions(document.id.root, document.id.path, [])
        if not os.path.lexists(document.file):
            self.tally.removed += self.writer.remove(document.id.root, document.id.path)
        else:
            self.tally.skipped.append(Skipped(document.id, failed.reason))
            self.writer.put_skipped(replace(document, stamp="") if failed.passing else document, failed.reason)
        self._end(arriving)

    def _end(self, arriving: Arriving) -> None:
        """The document is done with; those that waited for its passages can take them over."""
        self.done += 1
        del self.under_way[arriving.ticket]
        if arriving.identity is not None and arriving.twin is None:
            for other in self.reading.pop((arriving.identity.digest, arriving.identity.reading), ()):
                assert other.identity is not None
                self._identified(other, other.identity)

    def _forget(self, root: Root, path: str) -> None:
        digest = self.writer.digest(DocumentId(root.name, path))
        if self.writer.remove(root.name, path):
            self.tally.removed += 1
            if digest is not None:
                self.tally.departed[digest] += 1
        self._commit_when_due()

    # ---- what comes in, and the commit --------------------------------------------------------

    def _is_full(self) -> bool:
        """Whether so much waits for the model that nothing more should be decoded."""
        return self.feeding.nbytes > FED_BYTES * max(1, self.feeding.at_once // 8)

    def _take_next(self, seconds: float) -> bool:
        """Takes what came from the decoders or from the model; False where nothing came within so many seconds."""
        came = self.inbox.get(answers=not self._is_full(), seconds=seconds)
        self.feeding.advance()
        if isinstance(came, Embedded):
            self._store(came)
        elif came is not None:
            arriving = self.under_way.get(came.ticket)
            if arriving is not None:
                self._take(arriving, came.answer)
                if arriving.ticket not in self.under_way:
                    self._tell(arriving.found.path)
            elif isinstance(came.answer, Refused):
                raise WrongRequest(came.answer.what, came.answer.remedy)
        self._commit_when_due()
        return came is not None

    def _store(self, embedded: Embedded) -> None:
        self.feeding.took(embedded)
        if embedded.vectors is None:
            raise embedded.failure or BackendError("the model failed, and does not say why", remedy="see the error above")
        self.refused |= embedded.refused
        self.writer.put_vectors(embedded.keys, embedded.vectors)
        self.tally.embedded += len(embedded.keys)

    def embed_what_waits(self) -> None:
        """Asks the model for everything that was decoded, and waits for it."""
        self.feeding.flush()
        while not self.feeding.idle:
            came = self.inbox.get(answers=False, seconds=PAUSE)
            if isinstance(came, Embedded):
                self._store(came)

    def finish(self) -> None:
        """Waits for the model, then makes everything durable."""
        self.embed_what_waits()
        self._commit()

    def _commit(self) -> None:
        if self.refused:
            self._go_without(self.refused)
        self.writer.commit()
        self.recognised.committed()
        self.due, self.uncommitted = time.monotonic() + self.commit_seconds, 0

    def _go_without(self, refused: Mapping[bytes, str]) -> None:
        """Reports the passages the model refuses; their documents are committed without them and tried again in the next run."""
        met: set[bytes] = set()
        for document, digest, lost, whole in self.writer.give_up_vectors(refused.keys()):
            self.tally.passages.subtract(Counter(passage.kind for passage, _ in lost))
            if not whole:
                reasons = [f"{place(passage.locator)}: {refused[key]}" for passage, key in lost]
                self.tally.skipped += [Skipped(document.id, reason.removeprefix(": ")) for reason in reasons]
                continue
            reason = refused[lost[0][1]]
            self.writer.put_skipped(replace(document, stamp=""), reason)
            self.tally.skipped.append(Skipped(document.id, reason))
            if digest in met:
                self.tally.reused -= 1
            else:
                self.tally.indexed -= 1
            met.add(digest)

    def _commit_when_due(self) -> None:
        if self.uncommitted > UNCOMMITTED or time.monotonic() > self.due:
            self._commit()

    def _tell(self, path: str) -> None:
        self.tell(Progress(self.done, self.total, path, passages=self.tally.passages.total()))


def _of_pictures(captions: Sequence[CaptionOf]) -> list[CaptionOf]:
    """What is said of files that are pictures by their names."""
    said = ((composed(one.target), one.text) for one in captions)
    return [CaptionOf(path, text) for path, text in said if PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES]


def _shows_pictures(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in CAPTION_SUFFIXES
