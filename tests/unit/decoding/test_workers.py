"""Where reader processes come from: the others go on where one cannot be had, and what a cluster's reader says of itself."""

from __future__ import annotations

import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rag.decoding.cost_limits import CostLimits
from rag.decoding.event_queue import EventQueue
from rag.decoding.messages import Answer, Done, Failed, Job, ListPassages, PassageRead, ReadAll, Rejected
from rag.decoding.pool import Pool, WorkerAnswer
from rag.decoding.ray_reader import Reader, code_version
from rag.decoding.worker_process import NotStarted
from rag.decoding.workers import LocalWorkers, Worker, workers_on
from rag.errors import MissingExtra
from tests.unit.decoding.test_pool import RULES, document

LIMITS = CostLimits(60.0, 60.0, 60.0)
MEMORY = 1_000_000_000


class FewWorkers(LocalWorkers):
    """Has one process, and no other."""

    def __init__(self, count: int) -> None:
        self.left, self._lock = count, threading.Lock()

    def take(self, memory: int) -> Worker:
        with self._lock:
            self.left -= 1
            if self.left < 0:
                raise NotStarted("no core is free")
        return super().take(memory)


def ended(events: EventQueue[WorkerAnswer, object, object], count: int) -> list[WorkerAnswer]:
    found: list[WorkerAnswer] = []
    while len(found) < count:
        came = events.get(answers=True, seconds=60)
        assert isinstance(came, WorkerAnswer)
        if not isinstance(came.answer, PassageRead):
            found.append(came)
    return found


def heard(reader: Reader, job: Job) -> list[Answer]:
    """All answers to a job, which come together or, where time passes between them, one after the other."""
    said = reader.talk((job, 10.0), LIMITS)
    found = list(said.answers)
    while not isinstance(found[-1], Done | Failed):
        assert (said.died, said.worn) == (None, False)
        said = reader.talk(None, LIMITS)
        found += said.answers
    return found


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "a.txt"
    file.write_text("some words")
    return file


def test_readers_that_cannot_be_had_leave_their_work_to_the_others(text: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(3, events, lambda _: None, workers=FewWorkers(1))
    try:
        for ticket in range(6):
            pool.submit(ticket, ListPassages(document(text), RULES, "text"))
        found = ended(events, 6)
    finally:
        pool.close()
    assert sorted(one.ticket for one in found) == list(range(6))
    assert {type(one.answer) for one in found} == {Done}


def test_without_any_reader_the_run_ends_with_the_reason(text: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(3, events, lambda _: None, workers=FewWorkers(0))
    try:
        for ticket in range(6):
            pool.submit(ticket, ListPassages(document(text), RULES, "text"))
        [refused] = ended(events, 1)
    finally:
        pool.close()
    reason = "no process can be started to read files in: no core is free"
    assert refused == WorkerAnswer(-1, Rejected(reason, "read them in this one: --jobs 0"))


def test_a_reader_of_a_cluster_answers_in_one_call_and_says_what_its_machine_lacks(text: Path) -> None:
    reader = Reader(MEMORY)
    started = reader.start(code_version())
    assert (started.refused, started.machine) == ("", socket.gethostname())
    assert [type(one) for one in heard(reader, ListPassages(document(text), RULES, "text"))] == [PassageRead, Done]
    elsewhere = replace(document(text), file=Path("/not/mounted/a.txt"))
    [answer] = heard(reader, ListPassages(elsewhere, RULES, "text"))
    assert isinstance(answer, Failed) and answer.passing
    assert answer.reason.endswith("has no /not/mounted/a.txt: mount the folder there at the same path")
    died = reader.talk((ReadAll(document(text), RULES, "tests.unit.bad_loaders:Exit"), 10.0), LIMITS)
    assert (died.answers, died.died, died.worn) == ([], ("its reader ended with 7", None), True)


def test_a_machine_with_other_code_is_refused() -> None:
    started = Reader(MEMORY).start("0.0.1 []")
    assert started.refused == f"{started.machine} has another version of this program: install the same one on every machine"
    assert started.missing == ()


def test_without_ray_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match="Ray is not installed") as raised, workers_on("ray"):
        pass
    assert "'.[ray]'" in raised.value.remedy
