"""What counts as a cost: processor time and waiting for nothing; not being stopped, niced, crowded out or before a slow disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.decoding import idle_workers
from rag.decoding.cost_limits import CostLimits
from rag.decoding.messages import Done, PassageRead, ReadAll, Rules
from rag.decoding.worker_process import Died, WorkerProcess
from rag.loaders.base import Limits
from rag.types import Document, DocumentId

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="costs are read from /proc")
IMPATIENT = CostLimits(processor=20.0, waiting=1.0, starved=120.0)


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    started = WorkerProcess(1_000_000_000)
    yield started
    started.end()


def ask(process: WorkerProcess, plugin: str) -> None:
    rules = Rules(Limits(), "never", captions=False, key="k")
    process.tell(ReadAll(Document(DocumentId("r", "a"), Path("a")), rules, f"tests.unit.bad_loaders:{plugin}"), 30)


def hear_all(process: WorkerProcess, limits: CostLimits) -> list[type]:
    kinds = [type(process.hear(limits))]
    while kinds[-1] is not Done:
        kinds.append(type(process.hear(limits)))
    return kinds


@contextmanager
def load(count: int) -> Iterator[None]:
    """So many other programs that want all of the processor."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def test_a_reader_that_is_stopped_for_a_while_goes_on(process: WorkerProcess) -> None:
    ask(process, "Burn")
    os.kill(process._process.pid, signal.SIGSTOP)
    threading.Timer(3.0, os.kill, (process._process.pid, signal.SIGCONT)).start()  # three times `waiting`
    assert hear_all(process, IMPATIENT) == [PassageRead, Done]


@pytest.mark.parametrize(("programs", "nice"), [(20, 0), (2, 10)])
def test_a_reader_on_a_busy_machine_goes_on(process: WorkerProcess, programs: int, nice: int) -> None:
    """It gets a tenth of a processor, or less: 0.3 s of computing take many times as long."""
    os.setpriority(os.PRIO_PROCESS, process._process.pid, nice)
    with load(programs):
        ask(process, "Burn")
        began = time.monotonic()
        assert hear_all(process, IMPATIENT) == [PassageRead, Done]
    assert time.monotonic() - began > IMPATIENT.waiting


def test_a_reader_before_a_slow_disk_goes_on(process: WorkerProcess) -> None:
    ask(process, "Drip")
    assert hear_all(process, IMPATIENT) == [PassageRead, Done]


@pytest.mark.parametrize(
    ("plugin", "limits", "cause"),
    [
        ("Burn", CostLimits(0.1, 60, 60), "processor"),
        ("Hang", CostLimits(60, 1, 60), "waiting"),
        ("Deaf", CostLimits(60, 1, 60), "waiting"),
    ],
)
def test_a_reader_that_costs_too_much_is_given_up(process: WorkerProcess, plugin: str, limits: CostLimits, cause: str) -> None:
    ask(process, plugin)
    with pytest.raises(Died) as died:
        hear_all(process, limits)
    assert died.value.cause == cause


def test_a_reader_that_stays_stopped_is_given_up_at_last(process: WorkerProcess) -> None:
    ask(process, "Burn")
    os.kill(process._process.pid, signal.SIGSTOP)
    with pytest.raises(Died, match="was stopped, or this machine was too busy") as died:
        hear_all(process, CostLimits(60, 60, 1.5))
    assert died.value.cause == "starved"
    assert not idle_workers._spares or process not in [one for one, _ in idle_workers._spares]
