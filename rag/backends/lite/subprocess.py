"""The `lite` embedder in a process of its own, for texts: the same numbers from another core.

Knows a process and a pipe; knows no file and no index. Plain Python uses one core; what writes an index has work for another.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TYPE_CHECKING

from rag.types import Content, Role

if TYPE_CHECKING:
    from rag.types import Vectors

_START = "from rag.backends.lite.subprocess import main; main()"


class LiteSubprocess:
    """Starts with the first question whether it is ready. Safe to share between threads.

    A process that does not start, or ends, costs speed only: what it was asked is embedded here.
    """

    def __init__(self, here: Callable[[Sequence[Content], Role], Vectors]) -> None:
        self._here = here
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        self._tried = self._ready = False
        self._asked = 0  # calls so far; each carries its number
        self._answers: dict[int, Vectors] = {}
        self._telling, self._hearing = threading.Lock(), threading.Lock()

    def is_ready(self) -> bool:
        """Whether it takes a call now."""
        if not self._tried:
            self._tried = True
            self._start()
        elif not self._ready and self._link is not None:
            with suppress(OSError, EOFError):
                self._ready = self._link.poll() and self._link.recv_bytes() == b"ready"
        return self._ready

    def embed(self, contents: Sequence[Content], *, role: Role) -> Vectors:
        """As LiteEmbedder, for contents without pixels."""
        try:
            return self._asked_apart([(content.text, content.clues) for content in contents], role)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._ready = False
            return self._here(contents, role)

    def close(self) -> None:
        """Ends the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._ready = False

    def _start(self) -> None:
        hidden = {name for name in os.environ if name.startswith("RAG_")}
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with suppress(OSError):
            self._link, theirs = Pipe()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                process_group=0,  # Ctrl-C is for its reader
            )
            theirs.close()

    def _asked_apart(self, texts: Sequence[tuple[str, str]], role: Role) -> Vectors:
        assert self._link is not None
        with self._telling:
            number = self._asked
            self._asked += 1
            self._link.send((number, role, texts))
        with self._hearing:
            while number not in self._answers:
                answered, vectors = self._link.recv()
                self._answers[answered] = vectors
            return self._answers.pop(number)


def main() -> None:
    """`python -c "from rag.backends.lite.subprocess import main; main()" DESCRIPTOR`: answers until the other side is gone."""
    from rag.backends.lite.embedder import LiteEmbedder

    embedder = LiteEmbedder()
    link = Connection(int(sys.argv[1]))
    with suppress(OSError, EOFError, KeyboardInterrupt):
        link.send_bytes(b"ready")
        while True:
            number, role, texts = link.recv()
            contents = [Content("text", text=text, clues=clues) for text, clues in texts]
            link.send((number, embedder.embed(contents, role=role)))
