"""Threads that answer requests, and a bounded queue of requests that wait for one.

Knows asyncio and threads; knows nothing of the requests.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from rag.errors import Overloaded

T = TypeVar("T")

QUEUE = 256  # requests that may wait
ANSWER_SECONDS = 60.0  # from the request to its answer


class Busy(Overloaded):
    """The queue is full."""

    def __init__(self) -> None:
        super().__init__(f"{QUEUE} requests are waiting already", remedy="try again in a second")


class TookTooLong(Overloaded):
    """The answer took too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"no answer within {seconds:.0f} s", remedy="ask for less, or check whether a model server is overloaded"
        )


class Ending(Overloaded):
    """The server is shutting down."""

    def __init__(self) -> None:
        super().__init__("this server is shutting down", remedy="try again when it is running")


class RequestPool:
    """A fixed number of threads that live as long as the pool: each keeps a connection to every index it has searched."""

    def __init__(self, threads: int, queue: int = QUEUE, timeout: float = ANSWER_SECONDS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rag-request")
        self._most = threads + queue
        self._timeout = timeout
        self._lock = threading.Lock()
        self.inside = 0  # requests that wait or are being answered
        self.threads = threads

    async def take(self, work: Callable[..., T], *given: Any) -> T:
        """Runs `work(*given)` in a thread when one is free. Busy, TookTooLong, Ending, and whatever `work` raises.

        Work that took too long continues in its thread and counts as inside until it ends.
        """
        with self._lock:
            if self.inside >= self._most:
                raise Busy
            self.inside += 1
        future = self._pool.submit(copy_context().run, work, *given)  # what the request may see is in its context
        future.add_done_callback(self._count_out)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise  # `work` itself raised it
            raise TookTooLong(self._timeout) from None
        except asyncio.CancelledError:  # only a shutdown cancels: the caller still gets an answer
            raise Ending from None

    def close(self) -> None:
        """Ends the threads after their current work; requests that wait are cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _count_out(self, _: Future[Any]) -> None:
        with self._lock:
            self.inside -= 1
