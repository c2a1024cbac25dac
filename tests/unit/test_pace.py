"""How a run's pace is told."""

from __future__ import annotations

import pytest

from rag.cli.progress import figures_of, time_of
from rag.pace import Pace
from rag.reports import Progress


def test_rates_are_those_of_the_last_seconds_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("rag.pace.time.monotonic", lambda: clock[0])
    pace = Pace(total=100, counted=True, megabytes_total=50.0, started=100.0)
    assert pace.progress("a", {}).seconds_left is None
    for _ in range(20):
        clock[0] += 1.0
        pace.documents, pace.passages, pace.tokens, pace.megabytes = (
            pace.documents + 2,
            pace.passages + 6,
            pace.tokens + 900,
            pace.megabytes + 1.0,
        )
        seen = pace.progress("b", {"read": 0.1})
    assert (seen.done, seen.total, seen.passages) == (40, 100, 120)
    assert (seen.documents_per_second, seen.passages_per_second) == (pytest.approx(2.0), pytest.approx(6.0))
    assert (seen.megabytes_per_second, seen.tokens_per_second) == (pytest.approx(1.0), pytest.approx(900.0))
    assert seen.seconds_left == pytest.approx(30.0)  # 20 s for 0.4 of both
    pace.counted = False  # the walk goes on: there may be any number more
    assert pace.progress("b", {}).seconds_left is None
    pace.documents, pace.counted = 100, True
    assert pace.progress("", {}).seconds_left == 0.0


def test_a_person_reads_the_pace_and_what_holds_it_back() -> None:
    seen = Progress(
        1, 9, "x", passages_per_second=41.23, megabytes_per_second=3.06, seconds_left=125.4,
        waiting={"read": 0.02, "embed": 0.7, "write": 0.9},
    )  # fmt: skip
    assert figures_of(seen) == "41.2 passages/s · 3.1 MB/s · 2:05 left · held back by reading"
    assert figures_of(Progress(0, 9, "x", waiting={"read": 0.5, "embed": 0.5})) == ""
    assert figures_of(Progress(0, 9, "x", counted=False, passages_per_second=3.0)) == "9 found so far · 3.0 passages/s"
    assert (time_of(42), time_of(3_725)) == ("0:42", "1:02:05")
