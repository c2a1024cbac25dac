"""Decoder processes that wait for the next run: a program that indexes again and again does not start them each time.

Knows processes and time; knows no job.
"""

from __future__ import annotations

import threading
import time

from rag.decoding.process import Process

KEPT_SECONDS = 10.0
_spares: list[tuple[Process, float]] = []  # with the time of their end
_lock = threading.Lock()


def take() -> Process | None:
    """A process that is alive and has no job; None where there is none."""
    while True:
        with _lock:
            if not _spares:
                return None
            process, _ = _spares.pop()
        if process.is_alive():
            return process
        process.end()


def keep(process: Process) -> None:
    """Keeps a process that has no job for the next who takes one, for a little while."""
    with _lock:
        _spares.append((process, time.monotonic() + KEPT_SECONDS))
    timer = threading.Timer(KEPT_SECONDS + 0.1, _end_old)
    timer.daemon = True
    timer.start()


def _end_old() -> None:
    now = time.monotonic()
    with _lock:
        old = [process for process, end in _spares if end <= now]
        _spares[:] = [one for one in _spares if one[1] > now]
    for process in old:
        process.end()
