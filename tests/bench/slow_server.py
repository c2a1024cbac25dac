"""A model server in a process of its own that takes 50 ms a request and eight requests at once, and none of this machine's time.

Knows HTTP and the form of the answers; computes no model. It has eight lanes: a request begins when it has come and a lane is
free, takes 50 ms of it, and a lane that waits for a request is time of the model that is lost.
"""

from __future__ import annotations

import base64
import heapq
import json
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

MODEL, DIM = "Qwen/Qwen3-VL-Embedding-2B", 2048
HEAD = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
REQUEST, LANES = 0.05, 8  # seconds of a request, and requests at once


class Calls(NamedTuple):
    """When the server began each request with a picture, in monotonic seconds."""

    began: list[float]

    @property
    def limit(self) -> float:
        """Seconds that these take at least."""
        return len(self.began) * REQUEST / LANES

    @property
    def taken(self) -> float:
        """Seconds from the first call to the end of the last."""
        return max(self.began) + REQUEST - min(self.began) if self.began else 0.0


class SlowServer:
    """The server as its process runs it: a thread for each connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes = [0.0] * LANES  # when each is free
        self._began: list[float] = []
        self._text = _vector(b"text").tolist()

    def talk(self, connection: socket.socket) -> None:
        """One connection, request after request."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader:
            while line := reader.readline():
                length = 0
                while (header := reader.readline().strip().lower()) != b"":
                    length = int(header.partition(b":")[2]) if header.startswith(b"content-length:") else length
                status, answer, at = self._answer(line.split()[1].decode(), reader.read(length))
                sent = json.dumps(answer).encode()
                time.sleep(max(0.0, at - time.monotonic()))
                connection.sendall(HEAD % (status, len(sent)) + sent)

    def _answer(self, path: str, body: bytes) -> tuple[bytes, object, float]:
        """The status, the answer, and when it is due."""
        if path == "/v1/models":
            return b"200 OK", {"data": [{"id": MODEL, "root": MODEL, "owned_by": "vllm", "max_model_len": 8192}]}, 0.0
        if path == "/calls":
            return b"200 OK", self._began, 0.0
        if path != "/v1/embeddings":
            return b"404 Not Found", {"error": "no such route"}, 0.0
        asked = json.loads(body)
        if asked.get("encoding_format") != "base64" or "input" in asked:  # proofs and canaries
            count = len(asked.get("input", "1"))
            return b"200 OK", {"data": [{"index": at, "embedding": self._text} for at in range(count)]}, 0.0
        with self._lock:
            began = max(time.monotonic(), heapq.heappop(self._lanes))
            heapq.heappush(self._lanes, began + REQUEST)
            self._began.append(began)
        vector = base64.b64encode(_vector(body).tobytes()).decode()
        return b"200 OK", {"data": [{"index": 0, "embedding": vector}]}, began + REQUEST


def _vector(shown: bytes) -> np.ndarray:
    """A unit vector that depends on what is shown."""
    vector = np.random.default_rng(zlib.crc32(shown)).standard_normal(DIM).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@contextmanager
def slow_server() -> Iterator[str]:
    """The address of one that runs."""
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def calls_of(url: str, last: int) -> Calls:
    """The last so many of what it was asked for pictures; canaries come before them."""
    import urllib.request

    with urllib.request.urlopen(f"{url}/calls") as answer:
        return Calls(json.load(answer)[-last:])


def _serve() -> None:
    server = SlowServer()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=server.talk, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    _serve()
