"""`rag bench` on the command line: the guides' table beside the published row, JSON, warnings, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.benchmark.load import ClosedLoop, Load
from rag.benchmark.measurement import CacheHits, Measurement
from rag.cli.app import app
from rag.cli.bench_report import print_table, warnings_of
from rag.errors import BackendError, WrongRequest
from tests.unit.model_server import Faults, serving

RERANKER = Faults(family="qwen3-vl-reranker", model="Qwen/Qwen3-VL-Reranker-8B", appends=False)


@pytest.fixture(autouse=True)
def no_servers_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def run(*words: object) -> str:
    done = CliRunner().invoke(app, ["bench", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


# As vLLM Ascend's guide for Qwen3-VL-Embedding prints it, from this line on.
GUIDE = """============ Serving Benchmark Result ============
Successful requests:                     1000
Failed requests:                         0
Benchmark duration (s):                  19.53
Total input tokens:                      200000
Request throughput (req/s):              51.20
Total token throughput (tok/s):          10240.42
----------------End-to-end Latency----------------
Mean E2EL (ms):                          10360.53
Median E2EL (ms):                        10354.37
P99 E2EL (ms):                           19423.21
==================================================
"""


def shaped(table: str) -> list[str]:
    return [re.sub(r"[\d.]+(?=\s|$)", "N", line) for line in table.splitlines()]


def test_the_table_has_the_form_of_the_guides(capsys: pytest.CaptureFixture[str]) -> None:
    one = Measurement("embedding pictures", "m", ClosedLoop(9), Load(2.0, (0.25,) * 9, {}), 1_800)
    print_table([one])
    title, table = capsys.readouterr().out.split("\n", 1)
    assert title == "embedding pictures: m, all at once"
    assert shaped(table.rstrip("\n") + "\n") == shaped(GUIDE)
    assert table.splitlines()[5].split() == ["Request", "throughput", "(req/s):", "4.50"]


def test_texts_stand_beside_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Measurement("embedding texts", "m", ClosedLoop(4), Load(2.0, (0.25,) * 8, {"late": 1}))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "embedding texts: m, 4 users without pause"
    assert lines[1].endswith("8B on one Ascend NPU")
    published = [line.split()[-1] for line in GUIDE.splitlines() if line[0] not in "=-"]
    assert [line.split()[-1] for line in lines[2:13] if line[0] not in "=-"] == published
    assert lines[5] == f"{'Total input tokens:':<41}{'not told':<14}200000"
    assert lines[13:15] == ["warning: 1 of 9 requests failed and are in no other figure", "  1 times: late"]


@pytest.mark.parametrize(
    ("hits", "share", "said"),
    [
        (CacheHits(None, None), None, []),
        (CacheHits(0, 0), 0.4, []),
        (CacheHits(480, 0), None, [r"a prefix cache answered for 480 tokens of 2,000 \(24%\).*--no-enable-prefix-caching"]),
        (CacheHits(0, 1), None, [r"a cache answered for 1 picture, though each is fresh"]),
        (CacheHits(0, 0), 1.2, [r"more than the peak cannot be computed: check --peak-tflops"]),
    ],
)
def test_what_makes_figures_better_than_the_model_is_said(hits, share, said) -> None:
    one = Measurement("embedding texts", "m", ClosedLoop(4), Load(2.0, (0.25,) * 8, {}), 2_000, hits, share)
    found = warnings_of(one)
    assert len(found) == len(said) and all(map(re.search, said, found)), found


def test_both_roles_as_json() -> None:
    with serving(Faults(model="Qwen/Qwen3-VL-Embedding-8B", dim=4096)) as url, serving(RERANKER) as other:
        printed = run(
            *(
                "--url",
                url,
                "--reranker-url",
                other,
                "--requests",
                6,
                "--tokens",
                10,
                "--pictures",
                2,
                "--users",
                2,
                "--rate",
                90,
            ),
            *("--repeat", 2, "--peak-tflops", 400, "--json"),
        )
    found = json.loads(printed)["measurements"]
    assert [(one["what"], one["users"], one["rate"], one["completed"], one["failed"]) for one in found] == [
        ("embedding texts", 2, None, 6, 0),
        ("embedding texts", None, 90, 6, 0),
        ("embedding pictures", 2, None, 2, 0),
        ("embedding pictures", None, 90, 2, 0),
        ("reranking texts", 2, None, 6, 0),
        ("reranking texts", None, 90, 6, 0),
        ("reranking pictures", 2, None, 2, 0),
        ("reranking pictures", None, 90, 2, 0),
    ]
    assert {one["model"] for one in found} == {"Qwen3-VL-Embedding-8B", "Qwen3-VL-Reranker-8B"}
    weights = 36 * 4096 * (2 * 4096 + 2 * 1024 + 3 * 12288)
    for one in found:
        assert one["requests_per_second"] == pytest.approx(one["completed"] / one["seconds"])
        assert one["tokens_per_second"] == pytest.approx(one["input_tokens"] / one["seconds"])
        assert one["peak_share"] == pytest.approx(2 * weights * one["tokens_per_second"] / 400e12)
        assert one["requests_per_second"] in one["repetitions"] and len(one["repetitions"]) == 2
        assert one["median_ms"] <= one["p95_ms"] <= one["p99_ms"] and one["cached_tokens"] is None
    beside = {one["what"]: one["published"] and one["published"]["requests_per_second"] for one in found}
    assert beside == {"embedding texts": 51.2, "embedding pictures": None, "reranking texts": 72.99, "reranking pictures": None}


def test_by_default_all_requests_are_sent_at_once_as_in_the_guides() -> None:
    with serving(Faults()) as url:
        printed = run("--url", url, "--requests", 5, "--tokens", 8, "--pictures", 0)
    assert printed.startswith("embedding texts: Qwen3-VL-Embedding-2B, all at once\n")
    assert "pictures" not in printed


def test_an_index_is_searched_by_1_8_and_64_users(library: Path, tmp_path: Path) -> None:
    printed = run("--index", library, "--requests", 4)
    title, head, *rows = printed.splitlines()
    assert title == "searching, lite; latencies in ms"
    assert head.split() == ["load", "searches/s", "mean", "p50", "p95", "p99", "failed"]
    assert [row.split("  ")[0].strip() for row in rows] == [
        "one user without pause",
        "8 users without pause",
        "64 users without pause",
    ]
    file = tmp_path / "queries"
    file.write_text('harbour crane\n\n{"query": "dues", "relevant": []}\n{"image": "a.jpg"}\n')
    [one] = json.loads(run("--index", library, "--requests", 3, "--users", 2, "--queries", file, "--json"))["measurements"]
    assert (one["what"], one["model"], one["users"], one["completed"], one["published"]) == ("searching", "lite", 2, 3, None)


def test_what_cannot_be_measured_is_refused(library: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongRequest, match="no model server is named or running here") as refused:
        run()
    assert refused.value.remedy == "name one of them: rag bench --url http://HOST:PORT, or rag bench --index NAME"
    empty = tmp_path / "queries"
    empty.write_text("\n")
    with pytest.raises(WrongRequest, match="holds no queries"):
        run("--index", library, "--queries", empty)
    with pytest.raises(WrongRequest, match="cannot be read"):
        run("--index", library, "--queries", tmp_path / "nowhere")
    with pytest.raises(BackendError, match="cannot be reached"):
        run("--url", "http://127.0.0.1:9")
