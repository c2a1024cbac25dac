"""How long each stage of one question took.

Knows a clock; knows nothing of what is timed.
"""

from __future__ import annotations

import time


class StageTimer:
    """Seconds of stages that follow one another; `end` closes the one that runs."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def end(self, stage: str) -> None:
        """What has passed since the last `end` belongs to `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now
