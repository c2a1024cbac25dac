"""Limits request bodies: the size of each, of all together, and the time until one has arrived.

Knows ASGI's messages; knows no route.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import Message, Receive

MOST_BYTES = 32 * 1024 * 1024  # of one body
MOST_BYTES_TOGETHER = 128 * 1024 * 1024  # of all bodies that are being read or answered
FREE_BYTES = 64 * 1024  # of each body, not counted: a text query always gets in
ARRIVAL_SECONDS = 60.0  # until the last byte


class BodyLimits:
    """Counts the body bytes that all requests of one server hold. For one event loop."""

    def __init__(self, each: int = MOST_BYTES, together: int = MOST_BYTES_TOGETHER, timeout: float = ARRIVAL_SECONDS) -> None:
        self._each, self._together, self._timeout = each, together, timeout
        self.held = 0  # bytes, without the free ones

    @contextmanager
    def counted(self, receive: Receive) -> Iterator[Receive]:
        """A bounded `receive`. HTTPException: 413 for a body too large, 429 while others hold too much, 408 for one too slow.

        The bytes that were read count until the block ends.
        """
        read = 0
        counted = 0
        complete = False
        deadline: float | None = None

        async def bounded() -> Message:
            nonlocal read, counted, complete, deadline
            if complete:
                return await receive()  # only a disconnect can come
            deadline = deadline or asyncio.get_running_loop().time() + self._timeout
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            complete = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self._each:
                raise HTTPException(413)
            more = max(0, read - FREE_BYTES) - counted
            if self.held + more > self._together:
                raise HTTPException(429, headers={"Retry-After": "1"})
            self.held += more
            counted += more
            return message

        try:
            yield bounded
        finally:
            self.held -= counted
