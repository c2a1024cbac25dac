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
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

import rag
from rag.backends.base import Choice
from rag.backends.server import client
from rag.backends.server.embedder import ServerEmbedder
from rag.backends.server.embedding_forms import PATH
from rag.types import Content
from tests.bench.measure import Row, seconds, show
from tests.models import checkpoints, engines

KINDS = {"texts": (1_600, 0), "pictures": (0, 480)}  # contents of one repetition: texts, pictures
PLACES = {"same": "same cores", "apart": "cores of their own"}
SIDE = 128  # pixels of a picture's side
REPETITIONS = 3
BOUND = 0.9  # of the bare throughput
MANY = 16  # texts a request should carry where there are that many
UNCACHED = ("--no-enable-prefix-caching", "--mm-processor-cache-gb", "0")
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1",
    # Else vLLM computes in a process beside its engine, and the two call sched_yield in a circle while they wait for each other,
    # for a second after every step: what is measured then is how the kernel shares two cores among four busy processes.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false", "NO_PROXY": "127.0.0.1,localhost",
}  # fmt: skip


def rows(server: engines.Server, home: Path, asked: Sequence[str] = ()) -> list[Row]:
    """Embedding alone and a whole run of the write path, for texts and for pictures; beside a server on the same cores, and
    beside one that has half of them for itself, as a server has on a machine of its own. `asked`: some of KINDS and PLACES.
    """
    embedder = ServerEmbedder(Choice(model=server.name, urls=(server.url,)))
    index = str(home / "index")
    _write(home / "first", 0, texts=1, pictures=0)
    flags = {"backend": "server", "model": server.name, "url": server.url, "ocr": "never"}
    rag.build_index(home / "first", index=index, **flags)  # the proofs of format, once for an index, are not measured
    seeds = count(1)

    def contents(texts: int, pictures: int) -> Callable[[], object]:
        seed = next(seeds)
        made = [Content("text", text=text) for text in _texts(seed, texts)]
        made += [Content("image", pixels=(pixels,)) for pixels in _pictures(seed, pictures)]
        return lambda: embedder.embed(made, role="document")

    def corpus(texts: int, pictures: int) -> Callable[[], object]:
        seed = next(seeds)
        folder = home / f"corpus{seed}"
        _write(folder, seed, texts, pictures)
        return lambda: rag.build_index(folder, index=index, **flags)

    found = []
    for place in _chosen(PLACES, asked):
        if place == "apart":
            _part(server.process.pid)
        for kind in _chosen(KINDS, asked):
            for what, prepare in (("ServerEmbedder.embed", contents), ("rag.build_index, server", corpus)):
                found += _compare(f"{what}, {kind}, {PLACES[place]}", partial(prepare, *KINDS[kind]), server)
    kept = {name: _counter(server, name) for name in ("vllm:prefix_cache_hits_total", "vllm:mm_cache_hits_total")}
    if any(kept.values()):
        raise SystemExit(f"a cache was measured: {kept}")
    return found


def _chosen(names: Iterable[str], asked: Sequence[str]) -> list[str]:
    """Those that were asked for; all where none of them was."""
    return [name for name in names if name in asked] or list(names)


def _part(server: int) -> None:
    """Gives the server and its children the first half of the cores, and this process and what it starts the rest."""
    cores = sorted(os.sched_getaffinity(0))
    half = len(cores) // 2
    if not half:
        return
    everybody = {int(each.name): each for each in Path("/proc").iterdir() if each.name.isdecimal()}
    theirs, size = {server}, 0
    while size != len(theirs):
        size = len(theirs)
        theirs |= {number for number, place in everybody.items() if _parent(place) in theirs}
    for process, wanted in [*((number, cores[:half]) for number in theirs), (os.getpid(), cores[half:])]:
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), wanted)


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # ended meanwhile
        return 0


def _compare(what: str, prepare: Callable[[], Callable[[], object]], server: engines.Server) -> list[Row]:
    """Items a second of both sides, medians, after one warm-up; and the texts that travelled with at least MANY."""
    with _recorded() as sent:
        prepare()()
    _post(server, sent.bodies)
    ours, bare, starts, ends = [], [], [], []
    for number in range(1, REPETITIONS + 1):
        work = prepare()
        earlier = sent.bodies
        if number % 2:
            bare.append(_items(earlier) / seconds(lambda earlier=earlier: _post(server, earlier)))
        began = time.perf_counter()
        with _recorded() as sent:
            taken = seconds(work)
        ours.append(_items(sent.bodies) / taken)
        contents = sorted(sent.exchanges)[2 if "index" in what else 0 :]  # after the canaries of an index
        starts.append(contents[0][0] - began)
        ends.append(began + taken - max(ended for _, ended in contents))
        if not number % 2:
            bare.append(_items(earlier) / seconds(lambda earlier=earlier: _post(server, earlier)))
    rate, floor = statistics.median(ours), statistics.median(bare)
    ratio = rate / floor
    parts = f"start {statistics.median(starts):.2f} s, end {statistics.median(ends):.2f} s"
    shown = f"{rate:.0f}/s of {_items(sent.bodies):,} items ({parts})"
    found = [Row(f"{what}: items a second", shown, f"bare: {floor:.0f}/s", ratio, f"≥ {BOUND}", ratio >= BOUND)]
    counts = [len(body["input"]) for body in map(json.loads, sent.bodies) if "input" in body]
    together = [count for count in counts if count > 1]  # one alone is the canary of an index, or a question for its length
    if together:
        many = sum(count for count in together if count >= MANY)
        share = many / sum(together)
        measured, of = f"{many} ({min(together)} … {max(together)} each)", str(sum(together))
        found.append(Row(f"{what}: texts in requests of ≥ {MANY}", measured, of, share, "≥ 0.99", share >= 0.99))
    return found


@dataclass
class Sent:
    """What went to the server: the bodies in order, and when each request began and ended."""

    bodies: list[bytes] = field(default_factory=list)
    client: list[tuple[float, float]] = field(default_factory=list)


@contextmanager
def _recorded() -> Iterator[Sent]:
    """The requests that the project sends meanwhile."""
    sent = Sent()
    encode, exchange = client._encoded, client.exchange

    def encoded(body):
        sent.bodies.append(encode(body))
        return sent.bodies[-1]

    def exchanged(link, path, content, seconds):
        began = time.perf_counter()
        try:
            return exchange(link, path, content, seconds)
        finally:
            if content is not None:
                sent.exchanges.append((began, time.perf_counter()))

    with patch.object(client, "_encoded", encoded), patch.object(client, "exchange", exchanged):
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
            found = rows(engines.answering(server), home, sys.argv[1:])
    show(found)
    return int(not all(row.holds for row in found))


if __name__ == "__main__":
    sys.exit(main())
