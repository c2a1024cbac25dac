"""Decoder processes: what opens the files of strangers does it where a crash, a hang or a bomb costs one picture only.

Knows processes and their limits; knows no format. The other side is `worker.py`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from rag.errors import UnreadableDocument
from rag.media import protocol
from rag.media.safe_open import Original


class WorkerPool:
    """Up to `count` decoder processes, started when needed, ended with this object. Several threads may ask at once.

    One question at a time is asked about one file, so that many requests for one video wait for each other, not for the disk.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._free = threading.Semaphore(count)
        self._lock = threading.Lock()
        self._idle: list[_Decoder] = []
        self._files: dict[str, tuple[threading.Lock, int]] = {}
        self._closed = False

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes; a question still asked fails."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.end()

    def ask(self, question: str, original: Original, **details: Any) -> tuple[dict[str, Any], bytes]:
        """The answer of a decoder. UnreadableDocument where it cannot be given, took too long, or ended the decoder."""
        with self._alone(original.stamp), self._free:
            decoder = self._take()
            try:
                values, content = decoder.ask({"question": question, **details}, original, self._seconds)
            except BaseException:
                decoder.end()
                raise
            self._put_back(decoder)
        if "reason" in values:
            raise _unreadable(original, str(values["reason"]))
        return values, content

    @contextmanager
    def _alone(self, stamp: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._files.get(stamp, (threading.Lock(), 0))
            self._files[stamp] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                _, waiting = self._files[stamp]
                if waiting == 1:
                    del self._files[stamp]
                else:
                    self._files[stamp] = lock, waiting - 1

    def _take(self) -> _Decoder:
        with self._lock:
            if self._closed:
                raise UnreadableDocument("cannot be shown: the program is ending")
            while self._idle:
                decoder = self._idle.pop()
                if decoder.is_alive():
                    return decoder
                decoder.end()
        return _Decoder()

    def _put_back(self, decoder: _Decoder) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(decoder)
                return
        decoder.end()


class _Decoder:
    """One process, and the line to it."""

    def __init__(self) -> None:
        self._line, other = socket.socketpair()
        with other:
            home = str(Path(__file__).parents[2])
            paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
            environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}  # no key for it
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rag.media.worker", str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                env=environment | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
                start_new_session=True,  # Ctrl-C is for the program that asked; it ends this one
            )

    def ask(self, question: dict[str, Any], original: Original, seconds: float) -> tuple[dict[str, Any], bytes]:
        """`seconds` until the answer begins. UnreadableDocument where it does not come."""
        started = time.monotonic()
        self._line.settimeout(seconds)
        try:
            protocol.ask(self._line, question, original.fd)
            return protocol.receive(self._line)
        except TimeoutError as error:
            raise _unreadable(original, f"took longer than {seconds:g} s to decode") from error
        except (OSError, EOFError, ValueError) as error:
            raise _unreadable(original, f"stopped its decoder after {time.monotonic() - started:.1f} s") from error

    def is_alive(self) -> bool:
        """Whether it still waits for a question: one that had none for minutes ended itself."""
        return self._process.poll() is None

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


def _unreadable(original: Original, reason: str) -> UnreadableDocument:
    return UnreadableDocument(f"{original.name} {reason}", remedy="open the original; other files are not concerned")
