"""What one answer may cost a worker process: processor time, idle waiting, and time in which the system does not let it run.

Knows processes as the kernel shows them (proc(5)); knows no job. Wall time alone is no cost: a reader that is stopped, niced,
or crowded out on a busy machine or waiting for a slow disk does no harm. Outside Linux only the last limit holds, as wall time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Cause = Literal["processor", "waiting", "starved"]
POLL_SECONDS = 1.0  # between two looks at a process
_TICKS = os.sysconf("SC_CLK_TCK")
_COULD_RUN = frozenset("RDTt")  # states of a thread: running or ready, waiting for a disk, stopped, traced


@dataclass(frozen=True, slots=True)
class CostLimits:
    """Limits in seconds. A file that exceeds one is given up, and the next run tries it again with more."""

    processor: float = 120.0  # of computing, in all its threads
    waiting: float = 60.0  # without computing, reading, or waiting for the system: a deadlock
    starved: float = 600.0  # without progress although it could run

    def times(self, factor: float, more_processor: float = 0.0) -> CostLimits:
        """These limits times `factor`, after adding `more_processor` seconds of processor time."""
        return CostLimits((self.processor + more_processor) * factor, self.waiting * factor, self.starved * factor)


class CostMeter:
    """Measures what a process, and others that work for it, have cost since the meter was created."""

    def __init__(self, processes: Sequence[int], limits: CostLimits) -> None:
        """`processes` are their numbers. What their children cost counts too."""
        self._processes, self._limits = processes, limits
        self._began = self._last_look = time.monotonic()
        self._first_seconds, self._last_progress = self._read()
        self._waited = self._starved = 0.0

    def exceeded(self) -> Cause | None:
        """Which limit is exceeded now. Call about every POLL_SECONDS."""
        now = time.monotonic()
        gone, self._last_look = now - self._last_look, now
        seconds, progress = self._read()
        if seconds is None or self._first_seconds is None:
            return "starved" if now - self._began > self._limits.starved else None
        if seconds - self._first_seconds > self._limits.processor:
            return "processor"
        if progress != self._last_progress:
            self._last_progress, self._waited, self._starved = progress, 0.0, 0.0
        elif self._could_run():
            self._starved += gone
        else:
            self._waited += gone
        if self._waited > self._limits.waiting:
            return "waiting"
        return "starved" if self._starved > self._limits.starved else None

    def _read(self) -> tuple[float | None, tuple[float, str]]:
        """Seconds of processor time (None if unknown), and a value that changes whenever one of them makes progress."""
        seconds, read = 0.0, ""
        for number, process in enumerate(self._all()):
            try:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                seconds += sum(map(int, fields[11:15])) / _TICKS  # utime and stime, and those of children that have ended
            except (OSError, ValueError):
                if number == 0:
                    return None, (0.0, "")
                continue
            with suppress(OSError):
                read += (process / "io").read_text().partition("\n")[0]  # rchar: all bytes it was given
        return seconds, (seconds, read)

    def _all(self) -> Iterator[Path]:
        """The processes, as the kernel shows them, and the children of all but the first, which has none."""
        for number, process in enumerate(self._processes):
            yield Path("/proc", str(process))
            if number or len(self._processes) == 1:
                with suppress(OSError):
                    yield from (Path("/proc", child) for child in _children(process))

    def _could_run(self) -> bool:
        """Whether one of their threads is held up by the system rather than by itself."""
        stats: list[str] = []
        for process in self._all():
            try:
                stats += [(task / "stat").read_text() for task in (process / "task").iterdir()]
            except OSError:  # it ends just now
                return True
        return any(stat.rpartition(")")[2].split()[0] in _COULD_RUN for stat in stats)


def _children(process: int) -> list[str]:
    return Path("/proc", str(process), "task", str(process), "children").read_text().split()
