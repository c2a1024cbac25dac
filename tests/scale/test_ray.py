"""Files read on a Ray cluster: the same index as here, through lost machines, a killed run and refusals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from rag.decoding.event_queue import EventQueue
from rag.decoding.messages import Failed, PassageRead, ReadAll, Restarted
from rag.decoding.pool import Pool, WorkerAnswer
from rag.decoding.ray_workers import cluster
from rag.errors import BackendError
from tests.unit.decoding.test_pool import RULES, answers, document

ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402

SAMPLES = Path(__file__).parents[2] / "samples/corpus"


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A cluster of two machines of two cores each, all of it here; `--on ray` finds it by its address."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    made.add_node(num_cpus=2)
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()


def indexed(corpus: Path, index: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "rag.cli", "index", str(corpus), "--index", str(index), "--ocr", "never", *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=500, check=False)


def held(index: Path) -> list[tuple[object, ...]]:
    """All that an index holds of its passages, and the keys of their vectors."""
    with apsw.Connection(str(index / "catalog.sqlite")) as catalog:
        return list(
            catalog.execute(
                "SELECT d.path, t.ordinal, t.locator, t.text, t.caption, v.key"
                " FROM texts t JOIN passages p ON p.number = t.passage"
                " JOIN documents d ON d.number = p.document JOIN vectors v ON v.number = p.vector"
                " WHERE p.ended IS NULL ORDER BY 1, 2"
            )
        )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Texts, PDFs, pictures and mails of the samples."""
    folder = tmp_path / "corpus"
    for name in ("reports", "photos", "mail", "notes"):
        (folder / name).mkdir(parents=True)
        for file in sorted((SAMPLES / name).iterdir())[:8]:
            if file.is_file():
                (folder / name / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.long
def test_the_same_index_as_here(machines: Cluster, corpus: Path, tmp_path: Path) -> None:
    here, there = indexed(corpus, tmp_path / "here"), indexed(corpus, tmp_path / "there", "--on", "ray")
    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    assert held(tmp_path / "there") == held(tmp_path / "here") != []
    again = indexed(corpus, tmp_path / "there", "--on", "ray")
    assert "20 unchanged" in again.stdout


@pytest.mark.long
def test_the_figures_of_a_run_are_those_of_all_readers(machines: Cluster, corpus: Path, tmp_path: Path) -> None:
    done = indexed(corpus, tmp_path / "there", "--on", "ray", "--jobs", "3", "--format", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = [line for line in lines if line["event"] == "progress"]
    assert told and (told[-1]["done"], told[-1]["total"]) == (20, 20)
    assert max(one["documents_per_second"] for one in told) > 0
    assert {machine for one in told for machine in one["readers"]} == {socket.gethostname()}
    assert 1 <= max(sum(one["readers"].values()) for one in told) <= 3


@pytest.mark.long
def test_a_lost_machine_costs_no_document(machines: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("words")
    lost = machines.add_node(num_cpus=2, resources={"late": 1})
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    with cluster("ray") as workers:
        assert workers.count == 6
        pool = Pool(workers.count, events, lambda _: None, workers=workers)
        try:
            for ticket in range(24):
                pool.submit(ticket, ReadAll(document(file), RULES, "tests.scale.slow_loader:Slow"))
            ended: dict[int, object] = {}
            restarted = 0
            while len(ended) < 24:
                if len(ended) == 7 and lost:  # every reader has read one, and reads another
                    machines.remove_node(lost, allow_graceful=False)
                    lost = None
                came = events.get(answers=True, seconds=120)
                assert isinstance(came, WorkerAnswer), "nothing came"
                restarted += isinstance(came.answer, Restarted)
                assert not isinstance(came.answer, Failed), came.answer
                if not isinstance(came.answer, Restarted | PassageRead):
                    ended[came.ticket] = came.answer
        finally:
            pool.close()
    assert restarted > 0


@pytest.mark.long
def test_a_killed_run_leaves_no_reader_behind_and_the_next_one_goes_on(machines: Cluster, corpus: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "rag.cli", "index", str(corpus), "--index", str(tmp_path / "there"), "--ocr", "never"]
    running = subprocess.Popen(
        [*words, "--on", "ray", "--commit-seconds", "0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 200
    while time.monotonic() < end and not readers():
        time.sleep(0.2)
    assert readers()
    running.send_signal(signal.SIGKILL)
    running.wait()
    end = time.monotonic() + 60
    while time.monotonic() < end and readers():
        time.sleep(0.2)
    assert not readers()
    done = indexed(corpus, tmp_path / "there", "--on", "ray")
    assert done.returncode == 0, done.stderr
    indexed(corpus, tmp_path / "here")
    assert held(tmp_path / "there") == held(tmp_path / "here") != []


def readers() -> list[int]:
    """The reader processes below the actors of a cluster on this machine."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"rag.decoding.worker" in (entry / "cmdline").read_bytes():
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if b"ray::" in Path(f"/proc/{parent}/cmdline").read_bytes():
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.long
def test_a_loader_that_dies_there_is_tried_twice_and_takes_nothing_with_it(machines: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("words")
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    with cluster("ray") as workers:
        pool = Pool(1, events, lambda _: None, workers=workers)
        try:
            pool.submit(1, ReadAll(document(file), RULES, "tests.unit.bad_loaders:Segfault"))
            found = answers(events, Failed)
        finally:
            pool.close()
    assert found == [Restarted(), Failed("its reader crashed (SIGSEGV)", killed=True)]


def test_no_cluster_is_said_plainly(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    for place, named in (("ray", "127.0.0.1:1"), ("ray://127.0.0.1:2", "ray://127.0.0.1:2")):
        with pytest.raises(BackendError, match=f"no Ray cluster answers at {named}: .*Connection refused"), cluster(place):
            pass
    with pytest.raises(BackendError, match="is no place"), cluster("moon"):
        pass
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
