"""The bodies of requests, bounded: each one, all of them together, and how long one may take to come.

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

EACH = 32 * 1024 * 1024  # bytes of one request
TOGETHER = 128 * 1024 * 1024  # bytes of all requests that are being read or answered
FREE = 64 * 1024  # bytes of each that do not count: a question of words always gets in
PATIENCE = 60.0  # seconds until the last byte has come


class BodyLimits:
    """What all requests of one server hold at the moment. For one event loop."""

    def __init__(self, each: int = EACH, together: int = TOGETHER, patience: float = PATIENCE) -> None:
        self._each, self._together, self._patience = each, together, patience
        self.held = 0  # bytes, beyond what is free

    @contextmanager
    def counted(self, receive: Receive) -> Iterator[Receive]:
        """`receive`, raising HTTPException: 413 for a body too large, 429 while others hold too much, 408 for one too slow.

        What was read counts until the block ends.
        """
        read = 0
        mine = 0
        whole = False
        until: float | None = None

        async def bounded() -> Message:
            nonlocal read, mine, whole, until
            if whole:
                return await receive()  # only waits for the client to leave
            until = until or asyncio.get_running_loop().time() + self._patience
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            whole = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self._each:
                raise HTTPException(413)
            more = max(0, read - FREE) - mine
            if self.held + more > self._together:
                raise HTTPException(429, headers={"Retry-After": "1"})
            self.held += more
            mine += more
            return message

        try:
            yield bounded
        finally:
            self.held -= mine
