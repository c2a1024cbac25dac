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


class unbroken(ContextDecorator):  # noqa: N801 (used as a function)
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
        if unbroken._depth:
            unbroken._depth += 1
            return
        hears = signal.getsignal(signal.SIGINT)
        if callable(hears):
            unbroken._hears, unbroken._struck = hears, []
            signal.signal(signal.SIGINT, _hold)
            unbroken._depth = 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not unbroken._depth or threading.current_thread() is not threading.main_thread():
            return
        if unbroken._depth > 1:
            unbroken._depth -= 1
            return
        unbroken._depth = 0
        signal.signal(signal.SIGINT, unbroken._hears)
        if unbroken._struck:
            unbroken._hears(signal.SIGINT, unbroken._struck[0])


def _hold(_: int, frame: FrameType | None) -> None:
    unbroken._struck.append(frame)
