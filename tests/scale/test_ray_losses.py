"""Runs on a Ray cluster that lose a machine, a reader, their own process or the network: the next run completes them.

The model server runs in this process, answers only as many requests as it is allowed, and counts the texts it has answered.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import IndexFailure
from rag.index.milvus.room import MilvusRoom
from tests.faults.durable_model_calls import MODEL, ROOT, Counting, committed, until
from tests.scale.test_ray import held, readers
from tests.scale.wire import wire_to

pytest.importorskip("ray")
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.long
NOTES = 600  # of which one request to the model takes 32 at most
Lose = Callable[[Cluster, object], None]


class Patient(Counting):
    """`allow` drops the requests that wait, which are of runs that were killed; `allow_more` answers them too."""

    def allow_more(self, requests: int) -> None:
        """So many requests more, of the run that asks."""
        with self.turn:
            self.allowed += requests
            self.turn.notify_all()

    def answer_late(self, handler: object, body: object) -> None:
        """Half a second late: there is always something under way."""
        time.sleep(0.5)
        self.answer_in_turn(handler, body)


@pytest.fixture
def server() -> Iterator[Patient]:
    with Patient() as found:
        yield found
        found.allow(100_000)


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Web pages of one passage each: others than plain texts, which are read where the run is."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(NOTES):
        (folder / f"{number:03}.html").write_text(f"<p>This is the note of number {number}, about harbour dues.</p>")
    return folder


class Run:
    """`rag index` in a process of its own; `on` is the place of its readers, "" for here."""

    def __init__(self, corpus: Path, index: Path | str, url: str, on: str = "ray") -> None:
        words = [sys.executable, "-W", "ignore", "-m", "rag.cli", "index", str(corpus), "--index", str(index), "--quiet"]
        words += ["--commit-seconds", "0.2", "--url", url, "--model", MODEL, "--no-lite-first", *(["--on", on] if on else [])]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
        self.process = subprocess.Popen(
            words,
            cwd=corpus.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=kept | {"PYTHONPATH": str(ROOT)},
        )

    def ends(self) -> tuple[int, str]:
        """Its exit status, and what it complained of."""
        _, complaints = self.process.communicate(timeout=300)
        return self.process.returncode, complaints

    def completes(self) -> None:
        """It ends well."""
        status, complaints = self.ends()
        assert status == 0, complaints

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        assert self.process.returncode == -signal.SIGKILL


def is_whole(index: Path, corpus: Path, server: Patient, place: Path) -> bool:
    """Whether the index holds what one that was read here holds; asks the model for everything once more."""
    Run(corpus, place / "here", server.url, on="").completes()
    return held(index) == held(place / "here") != []


def test_a_killed_run_loses_one_commit_and_no_vector_is_made_again(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient
) -> None:
    machines.add_node(num_cpus=1)
    index = tmp_path / "index"
    for _ in range(3):
        sent = server.answered.total()
        server.allow(3)
        run = Run(corpus, index, server.url)
        until(lambda: server.sent == 3, 120)
        until(lambda: committed(index, server, server.answered) == set(server.answered), 120)
        assert sent < server.answered.total() < NOTES
        run.kill()
        until(lambda: not readers())
    server.allow(100_000)
    Run(corpus, index, server.url).completes()
    assert len(server.answered) == NOTES and set(server.answered.values()) == {1}
    server.answered.clear()
    Run(corpus, index, server.url).completes()
    assert not server.answered
    assert is_whole(index, corpus, server, tmp_path)


def lose_machine(machines: Cluster, node: object) -> None:
    machines.remove_node(node, allow_graceful=False)


def lose_reader(machines: Cluster, node: object) -> None:
    os.kill(readers()[0], signal.SIGKILL)


def lose_actor(machines: Cluster, node: object) -> None:
    stat = Path(f"/proc/{readers()[0]}/stat").read_text().rpartition(")")[2].split()
    os.kill(int(stat[1]), signal.SIGKILL)


@pytest.mark.parametrize("lose", [lose_machine, lose_reader, lose_actor])
def test_what_reads_is_lost_in_the_middle_and_the_run_completes(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient, lose: Lose
) -> None:
    node = machines.add_node(num_cpus=1)
    server.allow(2)
    run = Run(corpus, tmp_path / "index", server.url)
    until(lambda: server.sent == 2 and len(readers()) == 2, 120)
    lose(machines, node)
    server.allow_more(100_000)
    run.completes()
    assert len(server.answered) == NOTES and set(server.answered.values()) == {1}
    assert is_whole(tmp_path / "index", corpus, server, tmp_path)


def test_a_cluster_that_is_gone_ends_the_run_and_what_was_committed_is_not_made_again(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient
) -> None:
    """Ray itself ends the process, a minute after it lost the cluster's head."""
    index = tmp_path / "index"
    server.allow(3)
    run = Run(corpus, index, server.url)
    until(lambda: server.sent == 3, 120)
    until(lambda: committed(index, server, server.answered) == set(server.answered), 120)
    made = set(server.answered)
    machines.shutdown()
    status, complaints = run.ends()
    assert status != 0 and complaints, "it says nothing"
    server.allow(100_000)
    Run(corpus, index, server.url, on="").completes()
    assert len(server.answered) == NOTES and {server.answered[text] for text in made} == {1}
    assert is_whole(index, corpus, server, tmp_path)


