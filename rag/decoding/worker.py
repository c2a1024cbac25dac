"""The main loop of a worker process: takes a job, answers it, takes the next, until its socket closes.

Knows the protocol and the tasks; knows nothing about who asks.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rag.decoding import protocol
from rag.decoding.messages import Call, LineToPrograms, OcrLookup, Ready, WantPrograms
from rag.decoding.program_process import ask
from rag.decoding.sandbox import allow_seconds, allow_writing, confine, end_with
from rag.decoding.tasks import bytes_of, perform
from rag.loaders import programs

_FILES = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")


def main() -> None:
    """`python -c "from rag.decoding.worker import main; main()" SOCKET PIPE BYTES`: the line to its reader, and how much memory.

    The other end of the pipe is held by the reader alone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the reader of the answers, who ends this one
    link = socket.socket(fileno=int(sys.argv[1]))
    end_with(int(sys.argv[2]))
    missing = confine(int(sys.argv[3]))

    def known(digest: bytes) -> str | None:
        protocol.send(link, OcrLookup(digest))
        words = protocol.receive(link)
        return words if isinstance(words, str) else None

    programs.lend(_Programs(link))
    try:
        protocol.send(link, Ready(missing))
        while True:
            descriptors: list[int] = []
            job = protocol.receive(link, descriptors)
            if isinstance(job, Call) and descriptors:
                job = _on_open_files(job, descriptors)
            allow_writing(job.room if isinstance(job, Call) else 0)
            os.ftruncate(2, 0)  # what libraries grumbled about the file before
            os.lseek(2, 0, os.SEEK_SET)
            allow_seconds(bytes_of(job))
            for answer in perform(job, known):
                protocol.send(link, answer)
                allow_seconds(bytes_of(job))
            for descriptor in descriptors:
                os.close(descriptor)
    except protocol.Closed:
        os._exit(0)  # nothing of it is wanted any more


class _Programs:
    """Has programs run in the process that the reader of the answers starts for it at the first wish."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._line: socket.socket | None = None
        self._refused = ""

    def __call__(self, command: str, numbers: tuple[int, ...], file: int, out: int, most: int) -> str:
        if self._line is None:
            self._line = self._asked_for()
        try:
            return ask(self._line, command, numbers, file, out, most)
        except protocol.Closed as error:
            self._line.close()
            self._line = None
            return f"the process that ran {programs.COMMANDS[command].program} ended: {error}"

    def _asked_for(self) -> socket.socket:
        if not self._refused:
            descriptors: list[int] = []
            protocol.send(self._link, WantPrograms())
            said = protocol.receive(self._link, descriptors)
            if descriptors and isinstance(said, LineToPrograms) and not said.reason:
                return socket.socket(fileno=descriptors[0])
            self._refused = said.reason if isinstance(said, LineToPrograms) else "no programs can be run here"
        raise programs.NotRun(self._refused)


def _on_open_files(job: Call, descriptors: Sequence[int]) -> Call:
    """The same job on the open file: what was checked when it was opened is what is read, whatever has the name now."""
    details = dict(job.details) | ({"out": descriptors[1]} if len(descriptors) > 1 else {})
    return replace(job, file=_FILES / str(descriptors[0]), details=details)
