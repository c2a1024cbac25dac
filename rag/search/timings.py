"""Measures how long each stage of a search takes.

Knows a clock; knows nothing of what is timed.
"""

from __future__ import annotations

import time


class StageTimer:
    """Seconds of consecutive stages; `end` closes the running one."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def end(self, stage: str) -> None:
        """Adds the time since the last `end` to `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now
