"""A chat server that answers by script: OpenAI's API as vLLM has it, over a toy tokenizer, with the faults that servers have.

Knows HTTP and the script of a test; knows nothing of the project.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = re.compile(r"<\|\w+\|>|\w{1,4}|[^\w\s]|\n")
PICTURE_TOKENS = 40


@dataclass
class Script:
    """How the server answers; `reply` makes the answer of the messages."""

    reply: Callable[[list[dict[str, Any]]], str] = lambda _: "Nothing. [1]"
    model: str = "tiny-chat"
    context: int = 8_192
    tokenize: bool = True
    sees: bool = True
    usage: bool = True
    most_pictures: int = 99
    role: str = "assistant"
    key: str = ""
    pieces: int = 3  # characters of each event
    pause: float = 0.0  # seconds between events
    busy: int = 0  # so many requests are answered with 429 first
    fault: str = ""  # reset, no-done, garbage, endless, error, silent, not-a-stream, no-choices
    finish: str = "stop"
    bodies: list[dict[str, Any]] = field(default_factory=list)  # of /v1/chat/completions
    paths: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)  # a client went away in the middle of an answer


def tokens_of(text: str) -> int:
    return len(TOKEN.findall(text))


def prompt_tokens(messages: list[dict[str, Any]]) -> int:
    """Of a conversation as the server's template renders it: three tokens around each turn."""
    total = 3
    for turn in messages:
        parts = turn["content"] if isinstance(turn["content"], list) else [{"type": "text", "text": turn["content"]}]
        total += 3 + sum(tokens_of(one["text"]) if one["type"] == "text" else PICTURE_TOKENS for one in parts)
    return total


def pictures_in(messages: list[dict[str, Any]]) -> int:
    return sum(part["type"] == "image_url" for turn in messages if isinstance(turn["content"], list) for part in turn["content"])


@contextmanager
def chatting(script: Script) -> Iterator[str]:
    """The URL of a running server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            script.paths.append(self.path)
            if self.path == "/v1/models":
                card = {"id": script.model} | ({"max_model_len": script.context} if script.context else {})
                self._json(200, {"data": [card]})
            else:
                self._json(404, {"error": {"message": "Not Found"}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            script.paths.append(self.path)
            if script.key and self.headers.get("authorization") != f"Bearer {script.key}":
                self._json(401, {"error": {"message": "Unauthorized"}})
            elif self.path == "/tokenize" and script.tokenize:
                found = prompt_tokens(body["messages"]) if "messages" in body else tokens_of(body["prompt"])
                self._json(200, {"count": found})
            elif self.path == "/v1/chat/completions":
                self._chat(body)
            else:
                self._json(404, {"error": {"message": "Not Found"}})

        def _chat(self, body: dict[str, Any]) -> None:
            if script.busy:
                script.busy -= 1
                self._json(429, {"error": {"message": "too many requests"}}, {"Retry-After": "0"})
                return
            script.bodies.append(body)
            used = prompt_tokens(body["messages"])
            if pictures_in(body["messages"]) and not script.sees:
                self._json(400, {"error": {"message": f"{script.model} is not a multimodal model"}})
                return
            if pictures_in(body["messages"]) > script.most_pictures:
                self._json(400, {"error": {"message": f"At most {script.most_pictures} image(s) may be provided in one prompt."}})
                return
            if script.context and used + body["max_tokens"] > script.context:
                self._json(400, {"error": {"message": f"This model's maximum context length is {script.context} tokens"}})
                return
            answer = script.reply(body["messages"])
            usage = {"prompt_tokens": used, "completion_tokens": tokens_of(answer)} if script.usage else None
            if not body.get("stream") or script.fault == "not-a-stream":
                choice = {"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
                self._json(200, {"choices": [choice], "usage": usage})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            with suppress(BrokenPipeError, ConnectionResetError):
                self._stream(answer, usage)
                return
            script.ended.set()

        def _stream(self, answer: str, usage: dict[str, int] | None) -> None:
            self._event({"choices": [{"delta": {"role": script.role, "content": ""}}]})
            pieces = [answer[at : at + script.pieces] for at in range(0, len(answer), script.pieces)]
            for at, piece in enumerate(pieces):
                if script.fault and at == len(pieces) // 2:
                    if script.fault == "reset":
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.connection.close()
                        return
                    if script.fault == "garbage":
                        self.wfile.write(b"data: {half\n\n")
                    if script.fault == "no-choices":
                        self._event({"id": "x"})
                    if script.fault == "error":
                        self._event({"error": {"message": "the engine died"}})
                    if script.fault == "silent":
                        time.sleep(3)
                self._event({"choices": [{"delta": {"content": piece}}]})
                time.sleep(script.pause)
            while script.fault == "endless":
                self._event({"choices": [{"delta": {"content": "and on and on "}}]})
            if script.fault == "no-done":
                return
            self._event({"choices": [{"delta": {}, "finish_reason": script.finish}]})
            if usage:
                self._event({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, content: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")
            self.wfile.flush()

        def _json(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
            sent = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
