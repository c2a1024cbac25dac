"""How models share cards: the arithmetic of memory, and the refusals that show it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.backends.devices import Card
from rag.errors import WrongRequest
from rag.models.vllm_command import LaunchOptions, ServerSpec, commands
from tests.unit.serving_plans import GIB, JUDGE, JUDGE8, VL, VL8, planned, shares_of


def test_two_models_share_a_card() -> None:
    shares = shares_of(planned([VL, JUDGE], memory=24))
    assert shares == [0.45, 0.46]
    small, large = shares_of(planned([VL, JUDGE8], memory=48))
    assert 0.2 < small < large and small + large <= 0.92


def test_models_that_do_not_fit_are_refused_with_the_arithmetic() -> None:
    with pytest.raises(WrongRequest) as refusal:
        planned([VL8, JUDGE8], memory=32)
    what = refusal.value.what
    assert "Qwen3-VL-Embedding-8B: 16.3 GiB weights + 1.1 GiB keys and values" in what
    assert "the card has 32.0 GiB × 0.92 = 29.4 GiB" in what
    needs = [float(part.split(" GiB")[0]) for part in what.split(" = ")[1:3]]
    total = float(what.split("needed: ")[1].split(" GiB")[0])
    assert total == pytest.approx(sum(needs), abs=0.11)


def test_the_arithmetic_of_memory() -> None:
    """Weights: parameters × 2 bytes. Keys and values: 2 × 36 layers × 1,024 × 2 bytes × 8,192 tokens = 1.125 GiB."""
    with pytest.raises(WrongRequest) as refusal:
        planned([VL8], memory=16)
    assert "16.3 GiB weights + 1.1 GiB keys" in refusal.value.what
    with pytest.raises(WrongRequest, match=r"32\.7 GiB weights \+ 2\.2 GiB keys"):
        planned([VL8], memory=16, dtype="float32")
    assert shares_of(planned([VL8], cards=2, memory=16, tensor_parallel=2)) == [0.92]


def test_only_free_memory_of_a_card_is_used() -> None:
    cards = (Card(0, "card", 24 * GIB, 12 * GIB),)
    (one,) = commands([VL], LaunchOptions("cuda", "0.33.0", cards=cards), {})
    assert shares_of([one]) == [0.47]  # (12 − 0.5) / 24
    with pytest.raises(WrongRequest, match=r"only 4\.0 GiB are free"):
        commands([VL], LaunchOptions("cuda", "0.33.0", cards=(Card(0, "card", 24 * GIB, 4 * GIB),)), {})


def test_with_enough_cards_each_server_has_its_own() -> None:
    first, second = planned([VL8, JUDGE8], cards=2, memory=24)
    assert first.environment == {"VLLM_NO_USAGE_STATS": "1"}
    assert second.environment == {"VLLM_NO_USAGE_STATS": "1", "CUDA_VISIBLE_DEVICES": "1"}
    assert shares_of([first, second]) == [0.92, 0.92]


def test_a_full_card_is_passed_over() -> None:
    cards = (Card(4, "card", 24 * GIB, GIB), Card(6, "card", 24 * GIB, 24 * GIB))
    (one,) = commands([VL], LaunchOptions("ascend", "0.23.0", cards=cards), {})
    assert one.environment["ASCEND_RT_VISIBLE_DEVICES"] == "6"


def test_more_cards_than_the_machine_has_are_refused() -> None:
    with pytest.raises(WrongRequest, match="tensor parallel 4 × data parallel 1 takes 4 cards; there are 2"):
        planned([VL], cards=2, tensor_parallel=4)


def test_unknown_cards_are_shared_by_need_and_by_unknown_models_evenly() -> None:
    assert shares_of(commands([VL, JUDGE8], LaunchOptions("cuda", "0.33.0"), {})) == [0.23, 0.68]
    unknown = ServerSpec("reranker", "BAAI/bge-reranker-v2-m3", 8001)
    assert shares_of(commands([VL, unknown], LaunchOptions("cuda", "0.33.0"), {})) == [0.46, 0.46]
    assert shares_of(commands([VL, unknown], LaunchOptions("cuda", "0.33.0", memory_share=0.5), {})) == [0.25, 0.25]


def test_a_processor_reserves_room_for_keys_and_values() -> None:
    cards = (Card(0, "main memory", 24 * GIB, 0),)
    (one,) = commands([VL], LaunchOptions("cpu", "0.32.0", cards=cards), {})
    assert one.environment["VLLM_CPU_KVCACHE_SPACE"] == "4"  # 4 × 0.875 GiB, rounded up
    assert "--gpu-memory-utilization" not in one.arguments
    with pytest.raises(WrongRequest, match="do not fit"):
        commands([VL8, JUDGE8], LaunchOptions("cpu", "0.32.0", cards=cards), {})


def test_a_smaller_memory_keeps_fewer_prompts() -> None:
    def kept(memory: float) -> list[str]:
        made = planned([VL, JUDGE], memory=memory, platform="cpu")
        return [one.environment["VLLM_CPU_KVCACHE_SPACE"] for one in made]

    assert [kept(memory) for memory in (32, 20, 16.5)] == [["4", "5"], ["2", "3"], ["1", "2"]]


def test_the_weights_of_a_local_folder_are_measured(tmp_path: Path) -> None:
    folder = tmp_path / "Qwen3-Embedding-own"
    folder.mkdir()
    shape = {"num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288, "num_key_value_heads": 8, "head_dim": 128}
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3", **shape, "num_attention_heads": 32}))
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(3 * GIB)  # sparse
    with pytest.raises(WrongRequest, match=r"3\.0 GiB weights \+ 1\.1 GiB keys"):
        planned([ServerSpec("embedder", str(folder), 8000)], memory=4)
