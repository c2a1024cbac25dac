"""Planned figures against values computed by hand from the formulas, and what `rag plan` prints and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.app import app_of
from rag.errors import WrongRequest
from rag.planning import folder_index, milvus_index, workload
from rag.planning.amounts import amount_shown, count_shown, parse_count
from rag.planning.plan import Plan, plan_for
from rag.planning.workload import Machine, Workload, dim_of

GB = 10**9
EIGHT = "Qwen/Qwen3-VL-Embedding-8B"


def planned(texts: int, dim: int = 1024, kinds: tuple[str, ...] = (), **more: object) -> Plan:
    given = {
        "pages": 0, "frames": 0, "model": EIGHT, "qps": 1.0, "candidates": 100, "accelerators": 1, "tokens_per_second": 0.0,
        "machine": Machine(64 * GB, 1000 * GB, 16), "replicas": 2,
    }  # fmt: skip
    return plan_for(Workload(texts=texts, dim=dim, **(given | more)), kinds)  # type: ignore[arg-type]


def amounts(plan: Plan, part: str) -> dict[str, float]:
    return {figure.name: figure.amount for figure in plan.figures if figure.part == part}


def test_numbers_as_people_write_them() -> None:
    written = {
        "50M": 50_000_000,
        "2.5k": 2_500,
        "1B": 10**9,
        "300_000": 300_000,
        "1,000,000": 10**6,
        " 12 ": 12,
        "0": 0,
        "1.5m": 1_500_000,
    }
    assert {text: parse_count(text, "--passages") for text in written} == written
    for wrong in ("", "many", "-5", "5X", "1e6", "1..2", "2T"):
        with pytest.raises(WrongRequest, match="--passages"):
            parse_count(wrong, "--passages")
    assert [count_shown(one) for one in (5e7, 2500, 12)] == ["50M", "2.5k", "12"]
    shown = [amount_shown(204.8e9, "bytes"), amount_shown(0.01, "hours"), amount_shown(96, "hours"), amount_shown(4, "nodes")]
    assert shown == ["204.8 GB", "36 s", "96 h (4.0 days)", "4 nodes"]


def test_a_folder_of_a_million() -> None:
    """Vectors 2 × 1,024 × 1M; catalog 2,300 × 1M; coarse 256 × 1M; memory 353 × 1M; 24.9 + 10.4 ms; 1 × 0.0353 × 2 cores."""
    plan = planned(1_000_000)
    found = amounts(plan, "index folder")
    assert found["disk: vectors"] == 2_048_000_000
    assert found["disk in all"] == 2_048_000_000 + 2_300_000_000 + 256_000_000
    assert found["memory to search"] == 353_000_000
    assert found["one query, without models"] == pytest.approx(35.3)
    assert found["cores for queries"] == pytest.approx(0.0706)
    assert plan.enough == "yes"


def test_milvus_of_ten_million_and_of_a_billion() -> None:
    """HNSW: (2,048 + 128) × 10M. IVF_RABITQ: (128 + 8) × 1B in memory, (1,024 + 3,200) × 1B mapped, 1.2 and 0.2 of them."""
    ten = amounts(planned(10_000_000), "Milvus HNSW")
    assert ten["index in memory"] == 21_760_000_000
    assert ten["memory in all"] == pytest.approx(1.2 * 21.76e9 + 0.2 * 32e9)
    assert ten["query nodes"] == 2  # 32.5 of 64 GB, twice
    assert ten["writing, one client"] == pytest.approx(10_000_000 / 4_956 / 3_600)  # 34 minutes
    assert ten["building it"] == pytest.approx(100 * 84 * 2 / 3_600)  # 84 s a hundred thousand on two cores
    billion = amounts(planned(10**9, machine=Machine(128 * GB, 2000 * GB, 32)), "Milvus IVF_RABITQ")
    assert billion["index in memory"] == 136e9
    assert billion["mapped from disk"] == 4_224e9
    assert billion["query nodes"] == 16  # 1,008 GB on nodes of 128, twice
    flat = amounts(planned(50_000_000, 2_048, qps=20.0), "Milvus FLAT")
    assert flat["one query, two cores"] == pytest.approx(204.8e9 / (205e6 / 6.6e-3) * 1000)  # 6.6 s
    assert flat["query nodes"] == 17  # 264 cores of 16, more than the ten that memory asks for


def test_the_hours_of_a_model() -> None:
    """300 tokens a text, 1,280 a page; 8B: 10,240.42 tokens a second, 6,945,767,424 weights; 2B meets 1,409,286,144."""
    part = "models and reading"
    eight = amounts(planned(1_000_000, 4_096), part)
    assert eight["embedding"] == pytest.approx(300e6 / 10_240.42 / 3_600)  # 8.1 h
    two = amounts(planned(0, 2_048, pages=1_000_000, model="Qwen/Qwen3-VL-Embedding-2B", accelerators=4), part)
    assert two["tokens a second, each"] == pytest.approx(10_240.42 * 6_945_767_424 / 1_409_286_144)
    assert two["embedding"] == pytest.approx(1_280e6 / two["tokens a second, each"] / 4 / 3_600)
    assert two["reading, one machine"] == pytest.approx(1_000_000 * 7.8e-3 * 2 / 16 / 3_600)
    assert amounts(planned(1_000_000, tokens_per_second=30_000.0), part)["embedding"] == pytest.approx(300e6 / 30_000 / 3_600)
    assert amounts(planned(1_000_000, qps=20.0), part)["to rerank queries"] == 28  # 2,000 pairs a second of 72.99
    assert "to rerank queries" not in amounts(planned(1_000_000, candidates=0), part)
    lite = amounts(planned(1_000_000, 1_280, model="lite"), part)
    assert lite["embedding, lite"] == pytest.approx(1_000_000 * 1.1e-3 * 2 / 16 / 3_600)


def test_a_model_of_unknown_size_is_planned_as_far_as_it_goes() -> None:
    other = planned(1_000_000, 768, model="my-own", tokens_per_second=5_000.0)
    assert amounts(other, "models and reading") == {
        "reading, one machine": pytest.approx(1_000_000 * 0.8e-3 * 2 / 16 / 3_600),
        "tokens a second, each": 5_000.0,
        "embedding": pytest.approx(300e6 / 5_000 / 3_600),
    }
    silent = planned(1_000_000, 768, model="my-own")
    assert "embedding" not in amounts(silent, "models and reading")
    assert "its size is not known here" in silent.unknown[-1]


def test_when_one_machine_is_enough() -> None:
    assert planned(4_000_000).enough == "yes"
    assert planned(5_000_000).enough == "perhaps"  # fits, and was not tried
    busy = planned(4_000_000, qps=100.0)
    assert (busy.enough, "cores" in busy.why[0]) == ("no", True)
    assert [one.split(":")[0] for one in planned(10**9).why] == ["memory", "disk", "cores"]


def test_the_command_prints_every_figure_with_its_formula_and_source() -> None:
    run, app = CliRunner(), app_of(["plan", "status"])
    words = ["plan", "--passages", "50M", "--dim", "2048", "--qps", "20", "--index-kind", "hnsw"]
    told = json.loads(run.invoke(app, [*words, "--json"]).stdout)
    assert (told["workload"]["passages"], told["one_machine"]["enough"]) == (50_000_000, "no")
    assert {one["part"] for one in told["figures"]} == {"index folder", "Milvus HNSW", "models and reading"}
    assert all(one["formula"] and one["source"] and one["standing"] for one in told["figures"]) and told["unknown"]
    shown = run.invoke(app, words, env={"COLUMNS": "160"}).stdout
    assert "One machine is not enough" in shown and "vLLM Ascend's guides" in shown and "Not known:" in shown
    assert "(2 × 2,048 + 2 × 16 links × 4) × 50,000,000" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing is to be indexed"),
        (["--passages", "lots"], "--passages 'lots' is not a number"),
        (["--passages", "1M", "--dim", "9999"], "--dim 9,999: Qwen/Qwen3-VL-Embedding-2B has at most 2,048 dimensions"),
        (["--passages", "1M", "--model", "my-own"], "nothing is known of my-own"),
        (["--passages", "1M", "--index-kind", "TREE"], "no index kind is called 'TREE'"),
        (["--passages", "1M", "--memory", "much"], "--memory 'much' is not a size"),
    ],
)
def test_what_cannot_be_planned_says_what_to_do(words: list[str], said: str) -> None:
    error = CliRunner().invoke(app_of(["plan", "status"]), ["plan", *words]).exception
    assert isinstance(error, WrongRequest)
    assert said in error.what and error.remedy


def test_the_dimensions_of_a_model() -> None:
    assert (dim_of(EIGHT, 0), dim_of("lite", 0), dim_of("Qwen/Qwen3-Embedding-0.6B", 256)) == (4_096, 1_280, 256)


def test_help_loads_no_heavy_library() -> None:
    code = "import sys; from rag.cli.app import app_of, COMMANDS; app_of(COMMANDS); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "faiss", "rag.planning", "rag.config"} & set(done.stdout.split())


def test_the_documentation_has_the_constants() -> None:
    page = (Path(__file__).parents[3] / "docs/scale.md").read_text("utf-8")
    for said in (
        f"{folder_index.CATALOG_BYTES:,} · n bytes",
        f"{folder_index.COARSE_BYTES} · n up to 4 million; (d ÷ 8 + {folder_index.IVF_OTHER_BYTES}) · n above",
        f"{folder_index.COARSE_RESIDENT} · n bytes",
        f"{folder_index.COARSE_MS} ms + {folder_index.LEXICAL_MS} ms",
        f"(2 · d + 2 · {milvus_index.LINKS} · 4) · n",
        f"(d ÷ 8 + {milvus_index.RABITQ_FACTORS}) · n in memory",
        f"{milvus_index.TEXT_BYTES:,} · n mapped",
        f"{milvus_index.HEADROOM} · index + {milvus_index.CACHED} · what is mapped",
        f"{milvus_index.INSERTS:,} s",
        f"A text counts {workload.TEXT_TOKENS} tokens, a page or a frame {workload.PICTURE_TOKENS:,}",
    ):
        assert said in page, said
