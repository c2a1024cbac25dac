"""`rag bench` beside `vllm bench serve`: texts of one length in the same prompts, the same server, as many at once.

Knows a tiny checkpoint and both programs; knows no prompt but the embedder's, which the other program must be given. Both send
fresh texts in every repetition, in changing order, and the server runs without its prefix cache.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from rag.backends.base import Choice
from rag.backends.families import family_of, instruction_for
from rag.backends.prompts import embedding_prompt
from rag.benchmark.inputs import RandomTexts
from rag.benchmark.load import ClosedLoop
from rag.benchmark.measurement import Measurement
from rag.benchmark.model_servers import Workload, measure_embedder, measure_reranker
from rag.types import Content
from tests.bench.measure import Row, show
from tests.bench.server import ENVIRONMENT, UNCACHED
from tests.models import checkpoints, engines
from tests.models.vllm_bench import VllmBench

REQUESTS, TOKENS, USERS = 200, 200, 16
REPETITIONS = 3
BOUND = 0.95  # of the throughput that the other program measures
ROLES = {"embedder": ("/v1/embeddings", measure_embedder), "reranker": ("/v1/rerank", measure_reranker)}


def rows(server: engines.Server, role: str, program: VllmBench, home: Path) -> list[Row]:
    """Throughput by both programs, medians, and whether they count the same requests and tokens."""
    path, measure = ROLES[role]
    load = Workload(REQUESTS, TOKENS, pictures=0, patterns=(ClosedLoop(USERS),))
    choice = Choice(model=server.name, family="qwen3-vl", urls=(server.url,))
    ours: list[Measurement] = []
    theirs: list[dict[str, Any]] = []

    def other() -> None:
        prompts = _prompts(server, role)
        theirs.append(program.run(server, path, prompts, USERS, home / f"{role}{len(theirs)}"))

    def own() -> None:
        ours.extend(measure(choice, load))

    works: list[Callable[[], None]] = [own, other]
    for number in range(REPETITIONS + 1):  # the first one warms up
        for work in works[:: 1 if number % 2 else -1]:
            work()
    rate = statistics.median(one.requests_per_second for one in ours[1:])
    floor = statistics.median(one["request_throughput"] for one in theirs[1:])
    counted = {(one.completed, one.failed, one.tokens) for one in ours}
    other_counted = {(one["completed"], sum(map(bool, one["errors"])), one["total_input_tokens"]) for one in theirs}
    same = counted == other_counted and len(counted) == 1
    told, beside = (
        ", ".join(f"{done} + {failed}, {tokens} tokens" for done, failed, tokens in one) for one in (counted, other_counted)
    )
    ratio = rate / floor
    return [
        Row(
            f"{role}: requests a second", f"{rate:.1f}/s", f"vllm bench serve: {floor:.1f}/s", ratio, f"≥ {BOUND}", ratio >= BOUND
        ),
        Row(f"{role}: answered + failed, tokens", told, beside, float(same), "the same", same),
    ]


def _prompts(server: engines.Server, role: str) -> list[Any]:
    """What the other program sends: rendered prompts, or a query and a document that the server renders."""
    made = partial(RandomTexts, count=partial(_count, server), random=np.random.default_rng())
    if role == "reranker":
        half = TOKENS // 2
        return [list(pair) for pair in zip(made(half).make(REQUESTS), made(TOKENS - half).make(REQUESTS), strict=True)]
    family = family_of(Choice(family="qwen3-vl"), "embedder")
    told = instruction_for(family, Choice(), "document")
    return [embedding_prompt(family, Content("text", text=text), "document", told) for text in made(TOKENS).make(REQUESTS)]


def _count(server: engines.Server, text: str) -> int:
    body = {"model": server.name, "prompt": text, "add_special_tokens": False}
    return int(httpx.post(f"{server.url}/tokenize", json=body, timeout=60).json()["count"])


def main() -> int:
    """Starts the servers one after the other, prints the table; 1 where a bound is missed."""
    os.environ.update(ENVIRONMENT)
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for role in sys.argv[1:] or ROLES:
            made = checkpoints.make(f"vl-{role}", home / "models")
            log = home / f"{role}.log"
            with (
                engines.serving(f"vl-{role}", made, log, extra=UNCACHED) as server,
                VllmBench(home / f"{role}-bench.log") as program,
            ):
                found += rows(engines.answering(server), role, program, home)
    show(found)
    return int(not all(row.holds for row in found))


if __name__ == "__main__":
    sys.exit(main())
