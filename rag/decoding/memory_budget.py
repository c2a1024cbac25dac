"""How much memory the readers and the queues between them may use.

Knows bytes; knows no process.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.decoding.pool import MEMORY
from rag.index.files.parallel import cores

QUEUE_BYTES = 64_000_000  # of each of the two queues: what was decoded, and what waits for the model
_DECODED = 8_000_000  # of the first, for each reader, and for four at least: two pictures of the size a model sees
_LEAST_MEMORY = 400_000_000  # of a reader: its libraries and a picture of 12 million pixels
_OWN = 600_000_000  # of the process that writes, without its queues


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """The number of readers, the bytes each may use, and the bytes of the two queues: `decoded`, and `queue` for the model."""

    jobs: int
    memory: int
    queue: int
    decoded: int


def budget(jobs: int | str, max_memory: int) -> MemoryBudget:
    """Shares `max_memory` bytes (0: no bound of ours) among at most `jobs` readers ("auto": one a processor) and this process.

    There are fewer readers where each would have too little to read anything.
    """
    asked = cores() if isinstance(jobs, str) else jobs
    if not max_memory:
        return MemoryBudget(asked, MEMORY, QUEUE_BYTES, _decoded(asked, QUEUE_BYTES))
    queue = min(QUEUE_BYTES, max_memory // 20)
    left = max(_LEAST_MEMORY, max_memory - _OWN - 2 * queue)
    fewer = min(asked, max(1, left // _LEAST_MEMORY))
    return MemoryBudget(fewer, min(MEMORY, left // max(1, fewer)), queue, _decoded(fewer, queue))


def _decoded(jobs: int, most: int) -> int:
    """Twice as much made no run faster on two processors, and it adds to the peak of the writer process."""
    return min(most, _DECODED * max(4, jobs))


def shortfall(max_memory: int) -> str:
    """The warning for a limit that may be too low; "" if it is high enough."""
    least = _OWN + _LEAST_MEMORY
    if not 0 < max_memory < least:
        return ""
    return f"--max-memory is less than the {least / 1e9:.1f}G that the writer and one reader may need: they may take so much"
