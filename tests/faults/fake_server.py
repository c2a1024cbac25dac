"""A model server on loopback that answers as vLLM does, counts what it is asked, and fails as it is told.

Knows HTTP and the shapes of the API; knows nothing of the package under test. Its vectors depend on the input alone, so that a
vector in the wrong place shows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


@dataclass
class Request:
    path: str
    body: dict
    headers: dict


class FakeServer:
    """Serves one model as embedder and reranker. `fail(…)` sets what the next POSTs get instead of the right answer."""

    def __init__(self, model="Qwen/Qwen3-Embedding-0.6B", dim=1024, *, root=None, models=None, lists_only=False, tls=()):
        self.model, self.dim, self.root = model, dim, root or model
        self.models = models  # what GET /v1/models answers instead
        self.weights = ""  # other weights, other vectors
        self.lists_only = lists_only  # no base64, as TEI
        self.paths = {"/v1/embeddings", "/v1/rerank", "/score", "/v1/models"}
        self.requests: list[Request] = []
        self.looks = 0  # at /v1/models
        self.faults: deque = deque()
        self.always = None  # a fault of every POST
        self.most_at_once = 0
        self.tls = tls  # files of a certificate and its key
        self._at_once, self._lock, self._port = 0, threading.Lock(), 0
        self._server = None
        self.start()

    def start(self):
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", self._port), handler)
        self._port = self._server.server_address[1]
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        """Refuses new connections and breaks those there are, as a killed process does."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._server.connections):
            _reset(connection)

    def restart_after(self, seconds):
        self.stop()
        timer = threading.Timer(seconds, self.start)
        timer.start()
        return timer

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self._port}"

    @property
    def accepted(self):
        """Connections so far."""
        return self._server.accepted

    @property
    def open_connections(self):
        return len(self._server.connections)

    def fail(self, *faults):
        self.faults.extend(faults)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- right answers ----------------------------------------------------------------------

    def vector(self, shown, dim=0):
        """The unit vector of one input (a string or a conversation)."""
        seed = int.from_bytes(hashlib.sha256((self.weights + json.dumps(shown)).encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(dim or self.dim).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def score(self, query, document):
        """A number in 0…1 that depends on both."""
        digest = hashlib.sha256(json.dumps([query, document]).encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32

    def right(self, path, body):
        if path == "/v1/embeddings":
            shown = [body["messages"]] if "messages" in body else body["input"]
            vectors = [self.vector(one, body.get("dimensions", 0)) for one in shown]
            packed = body.get("encoding_format") == "base64" and not self.lists_only
            rows = [base64.b64encode(row.tobytes()).decode() if packed else row.tolist() for row in vectors]
            data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
            return {"object": "list", "model": self.model, "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        query = body.get("query", body.get("queries"))
        scores = dict(enumerate(self.score(query, one) for one in body.get("documents", body.get("texts"))))
        if path == "/score":
            return {"object": "list", "data": [{"index": index, "score": score} for index, score in scores.items()]}
        best_first = sorted(scores.items(), key=lambda one: -one[1])
        if path == "/rerank":  # TEI
            return [{"index": index, "score": score} for index, score in best_first]
        ranked = [{"index": index, "relevance_score": score} for index, score in best_first]
        return {"id": "rerank-1", "model": self.model, "results": ranked}

    def cards(self):
        card = {"id": self.model, "object": "model", "root": self.root, "parent": None}
        return self.models or {"object": "list", "data": [card]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *args):
        self.connections = set()
        self.accepted = 0
        super().__init__(*args)

    def process_request(self, request, address):
        self.connections.add(request)
        self.accepted += 1
        super().process_request(request, address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, address):
        """A client that went away is no error here."""


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.fake.looks += 1
        if self.path not in self.fake.paths:
            return reply(self, {"error": {"message": "Not Found", "code": 404}}, status=404)
        return reply(self, {"model_id": self.fake.model} if self.path == "/info" else self.fake.cards())

    def do_POST(self):
        fake = self.fake
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with fake._lock:
            fake._at_once += 1
            fake.most_at_once = max(fake.most_at_once, fake._at_once)
            fake.requests.append(Request(self.path, body, dict(self.headers)))
            fault = fake.faults.popleft() if fake.faults else fake.always
        try:
            if self.path not in fake.paths:
                reply(self, {"detail": "Not Found"}, status=404)
            elif fault is None:
                reply(self, fake.right(self.path, body))
            else:
                fault(self, body)
        finally:
            with fake._lock:
                fake._at_once -= 1

    def log_message(self, *_):
        """Quiet."""


def reply(handler, content, *, status=200, kind="application/json", headers=None, length=None):
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(sent) if length is None else length))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(sent)


def _reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass


# ---- faults ---------------------------------------------------------------------------------


def status(code, message="out of order", **headers):
    """An error of that status; header names with `_` for `-`."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda handler, body: reply(handler, {"error": {"message": message, "code": code}}, status=code, headers=named)


def reset(handler, body):
    """The connection is reset in the middle of the answer."""
    sent = json.dumps(handler.fake.right(handler.path, body)).encode()
    reply(handler, sent[: len(sent) // 2], length=len(sent))
    handler.wfile.flush()
    _reset(handler.connection)
    handler.close_connection = True


def hang_up(handler, body):
    """The connection ends before any answer."""
    handler.close_connection = True


def truncated(handler, body):
    """Half of the announced length, then the end of the connection."""
    sent = json.dumps(handler.fake.right(handler.path, body)).encode()
    reply(handler, sent[: len(sent) // 2], length=len(sent))
    handler.close_connection = True


def half_json(handler, body):
    """A whole answer of half a JSON."""
    sent = json.dumps(handler.fake.right(handler.path, body)).encode()
    reply(handler, sent[: len(sent) // 2])


def drip(seconds):
    """One byte every 50 ms for that long: no single read times out."""

    def fault(handler, body):
        reply(handler, b"", length=10_000_000)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                break
            time.sleep(0.05)
        handler.close_connection = True

    return fault


def silent(seconds):
    """No answer at all for that long."""

    def fault(handler, body):
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def html(handler, body):
    reply(handler, b"<html><body>Welcome to the proxy</body></html>", kind="text/html; charset=utf-8")


def untyped(handler, body):
    """The right answer, called plain text."""
    reply(handler, handler.fake.right(handler.path, body), kind="text/plain")


def redirect(location):
    return lambda handler, body: reply(handler, b"", status=307, headers={"Location": location})


def endless(handler, body):
    """A JSON string without an end."""
    reply(handler, b'{"data": "', length=10**12)
    try:
        while True:
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        handler.close_connection = True


def instead(content):
    """A 200 with this content."""
    return lambda handler, body: reply(handler, content)


def edited(edit):
    """The right answer, changed by `edit(list of its entries) → list`."""

    def fault(handler, body):
        answer = handler.fake.right(handler.path, body)
        if isinstance(answer, list):
            return reply(handler, edit(answer))
        key = "results" if "results" in answer else "data"
        return reply(handler, {**answer, key: edit(answer[key])})

    return fault


def vector_of(numbers):
    """The first vector replaced by these numbers, as base64 of float32."""
    packed = base64.b64encode(np.asarray(numbers, "<f4").tobytes()).decode()
    return edited(lambda entries: [{**entries[0], "embedding": packed}, *entries[1:]])
