"""Idle worker processes, kept for a while so that repeated runs and questions need not start new ones.

Knows processes and time; knows no job.
"""

from __future__ import annotations

import threading
import time

from rag.decoding.worker_process import WorkerProcess

KEPT_SECONDS = 10.0
_spares: list[tuple[WorkerProcess, float]] = []  # with the time of their end
_changed = threading.Condition()
_reapers: list[threading.Thread] = []  # one at most


def take(memory: int) -> WorkerProcess | None:
    """A live idle process with exactly this memory limit; None if there is none."""
    while True:
        with _changed:  # the one kept last: what it holds open may be asked for again
            found = next((one for one in reversed(_spares) if one[0].memory == memory), None)
            if found is None:
                return None
            _spares.remove(found)
        if found[0].is_alive():
            return found[0]
        found[0].end()


def keep(process: WorkerProcess, seconds: float = KEPT_SECONDS) -> None:
    """Keeps an idle process for `seconds`; a dead one is dropped."""
    if not process.is_alive():
        process.end()
        return
    with _changed:
        _spares.append((process, time.monotonic() + seconds))
        if not _reapers:
            _reapers.append(threading.Thread(target=_end_old, name="rag-idle-workers", daemon=True))
            _reapers[0].start()
        _changed.notify()


def _end_old() -> None:
    """Ends processes when their time is up; returns when none is left."""
    while True:
        with _changed:
            now = time.monotonic()
            old = [process for process, end in _spares if end <= now]
            _spares[:] = [one for one in _spares if one[1] > now]
            if not old and not _spares:
                _reapers.clear()
                return
            if not old:
                _changed.wait(min(end for _, end in _spares) - now)
                continue
        for process in old:
            process.end()
