"""Keeps the model busy: contents in, batches of similar length out, as many under way at once as the model takes.

Knows contents, an embedder and threads; knows no file and no index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeAlias

from rag.errors import ContentRefused, RagError
from rag.index.unbroken import unbroken
from rag.types import Content

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.types import Vectors

Keyed: TypeAlias = tuple[bytes, Content]

CALL_TOKENS = 100_000  # of text in one call, about: a batch is padded to its longest text by some models
CALL_PIXELS = 5_500_000  # in one call: four pictures of the largest size a model sees
REST = 0.25  # seconds that contents wait for company before a call is made with fewer than it takes
WINDOW = 16  # calls: texts of similar length are looked for among the oldest so many, however many wait


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The vectors of some keys, or why there are none."""

    keys: tuple[bytes, ...]
    vectors: Vectors | None
    failure: RagError | None
    refused: Mapping[bytes, str]  # keys of contents that the model does not take, with its reason
    nbytes: int  # of all that was asked
    tokens: int


class Results(Protocol):
    """Where vectors go as they come."""

    def put_result(self, result: Embedded) -> None: ...


class Feeding:
    """For the one thread that writes; `put_result` is called from threads of its own.

    An embedder says with `in_flight` how many calls of `embed` it takes at once; without it, one. With 0 it is called in the
    thread that feeds it: plain Python in a second thread holds the first back (2.7 times slower for 7,600 texts). With
    `pictures` it says how many contents with pixels one call should have, where that is less than of texts.
    """

    def __init__(self, embedder: Embedder, results: Results) -> None:
        self._embedder, self._results = embedder, results
        in_flight = int(getattr(embedder, "in_flight", 1))
        self._here = in_flight == 0
        self.at_once = max(1, in_flight)
        self._call = max(1, embedder.batch // self.at_once)  # contents of one call
        self._shown_call = max(1, min(self._call, int(getattr(embedder, "pictures", self._call))))  # the same, of pictures
        self._shown: dict[bytes, Content] = {}  # contents with pixels that wait
        self._texts: dict[bytes, Content] = {}  # and those without
        self._pixels = 0  # of those that wait
        self._since = 0.0  # when the oldest of them came
        self._asked: set[bytes] = set()  # keys under way
        self._calls: SimpleQueue[list[Keyed] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._under_way = 0  # calls
        self._most_under_way = 1 if self.at_once == 1 else self.at_once + max(2, self.at_once // 4)  # some are being made ready
        self._ending = False
        self._busy = 0.0  # seconds of calls, all together
        self._born = time.monotonic()
        self.nbytes = 0  # of contents that wait or are under way

    def has(self, key: bytes) -> bool:
        """Whether a vector of that key is on its way."""
        return key in self._texts or key in self._shown or key in self._asked

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._texts and not self._shown and not self._under_way

    def add(self, key: bytes, content: Content) -> None:
        """Takes a content; its vector comes as a result, sooner or later."""
        if not self._texts and not self._shown:
            self._since = time.monotonic()
        if content.pixels:
            self._shown[key] = content
            self._pixels += pixels_of(content)
        else:
            self._texts[key] = content
        self.nbytes += size_of(content)
        self.advance()

    def advance(self) -> None:
        """Makes the calls that are due: those that are full, and where the model is idle those that have waited.

        While other calls are under way a half is the least: many small ones cost a server more than they bring.
        """
        most = self._call if self.at_once == 1 else 2 * self._call  # so that what is left at the end is no tiny call
        while (self._texts or self._shown) and self._under_way < self._most_under_way:
            full = len(self._shown) >= self._shown_call or self._pixels >= CALL_PIXELS or len(self._texts) >= most
            if not full and not self._ending and not self._rested():
                return
            self._send(self._next())

    def flush(self) -> None:
        """Nothing comes any more: what waits goes out as soon as there is room, however little it is."""
        self._ending = True
        while self._here and (self._texts or self._shown):
            self._send(self._next())
        self.advance()

    def drop(self) -> None:
        """Forgets what waits. Only the calls under way still give results; where there is none, one last call."""
        if not self._under_way and (self._texts or self._shown):
            self._send(self._next())
        self.nbytes -= sum(map(size_of, (*self._texts.values(), *self._shown.values())))
        self._texts.clear()
        self._shown.clear()
        self._pixels = 0

    def took(self, embedded: Embedded) -> None:
        """Must be told of every result."""
        self._under_way -= 1
        self.nbytes -= embedded.nbytes
        for key in (*embedded.keys, *embedded.refused):
            self._asked.discard(key)
        self.advance()

    def waits(self) -> float:
        """The share of its time, 0…1, that the model could have taken another call and had none."""
        return max(0.0, 1.0 - self._busy / (self.at_once * max(1e-6, time.monotonic() - self._born)))

    def close(self) -> None:
        """Ends the threads as soon as their calls end; nobody waits for them."""
        for _ in self._threads:
            self._calls.put(None)

    # ---- batches ----------------------------------------------------------------------------------

    def _rested(self) -> bool:
        enough = len(self._shown) + len(self._texts) >= self._call // 2 if self._under_way else True
        return enough and self._under_way < self.at_once and time.monotonic() - self._since > REST

    def _next(self) -> list[Keyed]:
        """The next batch: pictures in the order they came; else the oldest text with others of about its length."""
        if self._shown:
            oldest = list(islice(self._shown.items(), self._shown_call))
            return cut(oldest, self._shown_call, CALL_PIXELS, pixels_of)[0]
        oldest = list(islice(self._texts.items(), WINDOW * self._call))
        by_length = sorted(oldest, key=lambda one: -len(one[1].text))
        count = self._call if len(oldest) >= 2 * self._call else -(-len(oldest) // -(-len(oldest) // self._call))
        at = min(by_length.index(oldest[0]), len(oldest) - count)
        return cut(by_length[at : at + count], count, CALL_TOKENS, tokens_of)[0]

    @unbroken()
    def _send(self, batch: list[Keyed]) -> None:
        """Has a batch embedded. Ctrl-C waits until it is on its way: half sent, it would be waited for forever."""
        for key, content in batch:
            if content.pixels:
                del self._shown[key]
                self._pixels -= pixels_of(content)
            else:
                del self._texts[key]
            self._asked.add(key)
        self._since = time.monotonic()
        self._under_way += 1
        if self._here:
            self._embed(batch)
            return
        if len(self._threads) < min(self._under_way, self._most_under_way):
            thread = threading.Thread(target=self._serve, name=f"rag-embed-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._calls.put(batch)

    # ---- in the threads ---------------------------------------------------------------------------

    def _serve(self) -> None:
        while (batch := self._calls.get()) is not None:
            self._embed(batch)

    def _embed(self, batch: Sequence[Keyed]) -> None:
        began = time.monotonic()
        keys, contents = tuple(key for key, _ in batch), [content for _, content in batch]
        vectors, failure, refused = None, None, dict[bytes, str]()
        try:
            vectors = self._embedder.embed(contents, role="document")
        except ContentRefused as refusal:
            vectors = refusal.others
            refused = {keys[at]: reason for at, reason in refusal.reasons.items()}
            keys = tuple(key for key in keys if key not in refused)
        except RagError as error:
            failure = error
        finally:  # also after an error that is a bug: the thread that writes must not wait for ever
            self._busy += time.monotonic() - began
            nbytes, tokens = sum(map(size_of, contents)), sum(map(tokens_of, contents))
            self._results.put_result(Embedded(keys, vectors, failure, refused, nbytes, tokens))


def cut(contents: Sequence[Keyed], most: int, budget: int, weigh: Callable[[Content], int]) -> list[list[Keyed]]:
    """In order, as lists of at most `most` contents that weigh at most `budget`, or of one that weighs more; evenly long."""
    if not contents:
        return []
    length = -(-len(contents) // -(-len(contents) // most))  # even: 40 are 20 + 20, not 32 + 8
    batches: list[list[Keyed]] = [[]]
    held = 0
    for key, content in contents:
        weight = weigh(content)
        if batches[-1] and (len(batches[-1]) >= length or held + weight > budget):
            batches.append([])
            held = 0
        batches[-1].append((key, content))
        held += weight
    return batches


def size_of(content: Content) -> int:
    """Bytes in memory, about."""
    return sum(pixels.nbytes for pixels in content.pixels) + 4 * len(content.text) + 200


def tokens_of(content: Content) -> int:
    """Tokens a model sees, about: one for 4 bytes of UTF-8, one for 32 × 32 pixels."""
    return len(content.text.encode("utf-8", "surrogatepass")) // 4 + pixels_of(content) // 1024 + 1


def pixels_of(content: Content) -> int:
    """Pixels of all its pictures together."""
    return sum(pixels.size for pixels in content.pixels) // 3
