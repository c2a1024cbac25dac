"""Runs model servers as child processes: starts them in turn, passes on their output, and stops them together.

Knows processes, ports and /health; knows no flag and no model.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from rag.child_process import signal_group
from rag.errors import BackendError, WrongRequest
from rag.models.run_files import RunningServer, announce, withdraw
from rag.models.vllm_command import LaunchCommand

POLL_SECONDS = 0.2  # between two checks of a server
GRACE_SECONDS = 20.0  # for a server to end before it is killed
KEPT_LINES = 400  # of a server's output: if it dies, the reason is looked for in them
LAST_LINES = 3  # shown if none of them looks like a reason
REASON_CHARACTERS = 400  # per line of a reason
_ERROR = re.compile(r"(?:^|\s)((?:[a-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit): \S.*)")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, a service manager, a closed terminal
# Linux sends the server SIGTERM (15) when this process ends, however it ends (prctl(PR_SET_PDEATHSIG), kept by exec).
DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execvp(sys.argv[1], sys.argv[1:])"


@dataclass(slots=True)
class _Child:
    command: LaunchCommand
    process: subprocess.Popen[str]
    tail: deque[str]
    reader: threading.Thread
    run_file: Path | None = None


def run(commands: Sequence[LaunchCommand], say: Callable[[str], None]) -> None:
    """Starts each server once the one before it answers, then passes on their output until one ends or Ctrl-C.

    `say` gets every line, prefixed with the server's role. All servers are stopped in the end. KeyboardInterrupt after Ctrl-C,
    SIGTERM or SIGHUP; BackendError, with the last lines, if a server ends by itself or does not start; WrongRequest if a port
    is taken.
    """
    for command in commands:
        _require_free(command.url)
    children: list[_Child] = []
    with _received_signals() as received:
        try:
            for command in commands:
                say(f"{command.role}: starting {command.model} at {command.url}")
                started = time.time()
                child = _start(command, say)
                children.append(child)
                _await_health(child, children, received)
                child.run_file = announce(_running(child, started))
                say(f"{command.role}: {command.model} answers at {command.url} after {time.time() - started:.0f} s")
            while True:
                _require_alive(children, received)
                time.sleep(POLL_SECONDS)
        finally:
            _stop(children, received)


def _running(child: _Child, started: float) -> RunningServer:
    command = child.command
    return RunningServer(command.role, command.url, command.model, child.process.pid, started, token=command.key)


@contextmanager
def _received_signals() -> Iterator[list[int]]:
    """A list to which the signals of ENDING are appended. They interrupt nothing, so no child is started and then forgotten."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before: dict[signal.Signals, Any] = {}
    for number in ENDING:
        # A shell starts background jobs with SIGINT ignored, and children inherit that; ours must receive it to be stopped.
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup
        before[number] = signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(command: LaunchCommand, say: Callable[[str], None]) -> _Child:
    environment: Mapping[str, str] = {**os.environ, "PYTHONUNBUFFERED": "1", **command.environment}
    program = command.arguments[0]
    if shutil.which(program) is None:
        raise BackendError(
            f"{program} cannot be started: there is no such program here",
            remedy="is what runs models installed in this environment? `rag doctor` lists it",
        )
    prefix = (sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT) if sys.platform == "linux" else ()
    try:
        process = subprocess.Popen(
            (*prefix, *command.arguments),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a group of its own: Ctrl-C reaches only us, and we stop the whole group
        )
    except OSError as error:
        raise BackendError(
            f"{program} cannot be started: {error.strerror}",
            remedy="is what runs models installed in this environment? `rag doctor` lists it",
        ) from error
    tail: deque[str] = deque(maxlen=KEPT_LINES)
    reader = threading.Thread(target=_follow, args=(process, command.role, tail, say), daemon=True)
    reader.start()
    return _Child(command, process, tail, reader)


def _follow(process: subprocess.Popen[str], role: str, tail: deque[str], say: Callable[[str], None]) -> None:
    if process.stdout is None:
        return
    for line in process.stdout:
        tail.append(line.rstrip())
        with suppress(OSError):  # the terminal was closed: keep reading, so that the server does not block
            say(f"[{role}] {line.rstrip()}")


def _await_health(child: _Child, children: Sequence[_Child], received: Sequence[int]) -> None:
    """Waits until /health answers, without a time limit: a first start downloads weights, and the output shows the progress."""
    while not _healthy(child.command.url):
        _require_alive(children, received)
        time.sleep(POLL_SECONDS)


def _healthy(url: str) -> bool:
    """Whether GET /health returns 200. Proxies in the environment are bypassed."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _require_alive(children: Sequence[_Child], received: Sequence[int]) -> None:
    """KeyboardInterrupt if a signal was received; BackendError, with its last lines, if a server has ended."""
    if received:
        raise KeyboardInterrupt
    for child in children:
        code = child.process.poll()
        if code is not None:
            child.reader.join(timeout=2)
            how = f"ended by itself (exit {code})"
            if code < 0:
                how = (
                    f"was killed ({_name_of(-code)}{'; Linux does that when memory runs out' if code == -signal.SIGKILL else ''})"
                )
            raise BackendError(
                f"the {child.command.role} server {how}: {reason_of(list(child.tail)) or 'it printed nothing'}",
                remedy="its output above says more; `rag serve --dry-run` prints the command to try by hand",
            )


def reason_of(lines: Sequence[str]) -> str:
    """Why a Python program ended, from its last lines: its first and its last error (vLLM's last one follows from the first)."""
    errors = [found.group(1).strip() for line in lines if (found := _ERROR.search(line))]
    chosen = list(dict.fromkeys([errors[0], errors[-1]])) if errors else [line for line in lines if line.strip()][-LAST_LINES:]
    return " | ".join(line.strip()[:REASON_CHARACTERS] for line in chosen)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stop(children: Sequence[_Child], received: Sequence[int]) -> None:
    """Stops them and all they started: SIGINT ends vLLM cleanly; SIGKILL follows after a while, or at another signal."""
    for child in children:
        if child.run_file is not None:
            withdraw(child.run_file)
        signal_group(child.process, signal.SIGINT)
    end = time.monotonic() + GRACE_SECONDS
    before = len(received)
    for child in children:
        while child.process.poll() is None and time.monotonic() < end and len(received) == before:
            time.sleep(POLL_SECONDS / 4)
        signal_group(child.process, signal.SIGKILL)
        child.process.wait()
        child.reader.join(timeout=2)


def _require_free(url: str) -> None:
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=1):
            pass
    except OSError:
        return
    raise WrongRequest(f"something already answers at {url}", remedy="stop it, or choose another --port or --reranker-port")
