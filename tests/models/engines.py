"""Starts real vLLM servers and in-process engines on tiny checkpoints, and stops them.

Knows vLLM's command line; knows no prompt. The flags are those a deployment uses, and what makes a CPU fast and exact.
"""

from __future__ import annotations

import json
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
from pathlib import Path

import httpx

from rag.backends.base import Choice
from rag.backends.server import ServerEmbedder
from rag.backends.server_reranker import ServerReranker
from rag.backends.transformers import TransformersEmbedder, TransformersReranker
from rag.backends.vllm_engine import EngineEmbedder, EngineReranker

TEMPLATES = Path(__file__).parents[2] / "rag/backends/templates"
SECONDS = 300  # for a server to come up, on two busy cores
EXACT = {"dtype": "float32", "enforce_eager": True}
MATRYOSHKA = ("--hf-overrides", json.dumps({"is_matryoshka": True}))
SEEING = ("--limit-mm-per-prompt", json.dumps({"image": 8, "video": 1}))
FRAMES = ("--media-io-kwargs", json.dumps({"video": {"fps": 1, "max_frames": 64}}))


def judging(architecture: str, template: str) -> tuple[str, ...]:
    """The flags that make a Qwen3 language model the reranker it was published as."""
    told = {"architectures": [architecture], "classifier_from_token": ["no", "yes"], "is_original_qwen3_reranker": True}
    return ("--hf-overrides", json.dumps(told), "--chat-template", str(TEMPLATES / template))


FLAGS = {
    "vl-embedder": ("--max-model-len", "8192", *MATRYOSHKA, *SEEING, *FRAMES),
    "vl-reranker": ("--max-model-len", "10240", *judging("Qwen3VLForSequenceClassification", "qwen3_vl_reranker.jinja"), *FRAMES),
    "text-embedder": ("--max-model-len", "8192", *MATRYOSHKA),
    "text-reranker": ("--max-model-len", "8192", *judging("Qwen3ForSequenceClassification", "qwen3_reranker.jinja")),
}


@dataclass
class Server:
    """A vLLM server under way."""

    name: str  # the model's, as requests use it
    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def post(self, path: str, body: dict[str, object]) -> httpx.Response:
        """One request, as any other program would send it."""
        return httpx.post(self.url + path, json={"model": self.name, **body}, timeout=120)


@contextmanager
def serving(which: str, folder: Path, log: Path) -> Iterator[Server]:
    """A server on the checkpoint, started and not waited for: `answering` does that."""
    port = _free_port()
    name = folder.name
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", name,
        "--host", "127.0.0.1", "--port", str(port), "--runner", "pooling", "--dtype", "float32", "--enforce-eager", *FLAGS[which],
    ]  # fmt: skip
    with log.open("wb") as lines:
        process = subprocess.Popen(command, stdout=lines, stderr=subprocess.STDOUT, start_new_session=True, env=os.environ)
    server = Server(name, f"http://127.0.0.1:{port}", log, process)
    try:
        yield server
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
    for kept in {"_engine", "_loaded"} & vars(model).keys():
        setattr(other, kept, getattr(model, kept))
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
        engine = vars(made).get("_engine")
        if engine is not None:
            engine.llm_engine.engine_core.shutdown()


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


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
