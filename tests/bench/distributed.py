"""A run on two local Ray nodes beside the model's own limit: `rag index --on ray`, a picture a request, over HTTP.

Knows the command, Ray's test cluster and the slow server. The pictures are small, so that two cores, which the nodes, their
readers, the driver and the server share, can read and send them: what is measured is whether the run keeps the model busy.
Two requests more than it takes at once are sent (RAG_IN_FLIGHT), as one does where answers have a way to go.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.bench import inputs
from tests.bench.measure import Row, show
from tests.bench.slow_server import LANES, MODEL, REQUEST, calls_of, slow_server

PICTURES = 30_000 if "--full" in sys.argv else 6_000
NODES, CORES = 2, 1  # of each node
IN_FLIGHT = int(os.environ.get("RAG_IN_FLIGHT", LANES + 2))
BOUND = 0.9


def rows() -> list[Row]:
    """What share of the model's limit is reached between its first call and its last."""
    folder = inputs.folder_of("stamp", PICTURES, stamp, ".jpg")
    with tempfile.TemporaryDirectory() as home, _nodes() as address, slow_server() as url:
        words = [sys.executable, "-m", "rag.cli", "index", str(folder), "--index", f"{home}/index", "--no-lite-first"]
        words += ["--on", "ray", "--backend", "server", "--model", MODEL, "--url", url, "--ocr", "never", "--format", "jsonl"]
        environment = os.environ | {"RAY_ADDRESS": address, "RAG_IN_FLIGHT": str(IN_FLIGHT)}
        began, at = time.monotonic(), os.getloadavg()[0]
        with Path(home, "told").open("w") as told:
            subprocess.run(words, check=True, stdout=told, env=environment)
        ended = time.monotonic()
        calls = calls_of(url, PICTURES)
    assert len(calls.began) == PICTURES, len(calls.began)
    if out := os.environ.get("BENCH_CALLS"):
        Path(out).write_text(json.dumps(calls.began))
    first, last = min(calls.began) - began, ended - max(calls.began) - REQUEST
    ratio = calls.limit / calls.taken
    model = f"a model of {REQUEST * 1000:.0f} ms, {LANES} at once, {IN_FLIGHT} sent"
    what = f"{PICTURES:,} pictures on {NODES} Ray nodes of {CORES} core each, {model}"
    parts = f"first call after {first:.1f} s, end {last:.1f} s after the last, load {at:.1f}"
    measured = f"{calls.taken:.1f} s between first and last call ({parts})"
    return [Row(what, measured, f"its limit {calls.limit:.1f} s", ratio, f"≥ {BOUND}", ratio >= BOUND)]


def stamp(file: Path, number: int) -> None:
    """A JPEG of 160 × 120, about 5 kB; all differ."""
    from PIL import Image

    random = np.random.default_rng(number)
    soft = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    soft.resize((160, 120), Image.Resampling.BICUBIC).save(file, quality=90)


@contextmanager
def _nodes() -> Iterator[str]:
    """The address of a cluster of nodes on this machine, as Ray's own tests make them."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": CORES, "include_dashboard": False})
    try:
        for _ in range(NODES - 1):
            made.add_node(num_cpus=CORES)
        yield made.address
    finally:
        made.shutdown()


if __name__ == "__main__":
    show(rows())
