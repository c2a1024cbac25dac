"""How a decoder process is asked and answers: an open file and a question go one way, values and bytes the other.

Knows sockets; knows neither the questions nor what is decoded. JSON and plain bytes only: what a hostile file may have taken over
in the other process cannot hand objects to this one.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

MOST_BYTES = 256_000_000  # of one answer
_ASKED = struct.Struct(">I")
_ANSWERED = struct.Struct(">II")


def ask(line: socket.socket, question: dict[str, Any], fd: int) -> None:
    """Sends a question and the file it is about."""
    sent = json.dumps(question).encode()
    socket.send_fds(line, [_ASKED.pack(len(sent))], [fd])
    line.sendall(sent)


def hear(line: socket.socket) -> tuple[dict[str, Any], int] | None:
    """The next question and its open file; None where nobody asks any more."""
    head, fds, _, _ = socket.recv_fds(line, _ASKED.size, 1)
    if len(head) < _ASKED.size or not fds:
        return None
    os.set_inheritable(fds[0], False)
    question: dict[str, Any] = json.loads(_exactly(line, _ASKED.unpack(head)[0]))
    return question, fds[0]


def answer(line: socket.socket, values: dict[str, Any], content: bytes = b"") -> None:
    """Sends values and bytes back."""
    said = json.dumps(values).encode()
    line.sendall(_ANSWERED.pack(len(said), len(content)) + said)
    line.sendall(content)


def receive(line: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The answer. EOFError where the other side ended, ValueError where it answers nonsense, TimeoutError where it is late."""
    said, length = _ANSWERED.unpack(_exactly(line, _ANSWERED.size))
    if said + length > MOST_BYTES:
        raise ValueError("an answer too long to be one")
    values = json.loads(_exactly(line, said))
    if not isinstance(values, dict):
        raise ValueError("an answer that is no object")
    return values, _exactly(line, length)


def _exactly(line: socket.socket, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = line.recv(min(count, 1 << 20))
        if not part:
            raise EOFError("the other side ended")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
