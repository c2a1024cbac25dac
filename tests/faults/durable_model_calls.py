"""Runs of the command are killed while a model server answers: no committed vector is requested from the model again.

The server runs in this process, beside the command, and counts the texts it has answered over all runs.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexNotFound
from rag.index.catalog import connection as catalog
from rag.index.catalog.index_folder import read_fingerprint
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.vectors.segments import read_segments
from rag.index.vectors.verified_rows import open_rows
from tests.faults.fake_server import FakeServer
from tests.faults.fake_server import reply as answer
from tests.faults.states import LONG

ROOT = Path(__file__).parents[2]
MODEL = "counting"
KILLS = 100 if LONG else 12


class Counting(FakeServer):
    """Answers as many requests of a run as allowed, the others wait; counts each text once its answer was sent."""

    def __init__(self):
        super().__init__(MODEL, dim=64)
        self.answered: Counter[str] = Counter()
        self.allowed = self.sent = self.run = 0
        self.turn = threading.Condition()
        self.always = self.answer_in_turn

    def allow(self, requests):
        with self.turn:
            self.allowed, self.sent, self.run = requests, 0, self.run + 1
            self.turn.notify_all()

    def answer_in_turn(self, handler, body):
        texts = [text for text in body.get("input", []) if "the note" in text]
        with self.turn:
            run = self.run
            self.turn.wait_for(lambda: not texts or self.allowed > 0 or self.run != run)
            if self.run != run:  # the client was killed
                return
            self.allowed -= bool(texts)
        try:
            answer(handler, self.right(handler.path, body))
        except OSError:  # the command was killed while this waited
            return
        with self.turn:
            self.answered.update(texts)
            self.sent += bool(texts)


@pytest.fixture
def server():
    with Counting() as found:
        yield found
        found.allow(10_000)


@pytest.fixture
def corpus(tmp_path):
    """Notes of one passage each, and one document with more passages than fit in one request."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03}.txt").write_text(f"This is the note of number {number}, about harbour dues.\n")
    parts = (f"# Part {part}\n\n{f'the note of part {part} goes on ' * 30}" for part in range(150))
    (folder / "long.md").write_text("\n\n".join(parts))
    return folder


def test_answers_are_committed_while_the_run_goes_on_and_never_requested_again(corpus, tmp_path, server):
    """After some answers the server stops answering: those vectors are committed, also of incomplete documents."""
    index = tmp_path / "index"
    for _ in range(4):
        before = server.answered.total()
        server.allow(2)
        run = command(corpus, index, server)
        until(lambda run=run: server.sent == 2 or run.poll() is not None)
        until(lambda: committed(index, server, server.answered) == set(server.answered))
        assert server.answered.total() > before, "the run asked for nothing"
        kill(run)
    server.allow(10_000)
    finish(corpus, index, server)
    assert set(server.answered.values()) == {1}
    assert committed(index, server, server.answered) == set(server.answered)
    assert check_structure(index) == [] and check_bytes(index) == []


def test_a_kill_at_any_moment_repeats_no_call_whose_vectors_were_committed(corpus, tmp_path, server):
    index, chance = tmp_path / "index", random.Random(11)
    repeated = 0
    for _ in range(KILLS):
        requests = chance.randrange(1, 4)
        server.allow(requests)
        held, before = committed(index, server, server.answered), server.answered.copy()
        run = command(corpus, index, server)
        until(lambda run=run, requests=requests: server.sent == requests or run.poll() is not None)
        time.sleep(chance.uniform(0, 0.4))
        kill(run)
        asked = server.answered - before
        assert not held & set(asked), "a committed vector was made again"
        repeated += (asked & before).total()
    server.allow(10_000)
    held, before = committed(index, server, server.answered), server.answered.copy()
    finish(corpus, index, server)
    assert not held & set(server.answered - before)
    assert committed(index, server, server.answered) == set(server.answered)
    print(f"{KILLS} kills, {len(server.answered)} texts, {repeated} answered again because the kill came before their commit")


def command(corpus: Path, index: Path, server: FakeServer) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "rag.cli", "index", str(corpus), "--index", str(index), "--quiet", "--commit-seconds", "0.2"]
    words += ["--url", server.url, "--model", MODEL]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")} | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, cwd=corpus.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(corpus: Path, index: Path, server: FakeServer) -> None:
    run = command(corpus, index, server)
    _, complaints = run.communicate(timeout=120)
    assert run.returncode == 0, complaints


def kill(run: subprocess.Popen[str]) -> None:
    run.send_signal(signal.SIGKILL)
    _, complaints = run.communicate()
    assert run.returncode in (-signal.SIGKILL, 0), complaints


def until(holds, seconds: float = 60) -> None:
    """Waits until a condition holds; a minute is not a speed limit but a sign that it never will."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def committed(index: Path, server: FakeServer, texts) -> set[str]:
    """The texts whose vectors are in a live segment."""
    try:
        with closing(catalog.open_to_read(index)) as connection, connection:
            dim = read_fingerprint(index, connection).dim
            segments = read_segments(connection, catalog.generation_of(connection))
            rows = [np.asarray(open_rows(index, connection, each, dim).all(), np.float32) for each in segments]
    except IndexNotFound:
        return set()
    made = np.concatenate([np.zeros((1, dim), np.float32), *rows])
    return {text for text in texts if (made @ server.vector(text, dim)).max() > 0.999}
