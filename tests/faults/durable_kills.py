"""A kill or an I/O error at every fsync, rename and unlink, and at some writes: the last commit stands, and a new run finishes.

`make test-faults` runs this; `make test-faults-long` takes every write.
"""

import shutil
import signal
from pathlib import Path

import pytest

from rag.errors import IndexNotFound, IndexTooOld
from rag.index.catalog.index_folder import fingerprint_of
from rag.index.reader.open_index import open_index
from tests.faults.operations import OF_SPACES, OPERATIONS, before
from tests.faults.states import LONG, documents_of, spread, state_of
from tests.faults.tracing import Call, calls_of, need_strace, with_fault

WRITES = 10_000 if LONG else 6  # of each operation
FAILURES = 10_000 if LONG else 4  # of each kind and operation


@pytest.fixture(scope="module", params=OPERATIONS)
def case(request, tmp_path_factory):
    """(operation, folder before it, system calls of a clean run, state after it, documents after each commit)."""
    need_strace()
    place = tmp_path_factory.mktemp(request.param)
    start = before(request.param, place / "before")
    if not start.exists():
        start = None
    after = _again(start, place / "index")
    calls = calls_of(request.param, after, place / "log")
    history = [_documents(start)] if start else []
    clean = _again(start, place / "clean")
    OPERATIONS[request.param](clean, lambda _: history.append(documents_of(clean)))
    return request.param, start, calls, state_of(clean), history


def _again(start: Path | None, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    if start is not None:
        shutil.copytree(start, folder)
    return folder


def _documents(folder: Path):
    try:
        return documents_of(folder)
    except IndexTooOld:
        return "old"


def test_a_segment_is_durable_before_the_commit_that_records_it(case):
    """write → fsync → rename → fsync of the folder → write and sync of the log, in that order, for every segment."""
    operation, _, calls, _, _ = case
    renames = [at for at, call in enumerate(calls) if call.name == "rename" and call.paths[-1].endswith(".faiss")]
    assert (
        len(renames)
        == {"first": 3, "update": 2, "delete": 0, "compact": 1, "migrate": 0, "fill": 2, "drop": 0, "swap": 0}[operation]
    )
    for at in renames:
        temporary, _ = calls[at].paths
        steps = [(call.name, call.paths[0]) for call in calls]
        written = max(i for i in range(at) if steps[i] == ("write", temporary))
        synced = steps.index(("fsync", temporary), written)
        folder = steps.index(("fsync", "segments"), at)
        assert written < synced < at < folder
        log = [i for i in range(at, len(steps)) if steps[i] == ("pwrite64", "catalog.sqlite-wal")]
        assert log and folder < log[0], "the commit was on its way before the segment was lasting"
        assert any(
            steps[i] in (("fdatasync", "catalog.sqlite-wal"), ("fsync", "catalog.sqlite-wal")) for i in range(log[0], len(steps))
        )


def test_a_kill_anywhere_leaves_a_commit_and_a_new_run_ends_as_a_clean_one(case, tmp_path):
    operation, start, calls, expected, history = case
    for call in _points(calls, WRITES, one_of_a_kind=operation in OF_SPACES and not LONG):
        folder = _again(start, tmp_path / "index")
        run = with_fault(operation, folder, call, "signal=SIGKILL")
        assert run.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), (call, run.stderr)
        committed = len(run.stdout.split())
        _holds_a_commit(folder, history, committed, start is not None, call)
        OPERATIONS[operation](folder, lambda _: None)
        assert state_of(folder) == expected, call


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_an_io_error_anywhere_leaves_a_commit_and_is_reported(case, tmp_path, error):
    operation, start, calls, expected, history = case
    names = ("fsync", "fdatasync") if error == "EIO" else ("pwrite64", "write", "ftruncate")
    for name in names:
        chosen = [call for call in calls if call.name == name]
        for at in spread(len(chosen), 1 if operation in OF_SPACES and not LONG else FAILURES):
            folder = _again(start, tmp_path / "index")
            run = with_fault(operation, folder, chosen[at], f"error={error}+")
            if run.returncode and name != "write":  # which includes those to stderr
                assert run.stderr.startswith(("StorageFailed", "IndexFailure", "IndexDamaged")), (chosen[at], run.stderr)
            _holds_a_commit(folder, history, 0, start is not None, chosen[at])
            OPERATIONS[operation](folder, lambda _: None)
            assert state_of(folder) == expected, chosen[at]


def _points(calls: list[Call], writes: int, *, one_of_a_kind: bool) -> list[Call]:
    """Every sync, rename and unlink, and some of the writes; or the last of each kind."""
    if one_of_a_kind:
        kinds = ("fsync", "fdatasync", "rename", "unlink", "write", "pwrite64", "ftruncate")
        return list({call.name: call for call in calls if call.name in kinds}.values())
    points = [call for call in calls if call.name in ("fsync", "fdatasync", "rename", "unlink")]
    written = [call for call in calls if call.name in ("write", "pwrite64", "ftruncate")]
    return points + [written[at] for at in spread(len(written), writes)]


def _holds_a_commit(folder: Path, history: list, committed: int, existed: bool, call: Call) -> None:
    """The folder holds a commit of a clean run, and none older than the last one that was reported."""
    try:
        fingerprint_of(folder)
    except IndexNotFound:
        assert not existed and not committed, call
        return
    except IndexTooOld:
        assert history[0] == "old" and not committed, call
        return
    state_of(folder)
    with open_index(folder) as index:
        if not existed and index.generation == 0:
            assert not committed, call
            return
    assert documents_of(folder) in history[committed - 1 + existed if committed else 0 :], call
