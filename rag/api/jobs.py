"""Indexing jobs: `rag index` as child processes, started, followed line by line, and stopped like Ctrl-C.

Knows processes, the lines of `rag index --format jsonl` and runs of other processes; knows no HTTP and no index.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rag.child_process import signal_group
from rag.errors import DOCUMENTS_SKIPPED, FOUND, RagError, WrongRequest
from rag.indexing.live_run import live_run
from rag.location import Location

if TYPE_CHECKING:
    from rag.index.room import Place

State = Literal["running", "done", "stopped", "failed"]

MOST_FINISHED = 32  # jobs that are remembered
LAST_LINES = 12  # of a job's stderr that are kept
GRACE_SECONDS = 20.0  # for a stopped job to commit before it is killed
INTERRUPTED = 130  # exit code of Ctrl-C
_FIGURES = ("passages", "documents_per_second", "passages_per_second", "megabytes_per_second", "tokens_per_second")


class JobRuns(RagError):
    """The index cannot get another job now: one is running, or the server is shutting down."""


class NoSuchJob(WrongRequest):
    """The server has no job with this id; it forgets old ones."""

    def __init__(self, id: str) -> None:
        super().__init__(
            f"no job of this process has the id {id}",
            remedy="POST /v1/index starts a job and returns its id; behind a balancer, ask the process that started it",
        )


@dataclass(slots=True, eq=False)
class Job:
    """What is known of a job. `changes` grows with every update."""

    id: str
    index: str
    root: str | None
    process: subprocess.Popen[str]
    started: float  # monotonic seconds
    state: State = "running"
    stopping: bool = False
    progress: Mapping[str, Any] = field(default_factory=dict)  # the last progress line
    report: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None
    ended: float | None = None
    changes: int = 0
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))  # of stderr


class Jobs:
    """The jobs of this server, at most one at a time for each index. Safe to share between threads."""

    def __init__(self, ended: Callable[[str], None] = lambda _: None) -> None:
        """`ended` is told the index of every job that ended."""
        self._ended = ended
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._closed = False

    def start(self, index: str, place: Place, root: str | None, roots: Sequence[Location]) -> Job:
        """Starts a job that brings `roots` of the index at `place` up to date, or all its roots if none is given. JobRuns."""
        command = [sys.executable, "-P", "-m", "rag.cli", "index", *map(str, roots), "--index", str(place), "--format", "jsonl"]
        environment = {name: value for name, value in os.environ.items() if name != "RAG_TOKEN"}
        with self._lock:
            running = next((job for job in self._jobs.values() if job.index == index and job.state == "running"), None)
            if running is not None:
                raise JobRuns(f"{index} is being indexed by job {running.id}", remedy="wait until it ends, or stop it")
            if self._closed:
                raise JobRuns(
                    f"{index} gets no new job: the server is shutting down", remedy="start the server again, or: rag index"
                )
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C in the terminal reaches only this server, which stops the job in order
            )
            job = Job(secrets.token_hex(8), index, root, process, time.monotonic())
            self._jobs[job.id] = job
            self._forget_old()
        threading.Thread(target=_follow, args=(job, self._ended), name="rag-job", daemon=True).start()
        return job

    def get(self, id: str) -> Job:
        """The job with that id. NoSuchJob."""
        with self._lock:
            if id not in self._jobs:
                raise NoSuchJob(id)
            return self._jobs[id]

    def of(self, index: str) -> Job | None:
        """The newest job of an index."""
        with self._lock:
            return next((job for job in reversed(self._jobs.values()) if job.index == index), None)

    def all(self) -> list[Job]:
        """All remembered jobs, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def stop(self, id: str) -> Job:
        """Sends Ctrl-C to the job: finished work is committed, and the next job continues from there. NoSuchJob."""
        job = self.get(id)
        with self._lock:
            first = job.state == "running" and not job.stopping
            job.stopping = job.stopping or first
        if first:  # a second Ctrl-C would abort the commit
            job.changes += 1
            _signal(job.process, signal.SIGINT)
            threading.Thread(target=_kill_after_grace, args=(job.process,), name="rag-job-stop", daemon=True).start()
        return job

    def close(self) -> None:
        """Stops every job and waits for its commit."""
        with self._lock:
            self._closed = True
        running = [job for job in self.all() if job.state == "running"]
        for job in running:
            job.stopping = True
            _signal(job.process, signal.SIGINT)
        for job in running:
            _kill_after_grace(job.process)

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state != "running"]
        for id in ended[:-MOST_FINISHED]:
            del self._jobs[id]


