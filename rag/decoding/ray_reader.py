"""The actor that reads files on a machine of a Ray cluster: one confined worker process and the line to it.

Knows worker processes and this machine's files; knows no index. It runs there, so nothing here imports Ray.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any

import rag
from rag.decoding.cost_limits import Cause, CostLimits
from rag.decoding.messages import Done, Failed, Identified, OcrLookup, PassageRead, RangeFound, Rejected, Returned
from rag.decoding.worker_process import Died, NotStarted, WorkerProcess
from rag.loaders import VERSIONS

_LAST = Identified | Returned | Done | Failed | Rejected  # one of these ends the answers to a job
_MOST_BYTES, _MOST_SECONDS = 16_000_000, 0.2  # of the answers that travel together


def code_version() -> str:
    """What must be equal on all machines: answers of other code would be passages of another index."""
    return f"{rag.__version__} {sorted(VERSIONS.items())}"


@dataclass(frozen=True, slots=True)
class Started:
    """On which machine a process was started, or why it cannot be, and what could not be taken from it."""

    machine: str
    refused: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader said: answers, the reason and cause of its death if it died, and whether it should read nothing more."""

    answers: list[Any]
    died: tuple[str, Cause | None] | None = None
    worn: bool = False


class Reader:
    """One of them; Ray calls one method at a time."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._process: WorkerProcess | None = None

    def start(self, version: str) -> Started:
        """Starts the process."""
        machine = socket.gethostname()
        if version != code_version():
            return Started(machine, f"{machine} has another version of this program: install the same one on every machine")
        try:
            self._process = WorkerProcess(self._memory)
        except NotStarted as error:
            return Started(machine, f"{machine}: {error}")
        return Started(machine, missing=self._process.missing)

    def talk(self, message: tuple[Any, float] | None, limits: CostLimits) -> Heard:
        """Gives the process a message to take within so many seconds, if there is one; the next answers, several where they
        come quickly."""
        assert self._process is not None
        answers: list[Any] = []
        began, held = time.monotonic(), 0
        try:
            if message is not None:
                if missing := _missing(message[0]):
                    return Heard([missing])
                self._process.tell(*message)
            while True:
                answer = self._process.hear(limits)
                answers.append(answer)
                held += answer.nbytes if isinstance(answer, PassageRead | RangeFound) else 0
                if isinstance(answer, _LAST | OcrLookup):
                    return Heard(answers, worn=isinstance(answer, _LAST) and self._process.is_worn())
                if held > _MOST_BYTES or time.monotonic() - began > _MOST_SECONDS:
                    return Heard(answers)
        except Died as died:
            return Heard(answers, (str(died), died.cause), True)


def _missing(message: Any) -> Failed | None:
    """The answer to a job on a file that is not on this machine."""
    file = getattr(getattr(message, "document", None), "file", None)
    if file is None or file.exists():
        return None
    return Failed(f"{socket.gethostname()} has no {file}: mount the folder there at the same path", passing=True)
