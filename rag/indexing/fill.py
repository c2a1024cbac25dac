"""Fills a vector space: every content it lacks goes to its model, the most recent first; vectors are committed as they arrive.

Knows the writer, an embedder and the contents of stored passages; knows no corpus walk, no terminal and no HTTP.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from rag.backends.base import Embedder, capabilities_of
from rag.errors import BackendError, Interrupted
from rag.humanize import counted
from rag.index.catalog.spaces import Space
from rag.index.files.parallel import cores
from rag.index.files.uninterruptible import uninterruptible
from rag.index.writer.writer import Writer
from rag.indexing.commit_schedule import CommitSchedule
from rag.indexing.embed_queue import EmbedQueue, EmbedResult
from rag.indexing.report import Progress, Tell
from rag.indexing.space_contents import ContentReader
from rag.loaders.policy import ReadingPolicy

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.types import StoredPassage

AT_ONCE = 64  # passages whose contents are made together
QUEUE_BYTES = 128_000_000  # of contents that wait for the model
PAUSE = 0.1  # seconds to wait for a result
SHARING = 50  # passages of one content that are compared


@dataclass(frozen=True, slots=True)
class Filled:
    """What a fill did: vectors made, and contents without one by reason."""

    space: str
    vectors: int
    left_out: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        made = f"{self.space}: {counted(self.vectors, 'vector')} made in {self.seconds:.1f} s"
        return "; ".join([made, *(f"{count} left out: {reason}" for reason, count in sorted(self.left_out.items()))])


def fill_space(
    writer: Writer,
    space: Space,
    embedder: Embedder,
    first: Embedder,
    policy: ReadingPolicy,
    *,
    files: AskPool,
    commit_seconds: float,
    say: Callable[[str], None],
    tell: Tell,
) -> Filled:
    """Makes the vectors that a space lacks, and commits every `commit_seconds`. What it cannot make stays unknown there.

    `first` is the model of the first space, by which contents are told apart.

    Ctrl-C or a failing model commits what is made, then raises: Interrupted, BackendError. The same call goes on.
    """
    numbers = writer.spaces.missing(space)
    run = _Fill(writer, space, embedder, commit_seconds, tell, len(numbers))
    reader = ContentReader(
        embedder, first, policy, files, lambda number: writer.spaces.sharing(number, SHARING), writer.spaces.stamp
    )
    if numbers:
        pictures = ", pictures are decoded again" if "image" in embedder.modalities & first.modalities else ""
        say(f"filling {space.name}: {counted(len(numbers), 'content')}; the words are in the index{pictures}")
    try:
        for start in range(0, len(numbers), AT_ONCE):
            run.add(writer.spaces.passages(numbers[start : start + AT_ONCE]), reader)
        run.wait_for_all()
    except KeyboardInterrupt:
        run.stop()
        what = f"stopped after {run.made} of {counted(len(numbers), 'vector')} of {space.name}; what is made is committed"
        raise Interrupted(what, remedy="run the same command to go on") from None
    except BackendError:
        writer.commit()
        raise
    finally:
        run.queue.close()
    writer.commit()
    for remark in writer.remarks:
        say(f"note: {remark}")
    return Filled(space.name, run.made, dict(run.left_out), time.monotonic() - run.began)


@dataclass(slots=True)
class _Fill:
    """One fill: the model's queue, and the one thread that stores what it gives."""

    writer: Writer
    space: Space
    embedder: Embedder
    commit_seconds: float
    tell: Tell
    total: int
    made: int = 0
    seen: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    pending: int = 0  # vectors that are not committed yet
    commits: CommitSchedule = field(init=False)
    results: SimpleQueue[EmbedResult] = field(default_factory=SimpleQueue)
    queue: EmbedQueue = field(init=False)

    def __post_init__(self) -> None:
        aside = capabilities_of(self.embedder).side_embedder if cores() > 1 else None
        self.commits = CommitSchedule(self.commit_seconds)
        self.queue = EmbedQueue(self.embedder, self, side_embedder=aside() if aside else None)

    def put_vectors(self, result: EmbedResult) -> None:
        """Called from the threads of the queue."""
        self.results.put(result)

    def add(self, passages: list[StoredPassage], reader: ContentReader) -> None:
        """Queues the contents of passages; waits while the queue is full."""
        for number, content in reader.read(passages).items():
            self.seen += 1
            if isinstance(content, str):
                self.left_out[content] += 1
            else:
                self.queue.add(_key(number), content)
        if passages:
            rate = self.made / max(1e-6, time.monotonic() - self.began)
            left = (self.total - self.seen) / rate if rate else None
            shown = f"{self.space.name}: {passages[-1].passage.document}"
            seen = Progress(self.seen, self.total, shown, passages=self.made, passages_per_second=rate, seconds_left=left)
            self.tell(seen)
        while self._take(0.0):
            pass
        while self.queue.nbytes > QUEUE_BYTES:
            self._take(PAUSE)

    def wait_for_all(self) -> None:
        """Stores the results of everything that was queued."""
        self.queue.flush()
        while not self.queue.idle:
            self._take(PAUSE)

    def stop(self) -> None:
        """Stores what is under way, drops what waits, and commits."""
        self.queue.drop()
        try:
            self.wait_for_all()
        finally:
            self.writer.commit()

    def _take(self, seconds: float) -> bool:
        """Stores the next result; False if none came in that time. Commits when due."""
        try:
            result = self.results.get(timeout=seconds) if seconds else self.results.get_nowait()
        except Empty:
            self.queue.advance()
            return False
        self._store(result)
        if self.commits.are_due(self.pending, 0):
            self.writer.commit()
            self.commits.made(self.pending)
            self.pending = 0
        return True

    @uninterruptible()
    def _store(self, result: EmbedResult) -> None:
        self.queue.ack(result)
        if result.vectors is None:
            raise result.failure or BackendError("the model failed, and does not say why", remedy="see the error above")
        self.left_out.update(result.refused.values())
        fresh = self.writer.spaces.put(self.space, [_number(key) for key in result.keys], result.vectors)
        self.made += fresh
        self.pending += fresh


def _key(passage: int) -> bytes:
    return passage.to_bytes(8, "big")


def _number(key: bytes) -> int:
    return int.from_bytes(key, "big")
