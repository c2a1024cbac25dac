"""The main loop of a process that runs programs for one reader: takes a command, runs it confined, says how it ended.

Knows the commands of `rag.loaders.programs` and the kernel; knows no format, no index and no reader.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from rag.decoding import protocol
from rag.decoding.messages import LineToPrograms, ProgramEnded, RunProgram
from rag.decoding.program_sandbox import cannot_confine, confine_program, confine_runner
from rag.decoding.sandbox import end_with
from rag.loaders.plain_reasons import damage
from rag.loaders.programs import COMMANDS, Command

_MOST_SAID = 4096  # bytes that are kept of what a program says of errors: more cannot be written
_BEFORE = re.compile(r"^(\[[\d-]+\] |Error (creating XPS file|on line \d+ char \d+): )+")  # what the programs put before a reason
_ENDED_BY = {
    signal.SIGXFSZ: "gave more than {:,} bytes",
    signal.SIGXCPU: "took more processor time than one file is given",
    signal.SIGKILL: "was killed, perhaps because this machine has no more memory",
    signal.SIGABRT: "gave up, as programs do that get no more memory",
}


def main() -> None:
    """`python -c "…" SOCKET PIPE BYTES NAME=PATH…`: the line to its reader, the memory of a program, and where programs lie.

    The other end of the pipe is held by the process that started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = socket.socket(fileno=int(sys.argv[1]))
    end_with(int(sys.argv[2]))
    memory = int(sys.argv[3])
    places = {name: Path(place) for name, _, place in (each.partition("=") for each in sys.argv[4:])}
    try:
        protocol.send(link, LineToPrograms(_confined(places)))
        while True:
            descriptors: list[int] = []
            asked = protocol.receive(link, descriptors)
            if isinstance(asked, RunProgram) and len(descriptors) == 2:
                protocol.send(link, _run(asked, places, memory, descriptors))
            for descriptor in descriptors:
                os.close(descriptor)
    except protocol.Closed:
        os._exit(0)


def _confined(places: dict[str, Path]) -> str:
    """Confines this process; why it runs no programs, or ""."""
    if reason := cannot_confine():
        return reason
    try:
        confine_runner(places.values())
    except OSError as error:
        return f"is read by a program, which cannot be confined here: {error.strerror}"
    return ""


def _run(asked: RunProgram, places: dict[str, Path], memory: int, descriptors: Sequence[int]) -> ProgramEnded:
    """How the program ended, once it has."""
    command = COMMANDS.get(asked.command)
    if command is None or command.program not in places:
        return ProgramEnded(f"{asked.command} needs a program that is not installed", ran=False)
    file, out = descriptors
    said = os.memfd_create("said", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(said, _MOST_SAID)
        fcntl.fcntl(said, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        place = places[command.program]
        process = subprocess.Popen(
            _words(command, asked.numbers, place, file),
            stdin=sys.stdin,  # /dev/null, which this process could not open to be written
            stdout=out,
            stderr=said,
            pass_fds=[file],
            preexec_fn=partial(confine_program, place, file, memory, asked.most),
            env={"LC_ALL": "C.UTF-8", "PATH": "", "HOME": "/"},
            cwd="/",
        )
        return ProgramEnded(_failure(command, process.wait(), os.pread(said, _MOST_SAID, 0), asked.most))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return ProgramEnded(f"{command.program} cannot be run confined: {getattr(error, 'strerror', None) or error}", ran=False)
    finally:
        os.close(said)


def _words(command: Command, numbers: Sequence[int], place: Path, file: int) -> list[str]:
    values = [int(number) for number in numbers]
    return [str(place), *(word.format(*values, file=f"/proc/self/fd/{file}") for word in command.arguments)]


def _failure(command: Command, code: int, said: bytes, most: int) -> str:
    if code == 0:
        return ""
    if code < 0:
        number = -code
        with suppress(ValueError):
            known = _ENDED_BY.get(signal.Signals(number), f"crashed ({signal.Signals(number).name})")
            return f"{command.program} {known.format(most)}"
        return f"{command.program} crashed (signal {number})"
    lines = [line.strip() for line in said.rstrip(b"\0").decode("utf-8", "replace").splitlines()]
    first = next((line for line in lines if line and "WARNING" not in line), f"it ended with {code}")  # what follows is a result
    return f"{command.program} cannot read it: {damage(_BEFORE.sub('', first.removeprefix(f'{command.program}: ')))[:200]}"
