"""The process that runs programs for a reader, seen from outside: started, asked, and killed.

Knows processes and the protocol; knows no format. It is a process of its own since a reader may execute nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from rag.child_process import signal_group, worker_environment
from rag.decoding import protocol
from rag.decoding.cost_limits import POLL_SECONDS, CostLimits, CostMeter
from rag.decoding.messages import LineToPrograms, ProgramEnded, RunProgram
from rag.loaders.programs import COMMANDS, NotRun, where

_START = "from rag.decoding.program_runner import main; main()"
_SECONDS_TO_START = 60.0


class ProgramProcess:
    """Runs the programs of one reader. Use from one thread at a time."""

    def __init__(self, memory: int, group: int = 0) -> None:
        """Starts it in a process group; 0: one of its own. A program gets `memory` bytes. OSError where it cannot be started."""
        names = {command.program for command in COMMANDS.values()}
        places = [f"{name}={place}" for name in sorted(names) if (place := where(name)) is not None]
        self.line, theirs = socket.socketpair()
        pipe, self._held = os.pipe()  # closed with this process, however it ends
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(theirs.fileno()), str(pipe), str(memory), *places],
                pass_fds=[theirs.fileno(), pipe],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=worker_environment(),
                process_group=group,
            )
        except (OSError, subprocess.SubprocessError) as error:
            self.line.close()
            os.close(self._held)
            raise OSError(f"cannot start {sys.executable}: {error}") from error
        finally:
            theirs.close()
            os.close(pipe)
        self.number = self._process.pid
        self.reason = self._ready()

    def _ready(self) -> str:
        """Why it can run no programs; "" where it can."""
        self.line.settimeout(_SECONDS_TO_START)
        try:
            said = protocol.receive(self.line)
        except (protocol.Closed, TimeoutError) as error:
            return f"no process can be started that runs programs: {error}"
        self.line.settimeout(None)
        return said.reason if isinstance(said, LineToPrograms) else "a process that runs programs said something else"

    def strike(self) -> None:
        """Kills it and what it runs."""
        signal_group(self._process, signal.SIGKILL)
        self._process.kill()

    def end(self) -> None:
        """Kills it, and frees its resources."""
        self.strike()
        self._process.wait()
        self.line.close()
        os.close(self._held)


def ask(
    line: socket.socket,
    command: str,
    numbers: tuple[int, ...],
    file: int,
    out: int,
    most: int,
    still: Callable[[], None] | None = None,
) -> str:
    """Has a command run on an open file, into another, with `most` bytes; returns "", or why it failed.

    NotRun where it cannot be run, protocol.Closed where the other side is gone; `still` as in `protocol.receive`.
    """
    protocol.send(line, RunProgram(command, numbers, most), (file, out))
    ended = protocol.receive(line, still=still)
    if not isinstance(ended, ProgramEnded):
        raise protocol.Closed("it said something else")
    if not ended.ran:
        raise NotRun(ended.reason)
    return ended.reason


class OwnPrograms:
    """Runs programs for loaders in this process itself (`--jobs 0`): confined all the same. Threads take turns."""

    def __init__(self, memory: int, limits: CostLimits) -> None:
        self._memory, self._limits = memory, limits
        self._lock = threading.Lock()
        self._process: ProgramProcess | None = None

    def __call__(self, command: str, numbers: tuple[int, ...], file: int, out: int, most: int) -> str:
        """See `rag.loaders.programs.Runner`."""
        with self._lock:
            try:
                self._process = process = self._process or ProgramProcess(self._memory)
            except OSError as error:
                raise NotRun(str(error)) from error
            if process.reason:
                raise NotRun(process.reason)
            meter = CostMeter((process.number,), self._limits)

            def still() -> None:
                if cause := meter.exceeded():
                    raise _TooLong(cause)

            process.line.settimeout(POLL_SECONDS)
            try:
                return ask(process.line, command, numbers, file, out, most, still)
            except (protocol.Closed, _TooLong) as error:
                process.end()
                self._process = None
                what = "took too long" if isinstance(error, _TooLong) else "ended with the process that ran it"
                return f"{COMMANDS[command].program} {what}"


class _TooLong(Exception):
    pass
