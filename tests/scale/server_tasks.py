"""What tests of the real server do in processes of their own: `python -m tests.scale.server_tasks TASK ADDRESS …`.

Each says in lines of JSON what it does, and does the next thing when a line comes. Knows the room; asserts nothing.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rag.index.milvus.writer as writing
from rag.cli import main as run_command
from rag.errors import IndexLocked, MovedOn
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import read_facts
from rag.index.milvus.notes import Notes
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import DOCUMENTS
from rag.index.room import Moment
from tests.scale.old_server import play
from tests.unit.index_samples import put, unit_rows

TOP = Path(__file__).parents[2]


class Task:
    """One such process, seen from the test."""

    def __init__(self, name: str, *arguments: str) -> None:
        words = [sys.executable, "-W", "ignore", "-m", "tests.scale.server_tasks", name, *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, cwd=TOP, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def said(self) -> Any:
        """The next thing it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process ended: {self.process.communicate()[1]}")
        return json.loads(line)

    def asked(self, line: str = "") -> Any:
        """What it says to a line."""
        self.tell(line)
        return self.said()

    def tell(self, line: str = "") -> None:
        """Sends a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def all_said(self) -> Iterator[Any]:
        """All that it says until it ends."""
        assert self.process.stdout is not None
        return map(json.loads, self.process.stdout)


@contextmanager
def doing(name: str, *arguments: str) -> Iterator[Task]:
    """A process for the time of a block; it is killed then."""
    task = Task(name, *arguments)
    try:
        yield task
    finally:
        task.process.kill()
        task.process.communicate()


def found_in(moment: Moment) -> dict[str, list[str]]:
    """The texts that a moment finds, by document."""
    found: dict[str, list[str]] = {}
    numbers = [number for number, _ in moment.nearest_by_kind(unit_rows(1, 0, moment.fingerprint.dim), 1_000, 0)[0]]
    for one in moment.passages(numbers):
        found.setdefault(one.passage.document.path, []).append(one.passage.text)
    return {path: sorted(texts) for path, texts in found.items()}


def writer_without_lease(room: MilvusRoom) -> writing.MilvusWriter:
    """As of a machine that was cut off, and writes although another has the lease."""
    facts = read_facts(Notes(room.engine, room.name), room.place, NEWEST)
    assert facts is not None
    return writing.MilvusWriter(room.engine, room.name, facts, lambda: None)


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


def read(address: str) -> None:
    """`first` opens the index, `again` takes a further moment of it, `look` one that sees all. What is found is said; nothing
    where it is replaced before it is read."""
    opened = None
    for line in sys.stdin:
        if opened is None or line == "first\n":
            opened = MilvusRoom(address).open("auto")
        if line == "look\n":
            opened.look_again()
        try:
            with opened.snapshot() as moment:
                say(found_in(moment))
        except MovedOn:
            say({})


def write(address: str, who: str, documents: str) -> None:
    """At each line replaces some documents, without the lease and with random delays before every request of a commit."""
    room = MilvusRoom(address)
    for name in ("get", "upsert", "delete"):
        setattr(room.engine, name, _delayed(room.engine, name))
    say("ready")
    for line in sys.stdin:
        writer = writer_without_lease(room)
        for number in range(int(documents)):
            put(writer, f"{number}.txt", whole(who, line.strip()), stamp=f"{who} {line.strip()}")
        writer.commit()
        say("done")


def whole(who: str, at: str) -> list[str]:
    """The passages that a writer gives a document in a round: another number for each of two writers."""
    return [f"{who} {at} {each}" for each in range(int(who) + 1)]


def _delayed(engine: Engine, name: str) -> Callable[..., Any]:
    real = getattr(engine, name)

    def later(*given: Any, **more: Any) -> Any:
        time.sleep(random.choice((0.0, 0.0, 0.02, 0.1, 0.4)) * random.random())
        return real(*given, **more)

    return later


def hold(address: str) -> None:
    """Takes the lease and keeps it until a line comes, or says who has it."""
    try:
        with MilvusRoom(address).writing():
            say("held")
            sys.stdin.readline()
        say("released")
    except IndexLocked as error:
        say(error.what)


def index(address: str, corpus: str) -> None:
    """`rag index`, which says what the model is asked for, and what commits have written.

    Waits for a line before it writes the rows of passages, and before those of documents.
    """
    names: list[str] = []

    def ask(writer: Any, keys: Any, vectors: Any) -> Any:
        say({"asked": [key.hex() for key in keys]})
        time.sleep(0.02 * len(keys))
        return put_vectors(writer, keys, vectors)

    def write_rows(engine: Engine, index: str, changes: Any, seen: Any) -> None:
        say({"writes": "passages"})
        sys.stdin.readline()
        commit_changes(engine, index, changes, seen)
        names[:] = [row["path"] for row in changes.documents]

    def name(engine: Engine, collection: str, rows: Any) -> None:
        if collection.endswith(DOCUMENTS):
            say({"writes": "documents"})
            sys.stdin.readline()
        upsert(engine, collection, rows)

    def commit(writer: Any) -> int:
        names.clear()
        generation = int(real_commit(writer))
        say({"committed": list(names)})
        return generation

    put_vectors, real_commit = writing.MilvusWriter.put_vectors, writing.MilvusWriter.commit
    commit_changes, upsert = writing.commit_changes, Engine.upsert
    writing.MilvusWriter.put_vectors, writing.MilvusWriter.commit = ask, commit  # type: ignore[method-assign, assignment]
    writing.commit_changes, Engine.upsert = write_rows, name  # type: ignore[method-assign, assignment]
    sys.argv = ["rag", "index", corpus, "--index", address, "--commit-seconds", "0.3", "--jobs", "0", "-q", "--format", "jsonl"]
    run_command()


TASKS: dict[str, Callable[..., None]] = {"read": read, "write": write, "hold": hold, "index": index}

if __name__ == "__main__":
    play()
    TASKS[sys.argv[1]](*sys.argv[2:])
