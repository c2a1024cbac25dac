"""Changes that Ctrl-C does not divide: it is heard when they are whole.

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
    """Holds SIGINT back until the end of the block. In other threads than the main one Python never raises it.

    A block inside another costs next to nothing: the outermost one asks and sets the handler, 12 µs. The order below leaves no
    moment in which Ctrl-C could come between the handler and what is known of it.
    """

    _depth = 0  # of blocks in the main thread
    _hears: Callable[[int, FrameType | None], Any]
    _struck: list[FrameType | None]

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if uninterruptible._depth:
            uninterruptible._depth += 1
            return
        hears = signal.getsignal(signal.SIGINT)
        if callable(hears):
            uninterruptible._hears, uninterruptible._struck = hears, []
            signal.signal(signal.SIGINT, _hold)
            uninterruptible._depth = 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not uninterruptible._depth or threading.current_thread() is not threading.main_thread():
            return
        if uninterruptible._depth > 1:
            uninterruptible._depth -= 1
            return
        uninterruptible._depth = 0
        signal.signal(signal.SIGINT, uninterruptible._hears)
        if uninterruptible._struck:
            uninterruptible._hears(signal.SIGINT, uninterruptible._struck[0])


def _hold(_: int, frame: FrameType | None) -> None:
    uninterruptible._struck.append(frame)
