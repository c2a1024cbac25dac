"""Many users at once: `rag ui` asked without pause, beside the read path called in as many threads as there are cores.

Knows a running server and raw HTTP/1.1; knows nothing of how it answers. Asking shares the cores with answering, so what the
generator costs is counted against us: requests are bytes made beforehand, and of an answer only its length and status are read.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rag
from tests.bench.measure import Row

SAMPLES = Path(__file__).parents[2] / "samples"
USERS = 64
LOADED, FLOOR, ALONE = 60.0, 15.0, 15.0  # seconds


@dataclass(frozen=True)
class Load:
    """What came back: seconds of each answer from when it was due, the answers that were no success, and a second's answers."""

    waits: list[float]
    failures: int
    rate: float


def rows(seconds: float = LOADED) -> list[Row]:
    """Throughput under 64 users, and waiting at half of it."""
    with tempfile.TemporaryDirectory() as folder:
        index = str(Path(folder, "indexes/samples"))
        rag.build_index(SAMPLES / "corpus", index=index, ocr="never")
        with _serving(index) as port:
            requests = [_request(text, port) for text in _texts()]
            asyncio.run(_asked(port, requests, users=4, seconds=3))  # the models and the index are open now
            with rag.open_index(index) as searcher:
                floor = _in_threads(searcher, _texts(), os.cpu_count() or 1, min(FLOOR, seconds))
            crowd = asyncio.run(_asked(port, requests, USERS, seconds))
            alone = asyncio.run(_asked(port, requests, 1, min(ALONE, seconds)))
            steady = asyncio.run(_steady(port, requests, crowd.rate / 2, min(ALONE, seconds)))
    share = crowd.rate / floor
    waiting = _p95(steady.waits) / _p95(alone.waits)
    errors = crowd.failures + alone.failures + steady.failures
    return [
        Row(
            f"`rag ui`, {USERS} users without pause",
            f"{crowd.rate:.1f} answers/s, {errors} errors",
            f"threads {floor:.1f}/s",
            share,
            "≥ 0.8",
            share >= 0.8 and not errors,
        ),
        Row(
            "`rag ui`, p95 at half that rate",
            f"{1000 * _p95(steady.waits):.0f} ms",
            f"one user {1000 * _p95(alone.waits):.0f} ms",
            waiting,
            "≤ 3",
            waiting <= 3 and not errors,
        ),
    ]


def _texts() -> list[str]:
    lines = (SAMPLES / "queries.jsonl").read_text("utf-8").splitlines()
    return [row["query"] for row in map(json.loads, lines) if row.get("query") and not row.get("image")]


def _request(text: str, port: int) -> bytes:
    body = json.dumps({"text": text, "top_k": 10}).encode()
    head = f"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def _serving(index: str) -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    words = [sys.executable, "-m", "rag.cli", "ui", "--no-page", "--no-open", "--port", str(port), "--index", index]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _in_threads(searcher: rag.Searcher, texts: list[str], threads: int, seconds: float) -> float:
    """Searches a second of that many threads."""
    turn = itertools.cycle(texts)
    for text in texts[:4]:
        searcher.search(text, top_k=10)
    end = time.monotonic() + seconds
    counts = [0] * threads

    def work(number: int) -> None:
        while time.monotonic() < end:
            searcher.search(next(turn), top_k=10)
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    started = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.monotonic() - started)


async def _asked(port: int, requests: list[bytes], users: int, seconds: float) -> Load:
    """Each user asks again as soon as the answer is there."""
    turn = itertools.cycle(requests)
    waits: list[float] = []
    failures = 0
    started = time.monotonic()

    async def one() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() - started < seconds:
            asked = time.monotonic()
            failures += not await _answered(reader, writer, next(turn))
            waits.append(time.monotonic() - asked)
        writer.close()

    await asyncio.gather(*(one() for _ in range(users)))
    return Load(waits, failures, len(waits) / (time.monotonic() - started))


async def _steady(port: int, requests: list[bytes], rate: float, seconds: float) -> Load:
    """A question is due every 1 / rate seconds, whether or not earlier ones are answered; waiting counts from when it was due."""
    turn = itertools.cycle(requests)
    waits: list[float] = []
    failures = 0
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    started = time.monotonic()

    async def one(due: float) -> None:
        nonlocal failures
        while idle and idle[-1][0].at_eof():  # the server closes what was idle for 5 seconds
            idle.pop()[1].close()
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        failures += not await _answered(reader, writer, next(turn))
        waits.append(time.monotonic() - due)
        idle.append((reader, writer))

    tasks = []
    for number in range(int(rate * seconds)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return Load(waits, failures, len(waits) / (time.monotonic() - started))


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200")


def _p95(waits: list[float]) -> float:
    return sorted(waits)[int(0.95 * (len(waits) - 1))]


if __name__ == "__main__":
    from tests.bench.measure import show

    show(rows(float(sys.argv[1]) if len(sys.argv) > 1 else LOADED))
