"""Threads that answer, and a bounded line of those who wait for one.

Knows asyncio and threads; knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from rag.errors import Overloaded

T = TypeVar("T")

LINE = 256  # callers that may wait
PATIENCE = 60.0  # seconds from asking to the answer


class Busy(Overloaded):
    """So many wait already that one more is sent away."""

    def __init__(self) -> None:
        super().__init__(f"{LINE} questions wait for an answer already", remedy="ask again in a second")


class TookTooLong(Overloaded):
    """The answer did not come in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.0f} s", remedy="ask for less, or look whether a model server is overloaded")


class Ending(Overloaded):
    """The server stops while the answer is being made."""

    def __init__(self) -> None:
        super().__init__("this server is being stopped", remedy="ask again when it runs")


class RequestPool:
    """A fixed number of threads, kept for good: each holds a connection to every index it has searched."""

    def __init__(self, threads: int, line: int = LINE, patience: float = PATIENCE) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rag-turn")
        self._room = threads + line
        self._patience = patience
        self._lock = threading.Lock()
        self.inside = 0  # callers that wait or are served
        self.threads = threads

    async def take(self, work: Callable[..., T], *given: Any) -> T:
        """`work(*given)` in a thread when one is free. Busy, TookTooLong, and whatever `work` raises.

        Work that took too long goes on to its end in its thread, and keeps its place until then. Ending where the server ends.
        """
        with self._lock:
            if self.inside >= self._room:
                raise Busy
            self.inside += 1
        future = self._pool.submit(work, *given)
        future.add_done_callback(self._leave)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._patience)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise  # `work` itself raised it
            raise TookTooLong(self._patience) from None
        except asyncio.CancelledError:  # the server ends, and nobody else cancels: the caller gets an answer all the same
            raise Ending from None

    def close(self) -> None:
        """Ends the threads when their work is done; those who wait are not served any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self.inside -= 1
