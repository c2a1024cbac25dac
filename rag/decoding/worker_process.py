"""One worker process, seen from outside: started, talked to, metered and killed.

Knows processes and the protocol; knows no loader.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.child_process import signal_group, worker_environment
from rag.decoding import protocol
from rag.decoding.cost_limits import POLL_SECONDS, Cause, CostLimits, CostMeter
from rag.decoding.messages import LineToPrograms, Ready, WantPrograms
from rag.decoding.program_process import ProgramProcess
from rag.decoding.sandbox import OPEN_FILES

_START = "from rag.decoding.worker import main; main()"
_SECONDS_TO_START = 120.0

# Memory of a picture is kept for the next one (glibc and Pillow): made anew, its pages cost a fifth of the time of a large photo.
_KEEPING = {"MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "134217728", "PILLOW_BLOCKS_MAX": "8"}

_ENDED_BY = {
    signal.SIGABRT: "its reader gave up, as libraries do that get no more memory (--max-memory)",
    signal.SIGKILL: "its reader was killed, perhaps because this machine has no more memory",
    signal.SIGXCPU: "its reader took more processor time than one file is given",
}


class Died(Exception):
    """The process is gone or cost too much; the text is the reason shown to people, `cause` the limit that was exceeded."""

    def __init__(self, reason: str, cause: Cause | None = None) -> None:
        super().__init__(reason)
        self.cause = cause


class Lost(Died):
    """The process is gone with its machine, or the way to it is: that says nothing about the file."""


_TOO_MUCH = {
    "processor": "its reader took more than {:g} s of processor time",
    "waiting": "its reader waited {:g} s for something that never came",
    "starved": "its reader could not go on for {:g} s: it was stopped, or this machine was too busy",
}


class NotStarted(Exception):
    """No worker process can be started here."""


class WorkerProcess:
    """Use from one thread at a time; only `strike` may be called from any."""

    def __init__(self, memory: int) -> None:
        """Starts it, with at most `memory` bytes. NotStarted where it cannot be started."""
        self.memory, self.machine = memory, ""
        self.missing: tuple[str, ...] = ()  # what could not be taken from it
        self.jobs = 0  # that it was given
        self._programs: ProgramProcess | None = None  # what runs programs for it, once it has asked
        try:
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
            self._link, theirs = socket.socketpair()
            pipe, self._held = os.pipe()  # closed with this process, however it ends
        except OSError as error:  # a full disk, or no more open files
            raise NotStarted(error.strerror or str(error)) from error
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(theirs.fileno()), str(pipe), str(memory)],
                pass_fds=[theirs.fileno(), pipe],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env=worker_environment() | _KEEPING,
                process_group=0,  # Ctrl-C is for its reader
            )
        except OSError as error:
            raise NotStarted(f"{sys.executable}: {error.strerror}") from error
        finally:
            theirs.close()
            os.close(pipe)
        self._link.settimeout(_SECONDS_TO_START)
        try:
            ready = protocol.receive(self._link)
        except (protocol.Closed, TimeoutError) as error:
            last_words = self._last_words()
            self.end()
            raise NotStarted(last_words or str(error)) from error
        if isinstance(ready, Ready):
            self.missing = ready.missing

    def tell(self, message: object, seconds: float, descriptors: Sequence[int] = ()) -> None:
        """Sends a message, with open files. Died if it is not accepted within `seconds`."""
        self._link.settimeout(seconds)
        try:
            protocol.send(self._link, message, descriptors)
        except (protocol.Closed, TimeoutError) as error:
            raise self._death(error) from error

    def hear(self, limits: CostLimits) -> Any:
        """The next message. Died if the process ends, or if the answer exceeds the limits, with the programs it has run."""
        while isinstance(message := self._heard(limits), WantPrograms):
            self._give_programs(limits.starved)
        return message

    def _heard(self, limits: CostLimits) -> Any:
        meter = CostMeter([self._process.pid, *([self._programs.number] if self._programs else [])], limits)

        def still() -> None:
            if cause := meter.exceeded():
                raise Died(_TOO_MUCH[cause].format(getattr(limits, cause)), cause)

        self._link.settimeout(min(POLL_SECONDS, limits.waiting / 4, limits.processor / 4))
        try:
            return protocol.receive(self._link, still=still)
        except protocol.Closed as error:
            raise self._death(error) from error

    def _give_programs(self, seconds: float) -> None:
        """Starts what runs programs, in the group of this process, and hands it the line: no open file is taken from it here."""
        if self._programs is not None:
            self._programs.end()
            self._programs = None
        try:
            self._programs = ProgramProcess(self.memory // 2, self._process.pid)
        except OSError as error:
            self.tell(LineToPrograms(str(error)), seconds)
            return
        self.tell(LineToPrograms(self._programs.reason), seconds, (self._programs.line.fileno(),))

    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def is_worn(self) -> bool:
        """Whether an idle process holds half of its memory or descriptors: a new one is better than a job that fails."""
        own = f"/proc/{self._process.pid}"
        try:
            pages, descriptors = int(Path(own, "statm").read_text().split()[1]), sum(1 for _ in Path(own, "fd").iterdir())
        except (OSError, ValueError, IndexError):
            return False
        return pages * resource.getpagesize() > self.memory // 2 or descriptors > OPEN_FILES // 2

    def strike(self) -> None:
        """Kills it and its children, whatever they do; a thread that is talking to it gets Died.

        SIGKILL cannot be held back.
        """
        signal_group(self._process, signal.SIGKILL)

    def end(self) -> None:
        """Kills it and frees its resources."""
        self.strike()
        if self._programs is not None:
            self._programs.end()
        self._process.wait()
        self._link.close()
        os.close(self._held)
        self._said.close()

    def _death(self, error: Exception) -> Died:
        if isinstance(error, TimeoutError):
            return Died("its reader took no job", "starved")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.poll()
        if code is None:
            return Died("its reader was stopped: it closed its line")
        if code < 0:
            named = {each.value: each for each in signal.Signals}.get(-code)  # real-time signals have no name
            reason = "its reader crashed" if named is None else _ENDED_BY.get(named, "its reader crashed")
            return Died(f"{reason} ({f'signal {-code}' if named is None else named.name})")
        said = self._last_words()
        return Died(f"its reader crashed ({said})" if said else f"its reader ended with {code}")

    def _last_words(self) -> str:
        """The last line of what it wrote to stderr."""
        length = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, length - 2000))
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:200] if lines else ""
