"""What one measurement found: requests and tokens a second, and how long answers took.

Knows numbers; knows no server, no index and no terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.benchmark.load import FixedRate, Load, Pattern


@dataclass(frozen=True, slots=True)
class CacheHits:
    """What the server had kept and did not compute. None: it does not say."""

    tokens: int | None = None  # of prompts
    pictures: int | None = None


UNTOLD = CacheHits()


@dataclass(frozen=True, slots=True)
class Measurement:
    """One load and what the server says of it. Latencies are in milliseconds, of the answers that came; 0 if none came."""

    what: str  # "embedding texts", "reranking pictures", "searching"
    model: str
    pattern: Pattern
    load: Load
    tokens: int | None = None  # of all prompts, by the server's own count; None: it does not say
    hits: CacheHits = UNTOLD
    peak_share: float | None = None  # of the accelerator's arithmetic, 0…1; None: not asked for, or not known
    repetitions: tuple[float, ...] = ()  # requests a second of each, of which this one is the middle

    @property
    def completed(self) -> int:
        """Requests that were answered."""
        return len(self.load.waits)

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(self.load.failures.values())

    @property
    def failures(self) -> Mapping[str, int]:
        """How often, by the reason; the most frequent first."""
        return dict(sorted(self.load.failures.items(), key=lambda one: -one[1]))

    @property
    def requests_per_second(self) -> float:
        """Answers a second."""
        return self.completed / self.load.seconds if self.load.seconds else 0.0

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens of prompts a second; None: the server does not count them."""
        return None if self.tokens is None or not self.load.seconds else self.tokens / self.load.seconds

    @property
    def mean(self) -> float:
        """The mean latency."""
        return 1000 * float(np.mean(self.load.waits)) if self.load.waits else 0.0

    def percentile(self, share: float) -> float:
        """The latency that so many per cent of the answers did not exceed, interpolated, as vLLM computes it."""
        return 1000 * float(np.percentile(self.load.waits, share)) if self.load.waits else 0.0


def middle(found: Sequence[Measurement]) -> Measurement:
    """The repetition of median throughput (the slower of two), which then knows the throughput of all."""
    ordered = sorted(found, key=lambda one: one.requests_per_second)
    rates = tuple(one.requests_per_second for one in found)
    return replace(ordered[(len(ordered) - 1) // 2], repetitions=rates)


def in_words(pattern: Pattern, requests: int = 0) -> str:
    """How a load is put, as a person reads it; so many users as `requests` send all at once."""
    if isinstance(pattern, FixedRate):
        return f"{pattern.per_second:g} requests a second"
    if 0 < requests <= pattern.users:
        return "all at once"
    return "one user without pause" if pattern.users == 1 else f"{pattern.users} users without pause"
