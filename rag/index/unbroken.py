"""Changes that Ctrl-C does not divide: it is heard when they are whole.

Knows signals; knows nothing of what is changed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def unbroken() -> Iterator[None]:
    """Holds SIGINT back until the end of the block. In other threads than the main one Python never raises it."""
    hears = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(hears):
        yield
        return
    struck: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda _, frame: struck.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, hears)
        if struck:
            hears(signal.SIGINT, struck[0])
