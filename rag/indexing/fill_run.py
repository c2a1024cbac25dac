"""One fill of a vector space: what is asked of the model, what it gave, commits, and stepping aside for other writers.

Knows the turn of filling, the model's queue and the contents of passages; knows no settings and no message but progress.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from rag.backends.base import Embedder, capabilities_of
from rag.errors import BackendError
from rag.index.catalog.spaces import Space
from rag.index.files.parallel import cores
from rag.index.files.uninterruptible import uninterruptible
from rag.index.filling import FillTurn
from rag.indexing.commit_schedule import CommitSchedule
from rag.indexing.embed_queue import EmbedQueue, EmbedResult
from rag.indexing.report import Progress, Tell
from rag.indexing.space_contents import ContentReader

AT_ONCE = 64  # passages whose contents are made together
QUEUE_BYTES = 128_000_000  # of contents that wait for the model
AHEAD = 2  # times what the model takes at once, or is made together: what waits comes before what is asked for next
PAUSE = 0.1  # seconds to wait for a result


class SpaceGone(Exception):
    """The space is no further one any more: another writer has changed that."""


@dataclass(slots=True)
class FillRun:
    """One fill: the model's queue, the thread that decodes pictures, and this one, which stores what the model gives."""

    turn: FillTurn
    space: Space
    embedder: Embedder
    reader: ContentReader
    commit_seconds: float
    say: Callable[[str], None]
    tell: Tell
    stop: threading.Event
    todo: OrderedDict[int, None] = field(default_factory=OrderedDict)  # a passage of each content, the first to make first
    asked: set[int] = field(default_factory=set)  # those that were taken from there
    made: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    pending: int = 0  # vectors that are not committed yet
    commits: CommitSchedule = field(init=False)
    results: SimpleQueue[EmbedResult | None] = field(default_factory=SimpleQueue)  # None: pictures are decoded
    queue: EmbedQueue = field(init=False)

    def __post_init__(self) -> None:
        aside = capabilities_of(self.embedder).side_embedder if cores() > 1 else None
        self.commits = CommitSchedule(self.commit_seconds)
        self.queue = EmbedQueue(self.embedder, self, side_embedder=aside() if aside else None)
        self.list_missing()

    @property
    def total(self) -> int:
        """Contents that were to be made, as far as is known."""
        return len(self.asked) + len(self.todo)

    def put_vectors(self, result: EmbedResult) -> None:
        """Called from the threads of the queue."""
        self.results.put(result)

    def list_missing(self) -> None:
        """Lists what the space lacks, and has not been asked for."""
        missing = self.turn.writer.spaces.missing(self.space)
        self.todo = OrderedDict((each, None) for each in missing if each not in self.asked)
        self._put_asked_first()

    def _put_asked_first(self) -> None:
        """Moves what searches showed meanwhile to the front, the latest first."""
        for passage in reversed(self.turn.take_asked()):
            for sharing in self.turn.writer.spaces.sharing_numbers(passage):
                if sharing in self.todo:
                    self.todo.move_to_end(sharing, last=False)

    def make_all(self) -> None:
        """Asks for everything that is missing, also what others add meanwhile, and stores what comes."""
        with ThreadPoolExecutor(1) as decoder:
            while self.todo:
                self._ask_some(decoder)
                if not self.todo:
                    self._wait_for_all()
                    if self.turn.has_news():
                        self._step_aside()

    def commit(self) -> None:
        """Commits what is stored."""
        if self.turn.is_open:
            self.turn.writer.commit()
            self.commits.made(self.pending)
            self.pending = 0

    def end(self) -> None:
        """Stores what is under way, drops what waits, and commits; while another process writes, nothing is stored."""
        self.stop = threading.Event()
        self.queue.drop()
        try:
            while self.turn.is_open and not self.queue.idle:
                self._take(PAUSE)
        finally:
            self.commit()

    def say_remarks(self) -> None:
        """Says what the writer has remarked."""
        for remark in self.turn.writer.remarks:
            self.say(f"note: {remark}")

    def _ask_some(self, decoder: ThreadPoolExecutor) -> None:
        """Queues the contents of the next passages; stores what comes meanwhile, and waits while the queue is full."""
        self._put_asked_first()
        numbers = [self.todo.popitem(last=False)[0] for _ in range(min(AT_ONCE, len(self.todo)))]
        self.asked.update(numbers)
        passages = self.turn.writer.spaces.passages(numbers)
        found, pictures = self.reader.look_at(passages)
        if pictures:
            decoding = decoder.submit(self.reader.decode, pictures)
            decoding.add_done_callback(lambda _: self.results.put(None))
            while not decoding.done():
                self._take(PAUSE)
            found |= decoding.result()
        for number, content in found.items():
            if isinstance(content, str):
                self.left_out[content] += 1
            else:
                self.queue.add(_key(number), content)
        if passages:
            self._tell(str(passages[-1].passage.document))
        while self._take(0.0):
            pass
        while self.queue.nbytes > QUEUE_BYTES or self.queue.waiting > AHEAD * max(self.embedder.batch, AT_ONCE):
            self._take(PAUSE)

    def _tell(self, shown: str) -> None:
        rate = self.made / max(1e-6, time.monotonic() - self.began)
        left = len(self.todo) / rate if rate else None
        done, path = len(self.asked), f"{self.space.name}: {shown}"
        self.tell(Progress(done, self.total, path, passages=self.made, passages_per_second=rate, seconds_left=left))

    def _wait_for_all(self) -> None:
        """Stores the results of everything that was queued."""
        self.queue.flush()
        while not self.queue.idle:
            self._take(PAUSE)

    def _take(self, seconds: float) -> bool:
        """Stores the next result; False if none came in that time. Commits when due, and steps aside when asked to."""
        if self.stop.is_set():
            raise KeyboardInterrupt
        try:
            result = self.results.get(timeout=seconds) if seconds else self.results.get_nowait()
        except Empty:
            result = None
            self.queue.advance()
        if result is not None:
            self._store(result)
        if self.turn.is_asked_for():
            self._step_aside()
        elif self.commits.are_due(self.pending, 0):
            self.commit()
        return result is not None

    def _step_aside(self) -> None:
        """Lets another writer in; then what is missing is listed anew. SpaceGone where the space is no further one now."""
        self.commit()
        self.say_remarks()
        before = self.turn.writer.fingerprint
        self.turn.step_aside()
        writer = self.turn.writer
        if writer.fingerprint == self.space.fingerprint:
            raise SpaceGone(f"{self.space.name} is the first model of the index now")
        if self.space.number not in {each.number for each in writer.spaces.all()}:
            raise SpaceGone(f"{self.space.name} was dropped meanwhile")
        if writer.fingerprint != before:  # contents are told apart by another model now
            raise SpaceGone(
                f"the first model of the index was changed meanwhile; the next rag index goes on with {self.space.name}"
            )
        self.list_missing()

    @uninterruptible()
    def _store(self, result: EmbedResult) -> None:
        self.queue.ack(result)
        if result.vectors is None:
            raise result.failure or BackendError("the model failed, and does not say why", remedy="see the error above")
        self.left_out.update(result.refused.values())
        numbers = [_number(key) for key in result.keys]
        fresh = self.turn.writer.spaces.put(self.space, numbers, result.vectors)
        self.made += fresh
        self.pending += fresh


def _key(passage: int) -> bytes:
    return passage.to_bytes(8, "big")


def _number(key: bytes) -> int:
    return int.from_bytes(key, "big")
