"""Starts real llama.cpp servers on tiny GGUFs, by the commands of `rag serve --engine llamacpp`, and stops them.

Knows no prompt. One thread: more of them wait for one another on a busy machine.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.backends.base import Choice
from rag.models import llamacpp_command
from rag.models.gguf_model import find_model
from rag.models.vllm_command import LaunchOptions, ServerSpec
from tests.models import engines

EXACT = ("-fa", "off", "-ctk", "f32", "-ctv", "f32")
KEY = "a key of the tests"


@dataclass
class LlamaServer:
    """A llama.cpp server that answers."""

    name: str  # as it is served
    url: str
    process: subprocess.Popen[bytes]

    def choice(self, **more) -> Choice:
        """The choice of a client that knows the address and the key alone."""
        return Choice(urls=(self.url,), api_key=KEY, **more)


@contextmanager
def llama(
    weights: Path, log: Path, *flags: str, port: int = 0, length: int = 0, environment: dict[str, str] | None = None
) -> Iterator[LlamaServer]:
    """A server on a GGUF, ready. `flags` come last, so they win."""
    role = "reranker" if "Reranker" in weights.name else "embedder"
    options = LaunchOptions(entry=llamacpp_command.PROCESS, api_key=KEY, extra=("-t", "1", *flags), max_model_len=length)
    spec = ServerSpec(role, str(weights), port or engines.free_port())
    command = llamacpp_command.command(find_model(spec), spec, options)
    with log.open("ab") as lines:
        process = subprocess.Popen(
            command.arguments,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **command.environment, **(environment or {})},
        )
    try:
        engines.answering(engines.Server(command.model, command.url, log, process, KEY))
        yield LlamaServer(command.model, command.url, process)
    finally:
        process.terminate()
        process.wait(30)
