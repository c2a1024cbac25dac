"""`rag bench` beside `vllm bench serve`, on the same servers: the same counts, and what its own counters say."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from typer.testing import CliRunner

from rag.backends.base import Choice
from rag.backends.families import family_of, instruction_for
from rag.backends.prompts import embedding_prompt
from rag.benchmark.inputs import RandomTexts
from rag.cli.app import app
from rag.types import Content
from tests.models import engines
from tests.models.vllm_bench import VllmBench

REQUESTS, TOKENS, PICTURES, USERS = 24, 60, 6, 4


@pytest.fixture(scope="module")
def embedder(served) -> engines.Server:
    return engines.answering(served("vl-embedder"))


@pytest.fixture(scope="module")
def reranker(served) -> engines.Server:
    return engines.answering(served("vl-reranker"))


@pytest.fixture(scope="module")
def other_program(tmp_path_factory):
    with VllmBench(tmp_path_factory.mktemp("vllm-bench") / "log") as program:
        yield program


@pytest.fixture(scope="module")
def measured(embedder, reranker) -> dict[str, dict]:
    words = ["bench", "--url", embedder.url, "--reranker-url", reranker.url, "--json", "--pictures", PICTURES, "--users", USERS]
    words += ["--family", "qwen3-vl", "--reranker-family", "qwen3-vl", "--requests", REQUESTS, "--tokens", TOKENS]
    words += ["--peak-tflops", 1, "--parameters", 0.0001]
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {one["what"]: one for one in json.loads(done.stdout)["measurements"]}


def count(server: engines.Server, text: str) -> int:
    return server.post("/tokenize", {"prompt": text, "add_special_tokens": False}).json()["count"]


def random_texts(server: engines.Server, tokens: int) -> list[str]:
    return RandomTexts(tokens, partial(count, server), np.random.default_rng()).make(REQUESTS)


def counts(one: dict) -> tuple[int, int, int]:
    """Requests that were answered, those that failed, tokens: of either program."""
    if "errors" in one:
        return one["completed"], sum(map(bool, one["errors"])), one["total_input_tokens"]
    return one["completed"], one["failed"], one["input_tokens"]


def test_all_requests_are_answered(measured) -> None:
    assert {what: (one["completed"], one["failed"]) for what, one in measured.items()} == {
        "embedding texts": (REQUESTS, 0),
        "embedding pictures": (PICTURES, 0),
        "reranking texts": (REQUESTS, 0),
        "reranking pictures": (PICTURES, 0),
    }


@pytest.mark.long
def test_embedding_counts_as_vllm_counts(measured, embedder, other_program, tmp_path) -> None:
    """Texts of the same length in the same prompt, other ones."""
    texts = random_texts(embedder, TOKENS)
    assert [count(embedder, text) for text in texts] == [TOKENS] * REQUESTS
    family = family_of(Choice(family="qwen3-vl"), "embedder")
    told = instruction_for(family, Choice(), "document")
    prompts = [embedding_prompt(family, Content("text", text=text), "document", told) for text in texts]
    theirs = other_program.run(embedder, "/v1/embeddings", prompts, USERS, tmp_path)
    assert counts(measured["embedding texts"]) == counts(theirs)


@pytest.mark.long
def test_reranking_counts_as_vllm_counts(measured, reranker, other_program, tmp_path) -> None:
    half = TOKENS // 2
    pairs = [list(pair) for pair in zip(random_texts(reranker, half), random_texts(reranker, TOKENS - half), strict=True)]
    theirs = other_program.run(reranker, "/v1/rerank", pairs, USERS, tmp_path)
    assert counts(measured["reranking texts"]) == counts(theirs)


def test_the_tokens_of_pictures_are_those_of_their_size(measured) -> None:
    """8 × 8 patches of 32 pixels for 60 tokens, beside the frame of a text's prompt, and a start and an end."""
    frame = measured["embedding texts"]["input_tokens"] // REQUESTS - TOKENS
    assert measured["embedding pictures"]["input_tokens"] == PICTURES * (frame + 2 + 8 * 8)


def test_shares_and_caches_are_told(measured) -> None:
    """The tiny model's server counts what its prefix cache answers; each measurement says so, or says nothing was."""
    for one in measured.values():
        computed = one["input_tokens"] - one["cached_tokens"]
        assert one["peak_share"] == pytest.approx(2 * 1e5 * computed / one["seconds"] / 1e12)
        assert bool(one["cached_tokens"]) == any("prefix cache" in line for line in one["warnings"])
        assert one["cached_pictures"] == 0
