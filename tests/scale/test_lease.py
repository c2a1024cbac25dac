"""The lease of a run: real processes that are killed or stand still, claims of other machines, and many claims at once."""

from __future__ import annotations

import json
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

from rag.errors import IndexLocked
from rag.index.milvus.engine import NEWEST, now
from rag.index.milvus.lease import Lease
from rag.index.milvus.notes import LEASE, Notes
from rag.index.milvus.room import MilvusRoom
from tests.scale.test_contract import texts
from tests.scale.test_samples import RUN
from tests.unit.index_samples import FINGERPRINT, put

HOLDER = """
import sys
from rag.errors import IndexLocked
from rag.index.milvus.room import MilvusRoom
from tests.unit.index_samples import put
with MilvusRoom(sys.argv[1]).writing() as writer:
    put(writer, "a.txt", ["by the one who stood still"])
    print("held", flush=True)
    sys.stdin.readline()
    try:
        writer.commit()
        print("committed", flush=True)
    except IndexLocked as error:
        print(error.what, flush=True)
"""


@pytest.fixture
def room(milvus: MilvusRoom) -> MilvusRoom:
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.commit()
    return milvus


@contextmanager
def holding(room: MilvusRoom, seconds: int) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lease, and commits after a line."""
    environment = {**os.environ, "RAG_MILVUS_LEASE": str(seconds), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-W", "ignore", "-c", HOLDER, room.place]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_run_says_who_writes_and_one_that_was_killed_is_in_nobodys_way(room: MilvusRoom) -> None:
    with holding(room, 600) as holder:
        with pytest.raises(IndexLocked, match=rf"process {holder.pid} on .*lease lasts until \d{{4}}-.* UTC"), room.writing():
            pass
        forgetting = subprocess.run([*RUN, "rm", "docs", "--index", room.place], capture_output=True, text=True, check=False)
        assert forgetting.returncode != 0 and f"process {holder.pid} on" in forgetting.stderr and "wait" in forgetting.stderr
        holder.kill()
        holder.wait()
        with room.writing() as writer:  # at once: the process is known to be gone
            put(writer, "a.txt", ["by another"])
            writer.commit()
    assert texts(room) == ["by another"]


def test_the_lease_of_one_that_stands_still_ends_and_its_commit_is_refused(room: MilvusRoom) -> None:
    with holding(room, 2) as holder:
        holder.send_signal(signal.SIGSTOP)
        ends = time.monotonic() + 60
        while True:
            try:
                with room.writing() as writer:
                    put(writer, "a.txt", ["by another"])
                    writer.commit()
                break
            except IndexLocked:
                assert time.monotonic() < ends
                time.sleep(0.2)
        holder.send_signal(signal.SIGCONT)
        said, _ = holder.communicate("\n")
        assert "another run, which got the lease" in said
    assert texts(room) == ["by another"]


def test_a_lease_that_is_renewed_outlasts_its_time(room: MilvusRoom) -> None:
    with holding(room, 4) as holder:
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            with pytest.raises(IndexLocked), room.writing():
                pass
            time.sleep(0.5)
        assert holder.communicate("\n")[0] == "committed\n"
    assert texts(room) == ["by the one who stood still"]


def test_a_run_of_another_machine_is_waited_for_until_its_time(room: MilvusRoom) -> None:
    notes = Notes(room.engine, room.name)
    claim = {"held": True, "until": now() + 3_600, "process": 7, "host": "elsewhere", "machine": "another"}
    notes.write({(LEASE, "theirs"): json.dumps(claim)})
    with pytest.raises(IndexLocked, match="process 7 on elsewhere"), room.writing():
        pass
    notes.write({(LEASE, "theirs"): json.dumps(claim | {"until": now() - 1})})
    with room.writing():
        assert "theirs" not in notes.of_sorts((LEASE,), NEWEST)[LEASE]


def test_of_many_claims_at_once_never_two_hold(room: MilvusRoom) -> None:
    holders, most, won = 0, 0, 0
    count = threading.Lock()
    begin = threading.Barrier(5)

    def claim() -> None:
        nonlocal holders, most, won
        lease = Lease(Notes(room.engine, room.name), room.place, 60)
        begin.wait()
        try:
            lease.claim()
        except IndexLocked:
            return
        with count:
            holders, won = holders + 1, won + 1
            most = max(most, holders)
        time.sleep(0.1)
        with count:
            holders -= 1
        lease.release()

    threads = [threading.Thread(target=claim) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 1 and won >= 1
    with room.writing():
        pass
