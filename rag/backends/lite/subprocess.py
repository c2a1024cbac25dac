"""The `lite` embedder in a process of its own, for texts: the same vectors, computed on another core.

Knows a process and a pipe; knows no file and no index. Pure Python uses one core, and the process that writes an index has other
work for it.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING

from rag.backends import EMBEDDERS
from rag.child_process import worker_environment
from rag.plugins import resolve
from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.types import Vectors

_START = "from rag.backends.lite.subprocess import main; main()"


class LiteSubprocess:
    """The law is that of rag.backends.base.SideEmbedder. Safe to share between threads.

    A process that does not start, or that dies, costs speed only: its texts are embedded in this process.
    """

    def __init__(self, fallback: Embedder) -> None:
        """`fallback` embeds in this process what the other one cannot."""
        self._fallback = fallback
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._start_tried = self._ready = False
        self._calls = 0  # so far; each carries its number
        self._answers: dict[int, Vectors] = {}
        self._sending, self._receiving = threading.Lock(), threading.Lock()

    def is_ready(self) -> bool:
        """Whether it accepts a call now; the first question starts the process."""
        if not self._start_tried:
            self._start_tried = True
            self._start()
        elif not self._ready and self._pipe is not None:
            with suppress(OSError, EOFError):
                self._ready = self._pipe.poll() and self._pipe.recv_bytes() == b"ready"
        return self._ready

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """As LiteEmbedder, for contents without pixels: unit rows, float32 (n, 1280)."""
        try:
            return self._embed_there([(content.text, content.clues) for content in contents], role)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._ready = False
            return self._fallback.embed(contents, role=role)

    def close(self) -> None:
        """Kills the process, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._ready = False

    def _start(self) -> None:
        with suppress(OSError):
            self._pipe, other_end = Pipe()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(other_end.fileno())],
                pass_fds=[other_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=worker_environment(),
                process_group=0,  # Ctrl-C is for the process that reads its answers
            )
            other_end.close()

    def _embed_there(self, texts: Sequence[tuple[str, str]], role: Role) -> Vectors:
        assert self._pipe is not None
        with self._sending:
            number = self._calls
            self._calls += 1
            self._pipe.send((number, role, texts))
        with self._receiving:
            while number not in self._answers:
                answered, vectors = self._pipe.recv()
                self._answers[answered] = vectors
            return self._answers.pop(number)


def main() -> None:
    """`python -c "from rag.backends.lite.subprocess import main; main()" DESCRIPTOR`: answers until the other end is closed."""
    embedder: Embedder = resolve(EMBEDDERS, "lite", "embedder")()
    pipe = Connection(int(sys.argv[1]))
    with suppress(OSError, EOFError, KeyboardInterrupt):
        pipe.send_bytes(b"ready")
        while True:
            number, role, texts = pipe.recv()
            contents = [Content("text", text=text, clues=clues) for text, clues in texts]
            pipe.send((number, embedder.embed(contents, role=role)))
