"""Figures from loads: rates, latencies, tokens, caches, and the share of a peak; by values worked out by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from rag.backends.base import Choice
from rag.backends.server.exchange import HttpResponse
from rag.benchmark.load import ClosedLoop, FixedRate, Load
from rag.benchmark.measurement import CacheHits, Measurement, in_words, middle
from rag.benchmark.peak import share_of_peak, weights_met
from rag.benchmark.published import PUBLISHED
from rag.benchmark.server_caches import hits_between, read_counters
from rag.benchmark.token_usage import TokenUsage, UsageTally


def measured(seconds: float, waits: tuple[float, ...], tokens: int | None = None, failures: dict | None = None) -> Measurement:
    return Measurement("embedding texts", "m", ClosedLoop(4), Load(seconds, waits, failures or {}), tokens)


def test_rates_and_latencies() -> None:
    one = measured(2.0, tuple(number / 1000 for number in range(1, 101)), 20_000, {"late": 1, "broken": 3})
    assert (one.completed, one.failed) == (100, 4)
    assert list(one.failures.items()) == [("broken", 3), ("late", 1)]
    assert (one.requests_per_second, one.tokens_per_second) == (50.0, 10_000.0)
    assert one.mean == pytest.approx(50.5)
    assert [one.percentile(share) for share in (50, 95, 99)] == pytest.approx([50.5, 95.05, 99.01])


def test_where_nothing_was_answered_nothing_is_made_up() -> None:
    one = measured(1.0, (), None, {"broken": 5})
    assert (one.completed, one.failed, one.requests_per_second, one.tokens_per_second) == (0, 5, 0.0, None)
    assert (one.mean, one.percentile(99)) == (0.0, 0.0)


def test_of_repetitions_the_middle_one_is_reported() -> None:
    found = [measured(seconds, (0.1,) * 10) for seconds in (1.0, 4.0, 2.0)]
    assert middle(found).load.seconds == 2.0
    assert middle(found).repetitions == (10.0, 2.5, 5.0)
    assert middle(found[:2]).requests_per_second == 2.5  # the slower of two


def test_loads_in_words() -> None:
    said = [in_words(pattern, 100) for pattern in (ClosedLoop(1), ClosedLoop(8), ClosedLoop(100), FixedRate(2.5))]
    assert said == ["one user without pause", "8 users without pause", "all at once", "2.5 requests a second"]


def test_the_published_rows_agree_with_themselves() -> None:
    for row in PUBLISHED.values():
        assert row.completed / row.seconds == pytest.approx(row.requests_per_second, rel=1e-3)
        assert row.tokens / row.seconds == pytest.approx(row.tokens_per_second, rel=1e-3)


@pytest.mark.parametrize(
    ("model", "sees", "weights"),
    [
        ("Qwen/Qwen3-VL-Embedding-8B", True, 36 * 4096 * (2 * 4096 + 2 * 1024 + 3 * 12288)),
        ("Qwen/Qwen3-VL-Reranker-2B", True, 28 * 2048 * (2 * 2048 + 2 * 1024 + 3 * 6144)),
        ("Qwen/Qwen3-Embedding-0.6B", False, 28 * 1024 * (2 * 2048 + 2 * 1024 + 3 * 3072)),
        ("BAAI/bge-m3", False, 0),
    ],
)
def test_the_weights_that_a_token_meets(model, sees, weights) -> None:
    assert weights_met(model, sees=sees) == weights


def test_the_weights_of_a_folder_come_from_its_config(tmp_path) -> None:
    text = {"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128, "head_dim": 16, "vocab_size": 340}
    config = {"text_config": {**text, "num_attention_heads": 8, "num_key_value_heads": 2}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert weights_met(str(tmp_path), sees=True) == 2 * 64 * (2 * 8 * 16 + 2 * 2 * 16 + 3 * 128)


def test_the_published_throughput_as_a_share_of_a_peak() -> None:
    """8B: 13.9 billion operations a token, 10,240 tokens a second: 142 of 320 · 10¹² a second."""
    weights = weights_met("Qwen3-VL-Embedding-8B", sees=True)
    assert weights == pytest.approx(6.95e9, rel=0.01)
    assert share_of_peak(weights, 10_240.42, 320) == pytest.approx(0.4444, abs=0.002)


def answer(content: object) -> HttpResponse:
    return HttpResponse("http://here/v1/embeddings", content)


def test_usage_is_added_up() -> None:
    tally = UsageTally()
    for told in (
        {"usage": {"prompt_tokens": 10, "total_tokens": 10, "prompt_tokens_details": None}},
        {"usage": {"prompt_tokens": 20, "prompt_tokens_details": {"cached_tokens": 16}}},
        {"usage": {"total_tokens": 5}},
        {"usage": {"prompt_tokens": True}},
        {"usage": None},
        {"data": []},
        [{"index": 0, "score": 0.5}],
    ):
        tally.hear(answer(told))
    assert tally.take() == TokenUsage(answers=3, tokens=35, cached=16)
    assert tally.take() == TokenUsage(0, 0, None)


METRICS = """# HELP vllm:prefix_cache_hits_total Prefix cache hits
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 64.0
vllm:prefix_cache_hits_total{engine="1",model_name="m"} 16.0
vllm:prefix_cache_hits_created{engine="0"} 1.7e+09
vllm:mm_cache_hits_total{engine="0"} 3.0
"""


class Metrics(BaseHTTPRequestHandler):
    page = METRICS

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" and self.page else 404)
        self.end_headers()
        self.wfile.write(self.page.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def served():
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Page", (Metrics,), {}))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_counters_of_caches_are_read(served) -> None:
    url = f"http://127.0.0.1:{served.server_port}"
    assert read_counters(Choice(urls=(url,))) == CacheHits(tokens=80, pictures=3)
    assert read_counters(Choice(urls=(f"{url}/v1", url))) == CacheHits(tokens=160, pictures=6)
    assert read_counters(Choice(urls=(url, "http://127.0.0.1:9"))) == CacheHits(None, None)
    served.RequestHandlerClass.page = "other 1\n"
    assert read_counters(Choice(urls=(url,))) == CacheHits(None, None)


def test_hits_between_two_readings() -> None:
    assert asdict(hits_between(CacheHits(80, None), CacheHits(100, 5))) == {"tokens": 20, "pictures": None}
    assert hits_between(CacheHits(80, 1), CacheHits(3, 1)) == CacheHits(0, 0)  # the server was restarted
