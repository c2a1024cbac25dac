"""Model servers as child processes: started one after the other, followed, and stopped together.

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

PAUSE = 0.2  # seconds between two looks at a server
GRACE = 20.0  # seconds a server has to end before it is killed
KEPT_LINES = 400  # of a server's output: where it dies, the reason is looked for among them
LAST_LINES = 3  # shown where none of them looks like a reason
MOST = 400  # characters of one line of a reason
_ERROR = re.compile(r"(?:^|\s)((?:[a-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit): \S.*)")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, a service manager, a terminal that is closed
# Linux sends the server SIGTERM (15) when we are gone, whatever killed us (prctl(PR_SET_PDEATHSIG), kept by exec).
TIED = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execvp(sys.argv[1], sys.argv[1:])"


@dataclass(slots=True)
class _Child:
    command: LaunchCommand
    process: subprocess.Popen[str]
    tail: deque[str]
    reader: threading.Thread
    run_file: Path | None = None


def run(commands: Sequence[LaunchCommand], say: Callable[[str], None]) -> None:
    """Start each server, the next when the one before answers; then follow their output until one ends or Ctrl-C.

    `say` gets every line, each under the name of its role. Raises KeyboardInterrupt after Ctrl-C, SIGTERM or SIGHUP, when all
    are stopped; BackendError with the last lines when a server ends by itself; WrongRequest when a port is taken.
    """
    for command in commands:
        _require_free(command.url)
    children: list[_Child] = []
    with _heard() as heard:
        try:
            for command in commands:
                say(f"{command.role}: starting {command.model} at {command.url}")
                started = time.time()
                child = _start(command, say)
                children.append(child)
                _await_health(child, children, heard)
                child.run_file = announce(RunningServer(command.role, command.url, command.model, child.process.pid, started))
                say(f"{command.role}: {command.model} answers at {command.url} after {time.time() - started:.0f} s")
            while True:
                _require_alive(children, heard)
                time.sleep(PAUSE)
        finally:
            _stop(children, heard)


@contextmanager
def _heard() -> Iterator[list[int]]:
    """The signals of ENDING as they come. None interrupts what is under way, so no child is started and then forgotten."""
    heard: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    before: dict[signal.Signals, Any] = {}
    for number in ENDING:
        # A shell starts background jobs with SIGINT ignored, and children inherit that: ours must hear it to be stopped.
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup
        before[number] = signal.signal(number, note)
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(command: LaunchCommand, say: Callable[[str], None]) -> _Child:
    environment: Mapping[str, str] = {**os.environ, "PYTHONUNBUFFERED": "1", **command.environment}
    program = command.arguments[0]
    if shutil.which(program) is None:
        raise BackendError(f"{program} does not start: it is no program here", remedy="is vllm installed in this environment?")
    tied = (sys.executable, "-I", "-S", "-c", TIED) if sys.platform == "linux" else ()
    try:
        process = subprocess.Popen(
            (*tied, *command.arguments),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a group of its own: Ctrl-C reaches us, and we stop the whole group
        )
    except OSError as error:
        raise BackendError(
            f"{program} does not start: {error.strerror}", remedy="is vllm installed in this environment?"
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
        with suppress(OSError):  # a terminal that was closed: the server must not wait for somebody to read
            say(f"[{role}] {line.rstrip()}")


def _await_health(child: _Child, children: Sequence[_Child], heard: Sequence[int]) -> None:
    """Until /health answers; no limit of time, because a first start downloads weights: the output shows what goes on."""
    while not _healthy(child.command.url):
        _require_alive(children, heard)
        time.sleep(PAUSE)


def _healthy(url: str) -> bool:
    """Whether GET /health gives 200, past any proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _require_alive(children: Sequence[_Child], heard: Sequence[int]) -> None:
    """KeyboardInterrupt where a signal came; BackendError, with its last lines, where a server has ended."""
    if heard:
        raise KeyboardInterrupt
    for child in children:
        code = child.process.poll()
        if code is not None:
            child.reader.join(timeout=2)
            how = f"ended by itself (exit {code})"
            if code < 0:
                how = f"was killed ({_name_of(-code)}{'; Linux does so when memory runs out' if code == -signal.SIGKILL else ''})"
            raise BackendError(
                f"the {child.command.role} server {how}: {reason_of(list(child.tail)) or 'it said nothing'}",
                remedy="its lines above say more; `rag serve --dry-run` prints the command to try by hand",
            )


def reason_of(lines: Sequence[str]) -> str:
    """Why a Python program ended, from its last lines: its first and its last error (vLLM's own follows from the first)."""
    errors = [found.group(1).strip() for line in lines if (found := _ERROR.search(line))]
    chosen = list(dict.fromkeys([errors[0], errors[-1]])) if errors else [line for line in lines if line.strip()][-LAST_LINES:]
    return " | ".join(line.strip()[:MOST] for line in chosen)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stop(children: Sequence[_Child], heard: Sequence[int]) -> None:
    """All of them and what they started: asked first (SIGINT ends vLLM in order), killed after a while or at one more signal."""
    for child in children:
        if child.run_file is not None:
            withdraw(child.run_file)
        signal_group(child.process, signal.SIGINT)
    end = time.monotonic() + GRACE
    before = len(heard)
    for child in children:
        while child.process.poll() is None and time.monotonic() < end and len(heard) == before:
            time.sleep(PAUSE / 4)
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
