"""Prints what `rag bench` measured, in the form of vLLM's guides, or as JSON. Knows measurements; measures nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.benchmark.measurement import Measurement
    from rag.benchmark.published import PublishedRow

_LABEL, _VALUE, _WIDTH = 41, 14, 50  # columns of the published tables, whose values are ten wide
_MOST_REASONS = 3
UNKNOWN = "not told"


def print_table(found: Iterable[Measurement]) -> None:
    """A table for each measurement of a server as soon as it is made, and one for all of searching."""
    searches: list[Measurement] = []
    for one in found:
        if one.what == "searching":
            searches.append(one)
        else:
            _print_serving(one)
    if searches:
        _print_searching(searches)


def print_json(found: Iterable[Measurement]) -> None:
    """Everything that is known, null for what is not; latencies in milliseconds."""
    import json

    print(json.dumps({"measurements": [_as_json(one) for one in found]}, ensure_ascii=False, indent=2))


def warnings_of(one: Measurement) -> list[str]:
    """What makes the figures other than they look: failures, answers from a cache, a share of the peak above 1."""
    from rag.humanize import counted

    found = []
    if one.failed:
        found.append(f"{one.failed:,} of {one.completed + one.failed:,} requests failed and are in no other figure")
        found += [f"  {count:,} times: {reason}" for reason, count in list(one.failures.items())[:_MOST_REASONS]]
    if one.hits.tokens:
        share = f" of {one.tokens:,} ({one.hits.tokens / one.tokens:.0%})" if one.tokens else ""
        found.append(
            f"a prefix cache answered for {one.hits.tokens:,} tokens{share}: texts are fresh, prompts begin alike; "
            "without it: --no-enable-prefix-caching"
        )
    if one.hits.pictures:
        found.append(
            f"a cache answered for {counted(one.hits.pictures, 'picture')}, though each is fresh: "
            "is somebody else using the server?"
        )
    if one.peak_share is not None and one.peak_share > 1:
        found.append("more than the peak cannot be computed: check --peak-tflops and --parameters, or look for a cache")
    return found


def _print_serving(one: Measurement) -> None:
    from rag.benchmark.measurement import in_words
    from rag.benchmark.published import PUBLISHED
    from rag.cli.terminal import harmless

    beside = PUBLISHED.get(one.what)
    title = f"{one.what}: {one.model}, {in_words(one.pattern, one.completed + one.failed)}"
    print(harmless(title))
    print(" Serving Benchmark Result ".center(_WIDTH, "=") + (f"     {beside.machine}" if beside else ""))
    for label, value, published in _rows(one, beside):
        if not value:
            print(label.center(_WIDTH, "-"))
        else:
            print(f"{label:<{_LABEL}}{value:<{_VALUE}}{published}".rstrip())
    print("=" * _WIDTH)
    if one.peak_share is not None:
        print(f"{one.peak_share:.1%} of the accelerator's peak: 2 operations for each weight of the layers and each token")
    if len(one.repetitions) > 1:
        print(f"req/s of the repetitions: {', '.join(f'{rate:.2f}' for rate in one.repetitions)}; printed is the middle one")
    for line in warnings_of(one):
        print(harmless(line if line.startswith(" ") else f"warning: {line}"))
    print(flush=True)


def _rows(one: Measurement, beside: PublishedRow | None) -> list[tuple[str, str, str]]:
    """(label, value, published); a heading has no value."""
    p = beside
    return [
        ("Successful requests:", f"{one.completed}", f"{p.completed}" if p else ""),
        ("Failed requests:", f"{one.failed}", f"{p.failed}" if p else ""),
        ("Benchmark duration (s):", f"{one.load.seconds:.2f}", f"{p.seconds:.2f}" if p else ""),
        ("Total input tokens:", UNKNOWN if one.tokens is None else f"{one.tokens}", f"{p.tokens}" if p else ""),
        ("Request throughput (req/s):", f"{one.requests_per_second:.2f}", f"{p.requests_per_second:.2f}" if p else ""),
        ("Total token throughput (tok/s):", _known(one.tokens_per_second), f"{p.tokens_per_second:.2f}" if p else ""),
        ("End-to-end Latency", "", ""),
        ("Mean E2EL (ms):", f"{one.mean:.2f}", f"{p.mean:.2f}" if p else ""),
        ("Median E2EL (ms):", f"{one.percentile(50):.2f}", f"{p.median:.2f}" if p else ""),
        ("P99 E2EL (ms):", f"{one.percentile(99):.2f}", f"{p.p99:.2f}" if p else ""),
    ]


def _known(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _print_searching(found: list[Measurement]) -> None:
    from rag.benchmark.measurement import in_words
    from rag.cli.terminal import harmless

    print(harmless(f"searching, {found[0].model}; latencies in ms"))
    head = ("load", "searches/s", "mean", "p50", "p95", "p99", "failed")
    rows = [
        (
            in_words(one.pattern),
            f"{one.requests_per_second:.2f}",
            *(f"{value:.2f}" for value in (one.mean, one.percentile(50), one.percentile(95), one.percentile(99))),
            f"{one.failed}",
        )
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join((first.strip().ljust(widths[0]), *others)))
    for line in (line for one in found for line in warnings_of(one)):
        print(harmless(line if line.startswith(" ") else f"warning: {line}"))


def _as_json(one: Measurement) -> dict[str, Any]:
    from dataclasses import asdict

    from rag.benchmark.load import ClosedLoop
    from rag.benchmark.published import PUBLISHED

    closed = isinstance(one.pattern, ClosedLoop)
    beside = PUBLISHED.get(one.what)
    return {
        "what": one.what,
        "model": one.model,
        "users": one.pattern.users if isinstance(one.pattern, ClosedLoop) else None,
        "rate": None if closed else asdict(one.pattern)["per_second"],
        "completed": one.completed,
        "failed": one.failed,
        "failures": one.failures,
        "seconds": one.load.seconds,
        "input_tokens": one.tokens,
        "requests_per_second": one.requests_per_second,
        "tokens_per_second": one.tokens_per_second,
        "mean_ms": one.mean,
        "median_ms": one.percentile(50),
        "p95_ms": one.percentile(95),
        "p99_ms": one.percentile(99),
        "cached_tokens": one.hits.tokens,
        "cached_pictures": one.hits.pictures,
        "peak_share": one.peak_share,
        "repetitions": list(one.repetitions),
        "warnings": warnings_of(one),
        "published": asdict(beside) if beside else None,
    }
