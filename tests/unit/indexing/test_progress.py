"""How a run's pace is told."""

from __future__ import annotations

import os

import pytest

from rag.cli.progress import figures_of, time_of
from rag.indexing.progress import RunCounters
from rag.indexing.report import Progress, progress_json


def test_rates_are_those_of_the_last_seconds_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("rag.indexing.progress.time.monotonic", lambda: clock[0])
    counters = RunCounters(total=100, counted=True, megabytes_total=50.0, started=100.0)
    assert counters.progress("a", {}).seconds_left is None
    for _ in range(20):
        clock[0] += 1.0
        counters.read, counters.embedded, counters.known = counters.read + 2, counters.embedded + 5, counters.known + 1
        counters.tokens, counters.megabytes = counters.tokens + 900, counters.megabytes + 1.0
        seen = counters.progress("b", {"read": 0.1})
    assert (seen.done, seen.total, seen.passages) == (40, 100, 120)
    assert (seen.documents_per_second, seen.passages_per_second) == (pytest.approx(2.0), pytest.approx(6.0))
    assert (seen.megabytes_per_second, seen.tokens_per_second) == (pytest.approx(1.0), pytest.approx(900.0))
    assert seen.seconds_left == pytest.approx(30.0)  # 20 s for 0.4 of both
    counters.counted = False  # the walk goes on: there may be any number more
    assert counters.progress("b", {}).seconds_left is None
    counters.read, counters.counted = 100, True
    assert counters.progress("", {}).seconds_left == 0.0


def test_what_the_model_was_not_shown_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are read long before a slow model has seen them."""
    clock = [0.0]
    monkeypatch.setattr("rag.indexing.progress.time.monotonic", lambda: clock[0])
    counters = RunCounters(total=100, counted=True, megabytes_total=50.0, started=0.0)
    clock[0], counters.read, counters.megabytes, counters.lacking, counters.embedded, counters.waiting = (
        10.0,
        50,
        25.0,
        45,
        100,
        900,
    )
    seen = counters.progress("", {})
    assert (seen.done, seen.passages, seen.seconds_left) == (5, 100, pytest.approx(190.0))  # a tenth of one half, in 10 s
    counters.read, counters.lacking, counters.embedded, counters.waiting = 100, 40, 1_500, 500
    seen = counters.progress("", {})
    assert (seen.done, seen.seconds_left) == (60, pytest.approx(10 / 3))  # three quarters
    counters.lacking, counters.embedded, counters.waiting = 0, 2_000, 0
    assert counters.progress("", {}).seconds_left == 0.0


def test_a_person_reads_the_pace_and_what_holds_it_back() -> None:
    seen = Progress(
        1, 9, "x", passages_per_second=41.23, megabytes_per_second=3.06, tokens_per_second=12_345.6, seconds_left=125.4,
        waiting={"read": 0.02, "embed": 0.7, "write": 0.9},
    )  # fmt: skip
    assert figures_of(seen) == "41 passages/s · 12,346 tokens/s · 3.1 MB/s · held back by reading"
    assert figures_of(Progress(0, 9, "x", readers={"": 2})) == ""
    assert figures_of(Progress(0, 9, "x", readers={"a": 2, "b": 1})) == "3 readers on 2 machines"
    assert figures_of(Progress(0, 9, "x", readers={"a": 1})) == "1 reader on 1 machine"
    assert progress_json(Progress(0, 9, "x", readers={"": 2, "b": 1}))["readers"] == {os.uname().nodename: 2, "b": 1}
    assert figures_of(Progress(0, 9, "x", folder=2, folders=3, documents_per_second=9.94)) == "folder 2 of 3 · 9.9 documents/s"
    assert figures_of(Progress(0, 9, "x", waiting={"read": 0.5, "embed": 0.5})) == ""
    assert figures_of(Progress(0, 9, "x", counted=False, passages_per_second=3.0)) == "9 found so far · 3.0 passages/s"
    assert (time_of(42), time_of(3_725)) == ("0:42", "1:02:05")
