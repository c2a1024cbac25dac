"""Keeps the model busy: takes contents, sends batches of similar length, with as many calls in flight as the model accepts.

Knows contents, an embedder and threads; knows no file and no index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from rag.backends.base import capabilities_of
from rag.errors import ContentRefused, RagError
from rag.index.files.uninterruptible import uninterruptible
from rag.indexing.batching import Keyed, PendingContents, size_of, tokens_of
from rag.types import Content

if TYPE_CHECKING:
    from rag.backends.base import Embedder, SideEmbedder
    from rag.types import Role, Vectors

REST = 0.25  # seconds that contents wait for company before a call is made with fewer than it takes
SIDE_CALLS = 2  # for the side embedder: one is computed, the next is there when that ends
HELP = 3  # calls: texts that wait beyond so many are embedded here as well, though the side embedder takes others


@dataclass(frozen=True, slots=True, eq=False)
class EmbedResult:
    """The vectors of some keys, or the reason why there are none."""

    keys: tuple[bytes, ...]
    vectors: Vectors | None
    failure: RagError | None
    refused: Mapping[bytes, str]  # keys of contents that the model does not take, with its reason
    nbytes: int  # of all that was asked
    tokens: int


class ResultSink(Protocol):
    """Receives vectors as they arrive; `put_vectors` is called from any thread."""

    def put_vectors(self, result: EmbedResult) -> None: ...


class Embeds(Protocol):
    """What makes vectors: an `Embedder`, or its side embedder."""

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors: ...


class EmbedQueue:
    """For the one thread that writes; `put_result` is called from threads of its own, which also make the next call that is due.

    So the model is kept busy with what waits while the thread that writes commits. How many calls run at once, and where, is
    what the embedder declares (`rag.backends.base.EmbedderCapabilities`): one of pure Python is called in the thread that feeds
    it, because a second thread holds the first back (2.7 times slower for 7,600 texts); its side embedder takes texts as well.
    """

    def __init__(self, embedder: Embedder, results: ResultSink, *, side_embedder: SideEmbedder | None = None) -> None:
        """`side_embedder` embeds texts beside an embedder that is called in the thread that feeds it."""
        self._embedder, self._results = embedder, results
        declared = capabilities_of(embedder)
        self._here = declared.concurrent_calls == 0
        self._side_embedder = side_embedder if self._here else None
        self.at_once = max(1, declared.concurrent_calls)
        self._call = max(1, embedder.batch // self.at_once)  # contents of one call
        self._waiting = PendingContents(self._call, min(self._call, declared.pictures_per_call or self._call))
        self._asked: set[bytes] = set()  # keys under way
        self._lock = threading.RLock()  # over everything above and below
        self._calls: SimpleQueue[list[Keyed] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._under_way = 0  # calls
        self._untaken = 0  # calls whose result was not taken
        self._most_under_way = 1 if self.at_once == 1 else self.at_once + max(2, self.at_once // 4)  # some are being made ready
        self._ending = False
        self._stopped = False  # no call is made any more
        self._busy = 0.0  # seconds of calls, all together
        self._born = time.monotonic()
        self.nbytes = 0  # of contents that wait or are under way

    def has(self, key: bytes) -> bool:
        """Whether a vector of that key is on its way."""
        with self._lock:
            return key in self._waiting or key in self._asked

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        with self._lock:
            return not self._waiting and not self._untaken

    @property
    def waiting(self) -> int:
        """Contents that wait or are under way."""
        with self._lock:
            return len(self._waiting) + len(self._asked)

    @uninterruptible()
    def add(self, key: bytes, content: Content) -> None:
        """Queues a content; its vector arrives later as a result."""
        with self._lock:
            self._waiting.add(key, content)
            self.nbytes += size_of(content)
        self.advance()

    @uninterruptible()
    def advance(self) -> None:
        """Sends the batches that are due: full ones, and, when the model is idle, those that have waited long enough."""
        with self._lock:
            self._send_due()
        while self._here and (batch := self._due_here()):
            self._embed(self._embedder, batch)

    def flush(self) -> None:
        """Nothing more will be added: whatever waits is sent as soon as there is room, full batch or not."""
        self._ending = True
        self.advance()

    @uninterruptible()
    def drop(self) -> None:
        """Drops what waits. Calls in flight still give results; if there are none, one last batch is sent."""
        with self._lock:
            last = self._claimed(self._waiting.take(self._places)) if not self._untaken and self._waiting else []
            self.nbytes -= self._waiting.clear()
            if last and not self._here:
                self._send(last)
        if last and self._here:
            self._embed(self._embedder, last)

    @uninterruptible()
    def ack(self, embedded: EmbedResult) -> None:
        """Call for every result received."""
        with self._lock:
            self._untaken -= 1
            self.nbytes -= embedded.nbytes
            for key in (*embedded.keys, *embedded.refused):
                self._asked.discard(key)
        self.advance()

    def waits(self) -> float:
        """The share of its time, 0…1, in which the model was idle although it could have taken a call."""
        return max(0.0, 1.0 - self._busy / (self.at_once * max(1e-6, time.monotonic() - self._born)))

    def close(self) -> None:
        """Ends the threads once their calls return; does not wait for them."""
        self._stopped = True
        for _ in self._threads:
            self._calls.put(None)
        if self._side_embedder is not None:
            self._side_embedder.close()

    # ---- what is due, under the lock ----------------------------------------------------------------

    def _send_due(self) -> None:
        """Sends the batches that are due to the threads."""
        if self._stopped:
            return
        while self._waiting and self._under_way < self._most_under_way and self._is_due():
            self._send(self._claimed(self._waiting.take(self._places)))
        side = self._side_embedder
        while side is not None and self._under_way < SIDE_CALLS and self._is_due_aside() and side.is_ready():
            self._send(self._claimed(self._waiting.take_texts(self._places)))

    def _due_here(self) -> list[Keyed]:
        """The batch to embed in this thread now: pictures, and texts that no other process takes or that pile up."""
        with self._lock:
            self._send_due()
            most = HELP * self._call if self._under_way else self._call
            due = self._ending or self._waiting.fills_a_call(most) or self._has_rested()
            return self._claimed(self._waiting.take(self._places)) if due and self._waiting else []

    def _is_due_aside(self) -> bool:
        return self._waiting.texts >= (max(1, self._call // 2) if self._ending else self._call)

    def _is_due(self) -> bool:
        """Whether a call should be made now.

        Where the model could take more than it has, half a call of texts goes out as soon as another half is there: many small
        ones cost a server more than they bring, and so what is left at the end is no tiny one.
        """
        if self._here:
            return False
        has_room = self._under_way < self.at_once
        least = self._call if self.at_once == 1 or has_room else 2 * self._call
        return self._waiting.fills_a_call(least) or self._ending or self._has_rested()

    def _has_rested(self) -> bool:
        return not self._under_way and self._waiting.seconds > REST

    @property
    def _places(self) -> int:
        """How many more calls the model can take; 0 if it takes one at a time."""
        return 0 if self.at_once == 1 else max(2, self.at_once - self._under_way)

    def _claimed(self, batch: list[Keyed]) -> list[Keyed]:
        """Marks a batch as in flight."""
        self._asked.update(key for key, _ in batch)
        self._untaken += 1
        return batch

    def _send(self, batch: list[Keyed]) -> None:
        self._under_way += 1
        if len(self._threads) < self._under_way:
            thread = threading.Thread(target=self._serve, name=f"rag-embed-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._calls.put(batch)

    # ---- in the threads ---------------------------------------------------------------------------

    def _serve(self) -> None:
        embedder = self._side_embedder or self._embedder
        while (batch := self._calls.get()) is not None:
            self._embed(embedder, batch)
            with self._lock:
                self._under_way -= 1
                self._send_due()

    def _embed(self, embedder: Embeds, batch: Sequence[Keyed]) -> None:
        began = time.monotonic()
        keys, contents = tuple(key for key, _ in batch), [content for _, content in batch]
        vectors, failure, refused = None, None, dict[bytes, str]()
        try:
            vectors = embedder.embed(contents, role="document")
        except ContentRefused as refusal:
            vectors = refusal.others
            refused = {keys[at]: reason for at, reason in refusal.reasons.items()}
            keys = tuple(key for key in keys if key not in refused)
        except RagError as error:
            failure, self._stopped = error, True
        finally:  # also after an error that is a bug: the thread that writes must not wait for ever
            self._busy += time.monotonic() - began
            nbytes, tokens = sum(map(size_of, contents)), sum(map(tokens_of, contents))
            self._results.put_vectors(EmbedResult(keys, vectors, failure, refused, nbytes, tokens))
