"""What one answer may cost a worker process: processor time, waiting for nothing, and time in which nobody lets it run.

Knows processes as the kernel shows them (proc(5)); knows no job. Wall time alone is no cost: a reader that is stopped, niced,
or behind others on a slow disk or a busy machine does no harm. Elsewhere than on Linux only the last limit holds, as wall time.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Cause = Literal["processor", "waiting", "starved"]
POLL_SECONDS = 1.0  # between two looks at a process
_TICKS = os.sysconf("SC_CLK_TCK")
_COULD_RUN = frozenset("RDTt")  # states of a thread: running or ready, waiting for a disk, stopped, traced


@dataclass(frozen=True, slots=True)
class CostLimits:
    """Seconds. What is beyond `processor` or `waiting` is given up, and tried again by the next run with more."""

    processor: float = 120.0  # that it computes, in all its threads
    waiting: float = 60.0  # that it neither computes nor reads, and waits for nothing that the system would give it
    starved: float = 600.0  # that it gets on with nothing although it could run

    def times(self, factor: float, more_processor: float = 0.0) -> CostLimits:
        """Limits that many times as wide, with so many seconds of processor time on top."""
        return CostLimits((self.processor + more_processor) * factor, self.waiting * factor, self.starved * factor)


class CostMeter:
    """What a process has cost since this was made."""

    def __init__(self, process: int, limits: CostLimits) -> None:
        """`process` is its number."""
        self._folder, self._limits = Path("/proc", str(process)), limits
        self._began = self._last_look = time.monotonic()
        self._first_seconds, self._last_progress = self._read()
        self._waited = self._starved = 0.0

    def exceeded(self) -> Cause | None:
        """Which limit is exceeded now; to be asked about every POLL_SECONDS."""
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
        """Seconds of processor time, None where they cannot be known; and what changes whenever the process gets on."""
        try:
            fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
            seconds = (int(fields[11]) + int(fields[12])) / _TICKS  # utime and stime
        except (OSError, ValueError, IndexError):
            return None, (0.0, "")
        try:
            read = (self._folder / "io").read_text().partition("\n")[0]  # rchar: all bytes it was given
        except OSError:
            read = ""
        return seconds, (seconds, read)

    def _could_run(self) -> bool:
        """Whether one of its threads is held up by the system or by somebody else."""
        try:
            stats = [(task / "stat").read_text() for task in (self._folder / "task").iterdir()]
        except OSError:  # it ends just now
            return True
        return any(stat.rpartition(")")[2].split()[0] in _COULD_RUN for stat in stats)