def test_ctrl_c_commits_what_was_made_and_the_next_run_goes_on(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient
) -> None:
    index = tmp_path / "index"
    server.allow(3)
    run = Run(corpus, index, server.url)
    until(lambda: server.sent == 3, 120)
    run.process.send_signal(signal.SIGINT)
    server.allow_more(100_000)  # it waits for the calls that are under way
    status, complaints = run.ends()
    assert (status, "what was read is committed" in complaints) == (130, True), complaints
    until(lambda: not readers())
    assert committed(index, server, server.answered) == set(server.answered)
    Run(corpus, index, server.url).completes()
    assert len(server.answered) == NOTES and set(server.answered.values()) == {1}
    assert is_whole(index, corpus, server, tmp_path)


def test_a_network_that_comes_and_goes_before_the_model_costs_no_document(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient
) -> None:
    index = tmp_path / "index"
    with wire_to("127.0.0.1", int(server.url.rpartition(":")[2])) as wire:
        server.allow(100_000)
        server.always = server.answer_late
        run = Run(corpus, index, f"http://127.0.0.1:{wire.port}")
        for texts in (1, 100, 200, 300):
            until(lambda texts=texts: server.answered.total() >= texts or run.process.poll() is not None, 120)
            wire.cut()
            time.sleep(0.5)
            wire.join()
        run.completes()
        assert len(server.answered) == NOTES
        again = server.answered.total() - NOTES
        assert again <= wire.cuts * 10 * 32, "more was made again than was under way when the line was cut"
    assert is_whole(index, corpus, server, tmp_path)


def test_a_network_that_stays_away_ends_the_run_with_a_reason_and_the_next_one_goes_on(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient
) -> None:
    index = tmp_path / "index"
    with wire_to("127.0.0.1", int(server.url.rpartition(":")[2])) as wire:
        server.allow(3)
        run = Run(corpus, index, f"http://127.0.0.1:{wire.port}")
        until(lambda: server.sent == 3, 120)
        until(lambda: committed(index, server, server.answered) == set(server.answered), 120)
        wire.cut()
        status, complaints = run.ends()
        assert status == 3 and f"http://127.0.0.1:{wire.port}" in complaints and "attempts in" in complaints, complaints
        made = set(server.answered)
        assert committed(index, server, made) == made
        wire.join()
        server.allow(100_000)
        Run(corpus, index, f"http://127.0.0.1:{wire.port}").completes()
    assert len(server.answered) == NOTES and {server.answered[text] for text in made} == {1}
    assert is_whole(index, corpus, server, tmp_path)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[int]:
    """The port of Milvus' own core, which listens there as a server does."""
    from milvus_lite.server import Server

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Server(str(tmp_path / "core.db"), f"127.0.0.1:{port}")
    assert made.init() and made.start()
    until(lambda: _listens(port))
    yield port
    made._p.kill()  # it ends by itself only where it listens on a file
    made.stop()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def test_a_network_that_comes_and_goes_before_milvus_costs_no_document_and_no_call(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient, core: int
) -> None:
    server.allow(100_000)
    server.always = server.answer_late
    with wire_to("127.0.0.1", core) as wire:
        run = Run(corpus, f"milvus://127.0.0.1:{wire.port}/team", server.url)
        for texts in (1, 100, 200, 300):
            until(lambda texts=texts: server.answered.total() >= texts or run.process.poll() is not None, 120)
            wire.cut()
            time.sleep(0.5)
            wire.join()
        run.completes()
    assert len(server.answered) == NOTES and set(server.answered.values()) == {1}
    room = MilvusRoom(f"milvus://127.0.0.1:{core}/team")
    assert list(room.check(read_data=True)) == []
    assert documents_in(room) == NOTES


def test_milvus_that_stays_away_ends_the_run_with_a_reason_and_the_next_one_makes_no_committed_call(
    machines: Cluster, corpus: Path, tmp_path: Path, server: Patient, core: int
) -> None:
    room = MilvusRoom(f"milvus://127.0.0.1:{core}/team")
    with wire_to("127.0.0.1", core) as wire:
        server.allow(4)
        run = Run(corpus, f"milvus://127.0.0.1:{wire.port}/team", server.url)
        until(lambda: server.sent == 4, 120)
        until(lambda: documents_in(room) > 0, 120)
        wire.cut()
        server.allow_more(2)
        status, complaints = run.ends()
        assert status == 4 and f"milvus://127.0.0.1:{wire.port}/team" in complaints, complaints
        stand, made = documents_in(room), server.answered.total()
        wire.join()
        server.allow(100_000)
        Run(corpus, f"milvus://127.0.0.1:{wire.port}/team", server.url).completes()
    assert len(server.answered) == NOTES
    assert server.answered.total() - NOTES <= made - stand
    assert list(room.check(read_data=True)) == []
    assert documents_in(room) == NOTES


def documents_in(room: MilvusRoom) -> int:
    """How many documents an index holds; 0 while it is being made."""
    try:
        with closing(room.open("auto")) as opened, opened.snapshot() as moment:
            return int(moment.status().documents)
    except IndexFailure:
        return 0
