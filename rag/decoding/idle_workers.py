"""Decoder processes that wait for the next run: a program that indexes again and again does not start them each time.

Knows processes and time; knows no job.
"""

from __future__ import annotations

import threading
import time

from rag.decoding.worker_process import WorkerProcess

KEPT_SECONDS = 10.0
_spares: list[tuple[WorkerProcess, float]] = []  # with the time of their end
_lock = threading.Lock()


def take(memory: int) -> WorkerProcess | None:
    """A process that is alive, has no job and may use so much memory; None where there is none."""
    while True:
        with _lock:
            found = next((one for one in _spares if one[0].memory == memory), None)
            if found is None:
                return None
            _spares.remove(found)
        if found[0].is_alive():
            return found[0]
        found[0].end()


def keep(process: WorkerProcess) -> None:
    """Keeps a process that has no job for the next who takes one, for a little while; a dead one is forgotten."""
    if not process.is_alive():
        process.end()
        return
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
