"""`make bench-models`: embedding through a real vLLM server, beside a bare load generator that posts the very same requests.

Knows HTTP and a tiny checkpoint; knows no prompt. The floor is what the server can do: requests ready as bytes, as many at once.

Every repetition has fresh contents, and the server keeps nothing (neither prefixes nor pictures; its own counters must say so):
no cache is measured. The bare side posts the requests that the project sent in the repetition before: the same shapes, the
same sizes. The order changes from one repetition to the next.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

import rag
from rag.backends import http as exchanges
from rag.backends.base import Choice
from rag.backends.server import PATH, ServerEmbedder
from rag.types import Content
from tests.bench.measure import Row, seconds, show
from tests.models import checkpoints, engines

TEXTS, PICTURES, SIDE = 400, 60, 128  # contents of one repetition; pixels of a picture's side
REPETITIONS = 5
BOUND = 0.9  # of the bare throughput
MANY = 16  # texts a request should carry where there are that many
UNCACHED = ("--no-enable-prefix-caching", "--mm-processor-cache-gb", "0")
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1",
    "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false", "NO_PROXY": "127.0.0.1,localhost",
}  # fmt: skip


def rows(server: engines.Server, home: Path) -> list[Row]:
    """Embedding alone, a whole run of the write path, and how many texts travel together."""
    embedder = ServerEmbedder(Choice(model=server.name, urls=(server.url,)))
    index = str(home / "index")
    _write(home / "first", 0, texts=1, pictures=0)
    flags = {"backend": "server", "model": server.name, "url": server.url, "ocr": "never"}
    rag.build_index(home / "first", index=index, **flags)  # the proofs of format, once for an index, are not measured

    def contents(seed: int) -> Callable[[], object]:
        made = [Content("text", text=text) for text in _texts(seed, TEXTS)]
        made += [Content("image", pixels=(pixels,)) for pixels in _pictures(seed, PICTURES)]
        return lambda: embedder.embed(made, role="document")

    def corpus(seed: int) -> Callable[[], object]:
        folder = home / f"corpus{seed}"
        _write(folder, seed, TEXTS, PICTURES)
        return lambda: rag.build_index(folder, index=index, **flags)

    found = []
    for what, prepare in (("ServerEmbedder.embed", contents), ("rag.build_index, server", corpus)):
        found += _compare(what, prepare, server)
    kept = {name: _counter(server, name) for name in ("vllm:prefix_cache_hits_total", "vllm:mm_cache_hits_total")}
    if any(kept.values()):
        raise SystemExit(f"a cache was measured: {kept}")
    return found


def _compare(what: str, prepare: Callable[[int], Callable[[], object]], server: engines.Server) -> list[Row]:
    """Items a second of both sides, medians, after one warm-up; and the texts that travelled with at least MANY."""
    first = 1_000 * len(what)
    with _recorded() as sent:
        prepare(first)()
    _post(server, sent)
    ours, bare = [], []
    for number in range(1, REPETITIONS + 1):
        work = prepare(first + number)
        earlier = sent
        if number % 2:
            bare.append(_items(earlier) / seconds(lambda earlier=earlier: _post(server, earlier)))
        with _recorded() as sent:
            taken = seconds(work)
        ours.append(_items(sent) / taken)
        if not number % 2:
            bare.append(_items(earlier) / seconds(lambda earlier=earlier: _post(server, earlier)))
    rate, floor = statistics.median(ours), statistics.median(bare)
    ratio = rate / floor
    together = [len(body["input"]) for body in map(json.loads, sent) if "input" in body]
    many = sum(count for count in together if count >= MANY)
    share = many / sum(together)
    least, most = min(count for count in together if count > 1), max(together)  # one alone is the canary of an index
    bound = f"≥ {BOUND}"
    return [
        Row(f"{what}: items a second", f"{rate:.0f}/s", f"bare requests: {floor:.0f}/s", ratio, bound, ratio >= BOUND),
        Row(
            f"{what}: texts in requests of ≥ {MANY}",
            f"{many} ({least} … {most} each)",
            f"{TEXTS}",
            share,
            "≥ 0.99",
            share >= 0.99,
        ),
    ]


@contextmanager
def _recorded() -> Iterator[list[bytes]]:
    """The bodies of the requests that the project sends meanwhile, in order."""
    sent: list[bytes] = []
    encode = exchanges._encoded

    def encoded(body):
        sent.append(encode(body))
        return sent[-1]

    with patch.object(exchanges, "_encoded", encoded):
        yield sent


def _items(bodies: Sequence[bytes]) -> int:
    return sum(len(body["input"]) if "input" in body else 1 for body in map(json.loads, bodies))


def _post(server: engines.Server, bodies: Sequence[bytes]) -> None:
    """Posts all of them and reads the answers: as many threads as the project has requests in flight, one connection each."""
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for body in bodies:
        waiting.put(body)
    failures: list[str] = []

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
        while True:
            try:
                body = waiting.get_nowait()
            except Empty:
                return connection.close()
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                failures.append(f"{answer.status}: {text[:200]!r}")

    threads = [threading.Thread(target=work) for _ in range(Choice().in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures or not waiting.empty():
        raise SystemExit(f"the server refused bare requests: {failures[:1]}")


def _counter(server: engines.Server, name: str) -> float:
    """The sum of a counter of the server; 0 where it has none of that name."""
    lines = httpx.get(server.url + "/metrics", timeout=30).text
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)}(?:{{.*}})? (\S+)$", lines, re.MULTILINE))


def _texts(seed: int, count: int) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("abcdefghijklmnoprstuw"), (count, 24, 6))
    return [" ".join("".join(word) for word in text) for text in letters]


def _pictures(seed: int, count: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(seed)
    for _ in range(count):
        small = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        yield np.asarray(small.resize((SIDE, SIDE)))


def _write(folder: Path, seed: int, texts: int, pictures: int) -> None:
    folder.mkdir()
    for number, text in enumerate(_texts(seed, texts)):
        (folder / f"text{number:04}.txt").write_text(text)
    for number, pixels in enumerate(_pictures(seed, pictures)):
        Image.fromarray(pixels).save(folder / f"picture{number:04}.jpg", quality=90)


def main() -> int:
    """Starts the server, prints the table; 1 where a bound is missed."""
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        made = checkpoints.make("vl-embedder", home / "models")
        with engines.serving("vl-embedder", made, home / "server.log", extra=UNCACHED) as server:
            found = rows(engines.answering(server), home)
    show(found)
    return int(not all(row.holds for row in found))


if __name__ == "__main__":
    sys.exit(main())
