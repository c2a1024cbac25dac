"""What is told of a run while it goes: nothing of the stages before something was measured."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rag.cli.progress import figures_of
from rag.indexing.monitor import ProgressMonitor
from rag.indexing.report import Progress
from rag.indexing.tally import RunTally


def test_nobody_is_said_to_hold_others_back_before_anything_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    told: list[Progress] = []
    stage = SimpleNamespace(waits=lambda: 0.75, waiting=0, readers=lambda: {"": 2})
    events = SimpleNamespace(waits=lambda: 0.05)
    tally = RunTally()
    monitor = ProgressMonitor(told.append, stage, stage, events, lambda: 0, tally, started=now[0])  # type: ignore[arg-type]
    monitor.update("a")
    now[0] += 10.0
    monitor.update("b")  # the readers work, the model was shown nothing
    tally.count_embedded(10, 1_000)
    monitor.update("c")
    assert [seen.waiting for seen in told] == [{}, {}, {"read": 0.75, "embed": 0.75, "write": 0.05}]
    assert ["held back" in figures_of(seen) for seen in told] == [False, False, True]
    assert figures_of(told[-1]).endswith("held back by writing")
