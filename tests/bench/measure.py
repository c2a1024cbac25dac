"""Timing of commands and functions: medians of alternating runs, so that a drifting machine moves both sides.

Knows clocks; knows nothing of what is timed.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, beside what, and the bound on their ratio."""

    what: str
    measured: str
    floor: str
    ratio: float
    bound: str
    holds: bool


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def command(words: Sequence[str], cwd: str | None = None) -> Callable[[], object]:
    """A whole process, its output thrown away; its failure is an error. It may keep its bytecode, as if installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run(words, check=True, capture_output=True, cwd=cwd, env=environment)


def alternate(one: Callable[[], object], other: Callable[[], object], runs: int = 7) -> tuple[float, float]:
    """Median seconds of both, run in turn after one warm-up each."""
    one(), other()
    pairs = [(seconds(one), seconds(other)) for _ in range(runs)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def processor_seconds(work: Callable[[], object]) -> float:
    """Processor seconds of the child processes that one call starts and waits for, of the user and of the system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def alternate_processor(*works: Callable[[], object], runs: int = 7) -> list[float]:
    """Median processor seconds of the processes of each, run in turn after one warm-up each."""
    for work in works:
        work()
    rounds = [[processor_seconds(work) for work in works] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def show(rows: Sequence[Row]) -> None:
    """The table, as Markdown."""
    print("| what | measured | floor | ratio | bound | |\n|---|---|---|---|---|---|")
    for row in rows:
        verdict = "holds" if row.holds else "**MISSED**"
        print(f"| {row.what} | {row.measured} | {row.floor} | {row.ratio:.2f} | {row.bound} | {verdict} |")