def job_json(job: Job) -> dict[str, Any]:
    """A job as plain JSON values."""
    return {
        "id": job.id,
        "index": job.index,
        "root": job.root,
        "state": job.state,
        "stopping": job.stopping and job.state == "running",
        "process": None,
        **_progress(job.progress),
        "seconds": round((job.ended or time.monotonic()) - job.started, 2),
        "report": job.report,
        "error": job.error,
    }


def outside_job(index: str, place: Place) -> dict[str, Any] | None:
    """The run of an index that somebody started in a terminal, in the form of a job; None where there is none."""
    run = live_run(place)
    if run is None:
        return None
    return {
        "id": f"process-{run.process}",
        "index": index,
        "root": None,
        "state": "running",
        "stopping": False,
        "process": run.process,
        **_progress(run.progress),
        "seconds": round(max(0.0, time.time() - run.started), 2),
        "report": None,
        "error": None,
    }


def _progress(progress: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "done": int(progress.get("done", 0)),
        "total": int(progress.get("total", 0)),
        "counted": bool(progress.get("counted", True)),
        "folder": int(progress.get("folder", 1)),
        "folders": int(progress.get("folders", 1)),
        "current": str(progress.get("path", "")),
        **{name: float(progress.get(name, 0)) for name in _FIGURES},
        "seconds_left": progress.get("seconds_left"),
        "stages": dict(progress.get("stages", {})),
        "readers": dict(progress.get("readers", {})),
    }


def _follow(job: Job, ended: Callable[[str], None]) -> None:
    """Reads stdout and stderr to their end, then the exit code; then says which index may have changed."""
    stderr = threading.Thread(target=_keep_stderr, args=(job,), name="rag-job-stderr", daemon=True)
    stderr.start()
    for line in job.process.stdout or ():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(event, dict):
            continue
        if event.get("event") == "progress":
            job.progress = event
        elif event.get("event") == "report":
            job.report = {key: value for key, value in event.items() if key != "event"}
        job.changes += 1
    code = job.process.wait()
    stderr.join(timeout=2)
    signal_group(job.process, signal.SIGKILL)  # worker processes that the job may have left
    job.ended = time.monotonic()
    ended(job.index)
    if code in (FOUND, DOCUMENTS_SKIPPED) and job.report is not None:
        job.state = "done"
    elif code == INTERRUPTED or job.stopping:
        job.state = "stopped"
    else:
        job.error = _error_of(job.tail, code)
        job.state = "failed"
    job.changes += 1


def _keep_stderr(job: Job) -> None:
    for line in job.process.stderr or ():
        job.tail.append(line.rstrip())


def _error_of(tail: Sequence[str], code: int) -> dict[str, str]:
    """The last error that the job printed: `rag: what` and `  → remedy`."""
    lines = list(tail)
    what = next((line.removeprefix("rag: ") for line in reversed(lines) if line.startswith("rag: ")), "")
    remedy = next((line.strip().removeprefix("→ ") for line in reversed(lines) if line.strip().startswith("→ ")), "")
    if not what:
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
        what, remedy = f"`rag index` {ended}: {last}", "start it again (committed work is kept), or run it in a terminal"
    return {"what": what, "remedy": remedy, "code": "job_failed"}


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _kill_after_grace(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        signal_group(process, signal.SIGKILL)
        process.wait()
