"""THE WRITE PATH, readable top to bottom: walk → changed? → look → read → words → key → embed → write → commit, all at once.

Knows the rooms and joins them; knows no terminal and no SQL. Documents are read by `rag.decoding` in other processes, vectors
made by `rag.feeding` in other threads; this one thread walks, decides, and writes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field, replace

from rag.assembly import Arriving
from rag.backends.base import Embedder
from rag.changes import gives, look, of_pictures, shown_anew, shows_pictures
from rag.clues import found_by
from rag.committing import Commits
from rag.corpus import Found, Root, composed
from rag.decoding.budget import Budget, processors
from rag.decoding.inbox import Inbox
from rag.decoding.jobs import (
    Again,
    Answer,
    Ended,
    Failed,
    Identity,
    Job,
    Look,
    Part,
    Read,
    ReadStretch,
    Refused,
    Rules,
    Split,
    Stretch,
)
from rag.decoding.pool import Answered, Pool
from rag.errands import Errands
from rag.errors import BackendError, IndexFailure, Interrupted, RagError, WrongRequest
from rag.feeding import Embedded, Feeding
from rag.identity import reading_key
from rag.index.unbroken import unbroken
from rag.index.writer import Writer
from rag.opening import Policy
from rag.quarantine import name_of, read_quarantine, write_quarantine
from rag.reading import describe
from rag.recognition import Recognised
from rag.refusals import go_without
from rag.reports import Report, Tally, Tell
from rag.standing import Standing
from rag.targets import Target
from rag.types import DocumentId, Kind, Passage, Skipped

AHEAD = 64  # documents under way at once, beside four for each decoder
PAUSE = 0.1  # seconds; how long nothing is looked after while nothing comes


def index_targets(
    writer: Writer,
    targets: Sequence[Target],
    embedder: Embedder,
    policy: Policy,
    *,
    notes: Sequence[str],
    commit_seconds: float,
    budget: Budget,
    kinds: frozenset[Kind] = frozenset(),
    tell: Tell,
) -> Report:
    """Brings the index up to date with the targets and says what was done.

    The readers of the budget run beside this process; without any, everything is read in it. With `kinds`, only documents of
    these are read. Commits every `commit_seconds`; Ctrl-C or a failing model commits what is finished, then raises.
    Ctrl-C waits for the calls that are under way, or for one last call.
    """
    started = time.monotonic()
    run = _Run(writer, embedder, policy, Tally(notes=list(notes)), Commits(commit_seconds), budget, kinds, tell)
    with _ended_early(run):
        try:
            for target in targets:
                run.bring_up_to_date(target)
            run.finish()
        finally:
            run.pool.close()
    return run.tally.report(time.monotonic() - started)


@contextmanager
def _ended_early(run: _Run) -> Iterator[None]:
    """However a run ends, what is whole is committed: Ctrl-C and a failing model cost what was under way, and nothing else."""
    try:
        yield
    except KeyboardInterrupt:
        try:
            run.feeding.drop()
            run.embed_what_waits()
        finally:  # also where Ctrl-C comes again
            done = run.tally.indexed + run.tally.reused - run.writer.give_up_waiting()
            run.writer.commit()
        raise Interrupted(f"stopped after {done} documents; they are committed", remedy="run the same command to go on") from None
    except IndexFailure:
        raise
    except RagError:
        run.writer.give_up_waiting()
        run.writer.commit()
        raise
    finally:
        run.feeding.close()
        run.recognised.close()


@dataclass(slots=True)
class _Run:
    """The state of one run: what is under way."""

    writer: Writer
    embedder: Embedder
    policy: Policy
    tally: Tally
    commits: Commits
    budget: Budget
    kinds: frozenset[Kind]
    tell: InitVar[Tell]
    inbox: Inbox[Answered, Embedded] = field(init=False)
    pool: Pool = field(init=False)
    errands: Errands = field(init=False)
    feeding: Feeding = field(init=False)
    recognised: Recognised = field(init=False)
    rules: Rules = field(init=False)
    under_way: dict[int, Arriving] = field(default_factory=dict)  # documents, by their number
    reading: dict[tuple[bytes, str], list[Arriving]] = field(default_factory=dict)  # by digest and reading: who waits for it
    quarantined: dict[str, str] = field(init=False)  # reasons, by `quarantine.name_of`
    recaptioned: set[str] = field(default_factory=set)  # pictures of which something else is said now
    refused: dict[bytes, str] = field(default_factory=dict)  # keys of contents that the model does not take, with its reason
    standing: Standing = field(init=False)
    begun: int = 0  # documents

    def __post_init__(self, tell: Tell) -> None:
        self.inbox = Inbox(self.budget.queue)
        self.recognised = Recognised(self.writer)
        self.pool = Pool(self.budget.jobs, self.inbox, self.recognised.find, self.budget.memory)
        self.errands = Errands(self.pool, self.budget.jobs, self.recognised.find)
        elsewhere = getattr(self.embedder, "apart", None) if self.budget.jobs and processors() > 1 else None
        self.feeding = Feeding(self.embedder, self.inbox, apart=elsewhere() if elsewhere else None)
        self.quarantined = read_quarantine(self.writer.folder)
        policy = self.policy
        ocr = policy.ocr if "ocr" in policy.clues else "never"
        key = reading_key(policy.limits, policy.ocr, policy.clues)
        self.rules = Rules(policy.limits, ocr, "caption" in policy.clues, key)
        self.standing = Standing(tell, self.pool, self.feeding, self.inbox)

    # ---- one target -------------------------------------------------------------------------

    def bring_up_to_date(self, target: Target) -> None:
        """Reads what is new or changed below the target, and forgets what is gone.

        Documents that show pictures come first: what they say of a picture is known before the picture is read.
        """
        root = target.root
        changed, gone = look(target, self.writer, self.tally, self.kinds)
        first = [found for found in changed if shows_pictures(found.path)]
        rest = [found for found in changed if not shows_pictures(found.path)]
        self.recaptioned = set()
        self.standing.begin()
        self.standing.expect(changed)
        self._read_all(root, first)
        for path in gone:
            self.recaptioned |= self.writer.put_captions(root.name, path, [])
        again = shown_anew(target, self.recaptioned - {composed(found.path) for found in rest}, self.kinds)
        self.tally.unchanged -= len(again)
        self.standing.expect(again)
        self._read_all(root, [*rest, *again])
        for path in gone:
            self._forget(root, path)
        self.standing.say("")

    def _read_all(self, root: Root, all_found: Sequence[Found]) -> None:
        """Brings documents in, many at once; comes back when the last is there (its vectors may not be)."""
        for found in all_found:
            while len(self.under_way) >= AHEAD + 4 * self.budget.jobs or self._is_full():
                self._take_next(PAUSE)
            while self._take_next(0.0):
                pass
            self.standing.say(found.path)
            self._begin(root, found)
            self._commit_when_due()
        while self.under_way:
            self._take_next(PAUSE)

    # ---- one document -----------------------------------------------------------------------

    def _begin(self, root: Root, found: Found) -> None:
        document = describe(root, found, self.writer, self.policy, self.tally)
        self.begun += 1
        arriving = Arriving(self.begun, root, found, document)
        self.under_way[arriving.number] = arriving
        self._ask(arriving, Look(document, self.rules))

    def _ask(self, arriving: Arriving, job: Job, stretch: int = 0) -> None:
        for answer in self.errands.ask(arriving, job, stretch):
            self._take(arriving, answer, stretch)

    def _take(self, arriving: Arriving, answer: Answer, stretch: int) -> None:
        match answer:
            case Identity():
                arriving.identity = answer
                self._identified(arriving, answer)
            case Part():
                self._keep(arriving, answer, stretch)
            case Stretch(number, passages):
                if number not in arriving.pieces and arriving.identity is not None:  # else it was found before its reader died
                    arriving.begin(number)
                    self._ask(arriving, ReadStretch(arriving.document, self.rules, arriving.identity.loader, passages), number)
            case Ended(changed):
                if arriving.ended(stretch, changed):
                    self._complete(arriving)
            case Failed():
                if answer.killed and arriving.identity is not None:
                    self._quarantine(arriving.identity, answer.reason)
                self._leave_out(arriving, answer)
            case Again():
                arriving.begin(stretch)
            case Refused(what, remedy):
                raise WrongRequest(what, remedy)

    def _complete(self, arriving: Arriving) -> None:
        """All of it was read."""
        if arriving.twin is not None:
            self._take_over(arriving)
        elif arriving.failure:
            self._leave_out(arriving, Failed(arriving.failure))
        else:
            self.tally.indexed += 1
            self.tally.skipped += arriving.lost
            self.tally.dropped += arriving.dropped
            self._put(arriving, arriving.passages)

    def _identified(self, arriving: Arriving, identity: Identity) -> None:
        """Takes over a document with the same bytes, waits for one that is being read, or reads it; none in quarantine.

        Only now is it known what it is, whatever its name says.
        """
        if not gives(identity.loader, self.kinds):
            self.tally.ignored["of a kind not asked for"] += 1
            self._end(arriving)
            return
        reason = self.quarantined.get(name_of(identity.digest, identity.reading))
        if reason is not None:
            self._leave_out(arriving, Failed(reason))
            return
        arriving.twin = self.writer.twin(identity.digest, identity.reading)
        if arriving.twin is not None and arriving.is_renamed:
            self._ask(arriving, Split(arriving.document, self.rules, identity.loader))
        elif arriving.twin is not None:
            self._take_over(arriving)
        elif (identity.digest, identity.reading) in self.reading:
            self.reading[identity.digest, identity.reading].append(arriving)
        else:
            self.reading[identity.digest, identity.reading] = []
            self._ask(arriving, Read(arriving.document, self.rules, identity.loader, self.budget.jobs))

    def _keep(self, arriving: Arriving, part: Part, stretch: int) -> None:
        for digest, words in zip(part.digests, part.words, strict=True):
            if digest in part.fresh and words is not None:
                self.recognised.keep(digest, words)
        keyed = arriving.take(part, stretch, self.embedder, self.policy)
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
        digest = identity.digest
        if arriving.changed:  # which bytes its passages are of is not known: no other document may take them over
            digest, document = b"", replace(document, stamp="")
            self.tally.changing += 1
        self.recaptioned |= self.writer.put_captions(arriving.root.name, arriving.found.path, of_pictures(identity.captions))
        words = found_by(passages[0][0], self.policy.clues)
        self.writer.put_document(document, digest=digest, loader=identity.reading, passages=passages, path_words=words)
        self.tally.passages.update(Counter(passage.kind for passage, _ in passages))
        self._end(arriving, len(passages))

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

    def _quarantine(self, identity: Identity, reason: str) -> None:
        self.quarantined[name_of(identity.digest, identity.reading)] = reason
        write_quarantine(self.writer.folder, self.quarantined)

    def _end(self, arriving: Arriving, passages: int = 0) -> None:
        """The document is done with; those that waited for its passages can take them over."""
        self.standing.ended(arriving.document, passages)
        del self.under_way[arriving.number]
        self.errands.forget(arriving)
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
        return self.feeding.nbytes > self.budget.queue * max(1, self.feeding.at_once // 8)

    def _take_next(self, seconds: float) -> bool:
        """Takes what came from the decoders or from the model; False where nothing came within so many seconds."""
        came = self.inbox.get(answers=not self._is_full(), seconds=seconds)
        if isinstance(came, Embedded):
            self._store(came)
        elif came is not None:
            whose = self.errands.whose(came.ticket)
            if whose is not None:
                arriving, stretch = whose
                self._take(arriving, came.answer, stretch)
                if arriving.number not in self.under_way:
                    self.standing.say(arriving.found.path)
            elif isinstance(came.answer, Refused):
                raise WrongRequest(came.answer.what, came.answer.remedy)
        self.feeding.advance()
        self._commit_when_due()
        return came is not None

    @unbroken()
    def _store(self, embedded: Embedded) -> None:
        self.feeding.took(embedded)
        if embedded.vectors is None:
            raise embedded.failure or BackendError("the model failed, and does not say why", remedy="see the error above")
        self.refused |= embedded.refused
        self.writer.put_vectors(embedded.keys, embedded.vectors)
        self.tally.embedded += len(embedded.keys)
        self.standing.embedded(embedded.tokens)

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
        self.tally.notes.extend(self.writer.remarks)
        if self.pool.missing:
            self.tally.notes.append(
                f"this system cannot keep {' and '.join(self.pool.missing)} from the processes that read files"
            )

    def _commit(self) -> None:
        if self.refused:
            go_without(self.refused, self.writer, self.tally)
        documents = self.writer.settled_documents
        self.writer.commit()
        self.recognised.committed()
        self.commits.made(documents)

    def _commit_when_due(self) -> None:
        if self.commits.are_due(self.writer.settled_documents, self.writer.settled_passages):
            self._commit()
