"""Runs of `rag index` as child processes: started, followed line by line, stopped as by Ctrl-C.

Knows processes and the lines of `rag index --format jsonl`; knows no HTTP and no index.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rag.child_process import signal_group
from rag.errors import DOCUMENTS_SKIPPED, FOUND, RagError, WrongRequest

State = Literal["running", "done", "stopped", "failed"]

KEPT = 32  # finished jobs that are remembered
KEPT_LINES = 12  # of a run's stderr
GRACE = 20.0  # seconds a run has to commit before it is killed
INTERRUPTED = 130
_FIGURES = ("passages", "documents_per_second", "passages_per_second", "megabytes_per_second", "tokens_per_second")


class JobRuns(RagError):
    """One run at a time changes an index."""

    def __init__(self, index: str, job: str) -> None:
        super().__init__(f"{index} is being indexed by job {job}", remedy="wait for its end, or stop it")


class NoSuchJob(WrongRequest):
    """An id this server gave to no job, or to one long ended."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no job has the id {id}", remedy="POST /v1/index starts one and tells its id")


@dataclass(slots=True, eq=False)
class Job:
    """A run, as far as it is known. `changes` grows whenever something became known."""

    id: str
    index: str
    root: str | None
    process: subprocess.Popen[str]
    started: float  # monotonic seconds
    state: State = "running"
    stopping: bool = False
    seen: Mapping[str, Any] = field(default_factory=dict)  # the last progress line
    report: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None
    ended: float | None = None
    changes: int = 0
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))


class Jobs:
    """The runs this server started; at most one at a time for each index. Safe to share between threads."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._closed = False

    def start(self, index: str, folder: Path, root: str | None, roots: Sequence[Path]) -> Job:
        """Brings `roots` of the index at `folder` up to date, or every root it knows where none is given. JobRuns."""
        command = [sys.executable, "-P", "-m", "rag.cli", "index", *map(str, roots), "--index", str(folder), "--format", "jsonl"]
        environment = {name: value for name, value in os.environ.items() if name != "RAG_TOKEN"}
        with self._lock:
            running = next((job for job in self._jobs.values() if job.index == index and job.state == "running"), None)
            if running is not None:
                raise JobRuns(index, running.id)
            if self._closed:
                raise JobRuns(index, "that was started before the server ends")
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C in the terminal reaches this server, which stops the run in order
            )
            job = Job(secrets.token_hex(8), index, root, process, time.monotonic())
            self._jobs[job.id] = job
            self._forget_old()
        threading.Thread(target=_follow, args=(job,), name="rag-job", daemon=True).start()
        return job

    def get(self, id: str) -> Job:
        """The job of that id. NoSuchJob."""
        with self._lock:
            if id not in self._jobs:
                raise NoSuchJob(id)
            return self._jobs[id]

    def of(self, index: str) -> Job | None:
        """The newest job of an index."""
        with self._lock:
            return next((job for job in reversed(self._jobs.values()) if job.index == index), None)

    def all(self) -> list[Job]:
        """Every job remembered, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def stop(self, id: str) -> Job:
        """Ctrl-C for that run: what is done is committed, and the next run goes on. NoSuchJob."""
        job = self.get(id)
        with self._lock:
            first = job.state == "running" and not job.stopping
            job.stopping = job.stopping or first
        if first:  # a second Ctrl-C would break off the commit
            job.changes += 1
            _signal(job.process, signal.SIGINT)
            threading.Thread(target=_kill_late, args=(job.process,), name="rag-job-stop", daemon=True).start()
        return job

    def close(self) -> None:
        """Stops every run and waits for its commit."""
        with self._lock:
            self._closed = True
        running = [job for job in self.all() if job.state == "running"]
        for job in running:
            job.stopping = True
            _signal(job.process, signal.SIGINT)
        for job in running:
            _kill_late(job.process)

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state != "running"]
        for id in ended[:-KEPT]:
            del self._jobs[id]


def job_json(job: Job) -> dict[str, Any]:
    """A job as plain JSON values."""
    seen = job.seen
    return {
        "id": job.id,
        "index": job.index,
        "root": job.root,
        "state": job.state,
        "stopping": job.stopping and job.state == "running",
        "done": int(seen.get("done", 0)),
        "total": int(seen.get("total", 0)),
        "counted": bool(seen.get("counted", True)),
        "folder": int(seen.get("folder", 1)),
        "folders": int(seen.get("folders", 1)),
        "current": str(seen.get("path", "")),
        **{name: float(seen.get(name, 0)) for name in _FIGURES},
        "seconds_left": seen.get("seconds_left"),
        "stages": dict(seen.get("stages", {})),
        "seconds": round((job.ended or time.monotonic()) - job.started, 2),
        "report": job.report,
        "error": job.error,
    }


def _follow(job: Job) -> None:
    """Reads both outputs to their end, then the exit code."""
    talk = threading.Thread(target=_listen, args=(job,), name="rag-job-talk", daemon=True)
    talk.start()
    for line in job.process.stdout or ():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(event, dict):
            continue
        if event.get("event") == "progress":
            job.seen = event
        elif event.get("event") == "report":
            job.report = {key: value for key, value in event.items() if key != "event"}
        job.changes += 1
    code = job.process.wait()
    talk.join(timeout=2)
    signal_group(job.process, signal.SIGKILL)  # workers the run may have left
    job.ended = time.monotonic()
    if code in (FOUND, DOCUMENTS_SKIPPED) and job.report is not None:
        job.state = "done"
    elif code == INTERRUPTED or job.stopping:
        job.state = "stopped"
    else:
        job.error = _error_of(job.tail, code)
        job.state = "failed"
    job.changes += 1


def _listen(job: Job) -> None:
    for line in job.process.stderr or ():
        job.tail.append(line.rstrip())


def _error_of(tail: Sequence[str], code: int) -> dict[str, str]:
    """What the run said last: `rag: what` and `  → remedy`."""
    lines = list(tail)
    what = next((line.removeprefix("rag: ") for line in reversed(lines) if line.startswith("rag: ")), "")
    remedy = next((line.strip().removeprefix("→ ") for line in reversed(lines) if line.strip().startswith("→ ")), "")
    if not what:
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        what, remedy = f"`rag index` {ended}: {last}", "start it again: what was committed is kept; or run it in a terminal"
    return {"what": what, "remedy": remedy, "code": "job_failed"}


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _kill_late(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        signal_group(process, signal.SIGKILL)
        process.wait()
