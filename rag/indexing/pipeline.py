"""THE WRITE PATH, readable top to bottom: walk → changed? → look → read → words → key → embed → write → commit, all at once.

Knows the rooms and joins them; knows no terminal and no SQL. Documents are read by `rag.decoding` in other processes, vectors
made by `rag.indexing.embed_queue` in other threads, folders walked in one more thread; this one thread decides and writes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.backends.base import Embedder, capabilities_of
from rag.corpus.walk import FileEntry, Root
from rag.decoding.dispatch import Dispatcher
from rag.decoding.event_queue import EventQueue
from rag.decoding.memory_budget import MemoryBudget
from rag.decoding.pool import Pool, WorkerAnswer
from rag.decoding.workers import Workers
from rag.errors import BackendError, IndexFailure, Interrupted, RagError
from rag.humanize import counted
from rag.index.files.parallel import cores
from rag.index.files.uninterruptible import uninterruptible
from rag.indexing.commit_schedule import CommitSchedule
from rag.indexing.embed_queue import EmbedQueue, EmbedResult
from rag.indexing.fetch import bringer_of
from rag.indexing.ingest import DocumentIngester
from rag.indexing.monitor import ProgressMonitor
from rag.indexing.ocr_cache import OcrCache
from rag.indexing.pending_document import PendingDocument
from rag.indexing.read_queue import ReadQueue
from rag.indexing.refusals import go_without
from rag.indexing.report import Report, Tell
from rag.indexing.roots import Target
from rag.indexing.scan import ChangeDetector, ScanBatch, ScanThread, pictures_to_recaption
from rag.indexing.tally import RunTally
from rag.loaders.policy import ReadingPolicy
from rag.types import Kind

if TYPE_CHECKING:
    from rag.index.writing import IndexWriter

AHEAD = 64  # documents under way at once, beside four for each decoder
PAUSE = 0.1  # seconds to wait for an event


def index_targets(
    writer: IndexWriter,
    targets: Sequence[Target],
    embedder: Embedder,
    policy: ReadingPolicy,
    *,
    notes: Sequence[str],
    commit_seconds: float,
    budget: MemoryBudget,
    kinds: frozenset[Kind] = frozenset(),
    tell: Tell,
    workers: Workers | None = None,
) -> Report:
    """Brings the index up to date with the targets and says what was done.

    The budget's readers run beside this process, or come from `workers`; with none, everything is read here. With `kinds`,
    only documents of these are read. Commits every `commit_seconds`; Ctrl-C or a failing model commits what is finished, then
    raises. Ctrl-C waits for the calls that are under way, or for one last call.
    """
    started = time.monotonic()
    run = _Run(
        writer, embedder, policy, RunTally(notes=list(notes)), CommitSchedule(commit_seconds), budget, kinds, tell, workers
    )
    with _ended_early(run):
        try:
            run.tally.folders = len(targets)
            for target in targets:
                run.bring_up_to_date(target)
            run.finish()
        finally:
            run.pool.close()
            run.ingester.close()
    return run.tally.report(time.monotonic() - started)


@contextmanager
def _ended_early(run: _Run) -> Iterator[None]:
    """However a run ends, complete documents are committed: Ctrl-C or a failing model loses only what was in progress."""
    try:
        yield
    except KeyboardInterrupt:
        run.monitor.mute()
        try:
            run.embed_queue.drop()
            run.embed_what_waits()
        finally:  # also where Ctrl-C comes again
            done = run.tally.indexed + run.tally.reused - run.writer.give_up_waiting()
            run.writer.commit()
        stopped = f"stopped after {counted(done, 'document')}; what was read is committed"
        raise Interrupted(stopped, remedy="run the same command to go on") from None
    except IndexFailure:
        raise
    except RagError:
        run.writer.give_up_waiting()
        run.writer.commit()
        raise
    finally:
        run.embed_queue.close()
        run.ocr_cache.close()


class _Run:
    """One run: its stages, and the one thread that connects them."""

    def __init__(
        self,
        writer: IndexWriter,
        embedder: Embedder,
        policy: ReadingPolicy,
        tally: RunTally,
        commits: CommitSchedule,
        budget: MemoryBudget,
        kinds: frozenset[Kind],
        tell: Tell,
        workers: Workers | None,
    ) -> None:
        self.writer, self.tally, self.commits, self.budget, self.kinds = writer, tally, commits, budget, kinds
        self.events: EventQueue[WorkerAnswer, EmbedResult, ScanBatch] = EventQueue(budget.decoded)
        self.ocr_cache = OcrCache(writer)
        self.pool = Pool(budget.jobs, self.events, self.ocr_cache.find, budget.memory, workers=workers)
        dispatcher: Dispatcher[PendingDocument] = Dispatcher(self.pool, budget.jobs, self.ocr_cache.find)
        side_embedder = capabilities_of(embedder).side_embedder if budget.jobs and cores() > 1 else None
        self.embed_queue = EmbedQueue(embedder, self.events, side_embedder=side_embedder() if side_embedder else None)
        self.monitor = ProgressMonitor(tell, self.pool, self.embed_queue, self.events, lambda: writer.waiting_documents, tally)
        self.ingester = DocumentIngester(
            writer, embedder, policy, tally, kinds, budget.jobs, dispatcher, self.embed_queue, self.ocr_cache, self.monitor
        )

    # ---- one target -------------------------------------------------------------------------

    def bring_up_to_date(self, target: Target) -> None:
        """Reads what is new or changed below the target, and removes what is gone.

        Documents that show pictures come first, so that captions are known before the pictures are read.
        """
        root, ingester = target.root, self.ingester
        ingester.recaptioned = set()
        before = Counter(self.tally.ignored)
        self.tally.start_target()
        self.queue = queue = ReadQueue(ChangeDetector(target, self.writer, self.tally, self.kinds), self.tally)
        bringer = self.bringer = bringer_of(root, ingester.policy.limits)
        walking = ScanThread(target, self.events)
        try:
            self._begin_all(root, queue.before_pictures(lambda: ingester.is_being_told() or bringer.is_bringing()))
        finally:
            walking.stop()
        if not target.under and not self.kinds:
            self.writer.memory.keep_ignored(root.name, self.tally.ignored - before)
        gone = queue.gone()
        for path in gone:
            ingester.record_captions(root.name, path, [])
        self._begin_all(root, queue.rest())
        self._wait()
        self._read_again(target, queue.early)
        while ingester.start_deferred(bringer):
            self._wait()
        for path in gone:
            ingester.forget(root, path)
            self._commit_when_due()
        self.monitor.update("")

    def _read_again(self, target: Target, early: AbstractSet[str]) -> None:
        """Reads pictures whose captions changed; those read early in this run were already counted."""
        again = pictures_to_recaption(target, self.ingester.recaptioned, self.kinds)
        counted = [found for found in again if found.path in early]
        self.tally.unchanged -= len(again) - len(counted)
        self.tally.expect(again)
        self._begin_all(target.root, counted, RunTally())
        self._begin_all(target.root, (found for found in again if found.path not in early))
        self._wait()

    def _begin_all(self, root: Root, queue: Iterable[FileEntry | None], tally: RunTally | None = None) -> None:
        """Starts documents, as many at once as there is room for; returns while the last are still in progress."""
        for brought in self.bringer.bring(queue):
            if brought is None:
                self._take_next(PAUSE)
                continue
            while len(self.ingester.under_way) >= AHEAD + 4 * self.budget.jobs or self._is_full():
                self._take_next(PAUSE)
            for _ in range(AHEAD):  # and no more: a fast walk has always something
                if not self._take_next(0.0):
                    break
            self.monitor.update(brought.found.path)
            self.ingester.start(root, brought, tally or self.tally)
            self._commit_when_due()

    def _wait(self) -> None:
        """Returns when no document is being read; vectors may still be in flight."""
        while self.ingester.under_way:
            self._take_next(PAUSE)

    # ---- what comes in, and the commit --------------------------------------------------------

    def _is_full(self) -> bool:
        """Whether the model's queue is so full that nothing more should be decoded."""
        return self.embed_queue.nbytes > self.budget.queue * max(1, self.embed_queue.at_once // 8)

    def _take_next(self, seconds: float) -> bool:
        """Handles one event from the walk, the workers or the model; False if none arrived within `seconds`."""
        came = self.events.get(answers=not self._is_full(), seconds=seconds)
        if isinstance(came, EmbedResult):
            self._store(came)
        elif isinstance(came, ScanBatch):
            self.queue.accept(came)
        elif came is not None:
            self.ingester.handle_answer(came)
        elif seconds:
            self.monitor.tick()
        self.embed_queue.advance()
        self._commit_when_due()
        return came is not None

    @uninterruptible()
    def _store(self, embedded: EmbedResult) -> None:
        self.embed_queue.ack(embedded)
        if embedded.vectors is None:
            raise embedded.failure or BackendError("the model failed, and does not say why", remedy="see the error above")
        self.ingester.refuse(embedded.refused)
        self.writer.put_vectors(embedded.keys, embedded.vectors)
        self.tally.count_embedded(len(embedded.keys), embedded.tokens)

    def embed_what_waits(self) -> None:
        """Embeds everything that was decoded and waits for it, committing when due."""
        self.embed_queue.flush()
        while not self.embed_queue.idle:
            came = self.events.get(answers=False, seconds=PAUSE)
            if isinstance(came, EmbedResult):
                self._store(came)
            self.monitor.tick()
            self._commit_when_due()

    def finish(self) -> None:
        """Waits for the model, then makes everything durable."""
        self.embed_what_waits()
        self._commit()
        self.monitor.tick()
        self.tally.notes.extend(self.writer.remarks)
        if self.pool.missing:
            self.tally.notes.append(
                f"this system cannot keep {' and '.join(self.pool.missing)} from the processes that read files"
            )

    def _commit(self) -> None:
        if self.ingester.refused:
            go_without(self.ingester.refused, self.writer, self.tally)
        documents = self.writer.settled_documents
        self.writer.commit()
        self.ocr_cache.committed()
        self.commits.made(documents)

    def _commit_when_due(self) -> None:
        if self.commits.are_due(self.writer.settled_documents, self.writer.settled_passages):
            self._commit()
