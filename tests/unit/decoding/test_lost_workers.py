"""Readers that are lost with their machine: real processes that are killed, and said to be lost as those of a cluster are."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rag.decoding.cost_limits import CostLimits
from rag.decoding.event_queue import EventQueue
from rag.decoding.messages import Done, Failed, PassageRead, ReadAll, Restarted
from rag.decoding.pool import Pool, WorkerAnswer
from rag.decoding.worker_process import Lost, NotStarted, WorkerProcess
from rag.decoding.workers import LocalWorkers, Worker
from tests.unit.decoding.test_pool import RULES, answers, document


class Leaving(WorkerProcess):
    """Is gone when its answer is waited for."""

    def hear(self, limits: CostLimits) -> Any:
        self.strike()
        raise Lost("the machine that read it is gone")


class Machines(LocalWorkers):
    """The first so many processes are on machines that leave; where the last one left, no other comes until the pool ends."""

    def __init__(self, leaving: int, *, replaced: bool) -> None:
        self.leaving, self.replaced = leaving, replaced
        self.taken = 0
        self.closed = threading.Event()

    def take(self, memory: int) -> Worker:
        self.taken += 1
        if self.taken <= self.leaving:
            return Leaving(memory)
        if not self.replaced and self.taken > self.leaving + 1:
            self.closed.wait(60)
            raise NotStarted("no core of the cluster was free")
        return WorkerProcess(memory)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_another_reader_takes_what_a_lost_one_had_although_no_new_one_can_be_started(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(2, events, lambda _: None, workers=Machines(1, replaced=False))
    try:
        for ticket in (1, 2):
            pool.submit(ticket, ReadAll(document(picture), RULES, "picture"))
        found = [*answers(events), *answers(events)]
    finally:
        pool.close()
    kinds = [type(one) for one in found]
    assert (kinds.count(Restarted), kinds.count(PassageRead), kinds.count(Done), len(kinds)) == (1, 2, 2, 5)


@pytest.mark.parametrize(("lost", "ends"), [(2, Done(True)), (3, Failed("the machine that read it is gone", passing=True))])
def test_a_document_that_loses_three_machines_is_left_to_the_next_run_and_not_quarantined(
    picture: Path, lost: int, ends: object
) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, workers=Machines(lost, replaced=True))
    try:
        pool.submit(1, ReadAll(document(picture), RULES, "picture"))
        found = answers(events, type(ends))
    finally:
        pool.close()
    assert (found[:2], found[-1]) == ([Restarted(), Restarted()], ends)
