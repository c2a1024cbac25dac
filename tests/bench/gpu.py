"""`make bench-gpu`: tokens and requests a second of the 2B and 8B shapes on this machine's accelerator, with random weights.

Knows the published shapes and vLLM's offline interface; knows no prompt and no HTTP. Not run on a card yet: only a tiny
shape on a CPU goes through it (tests/models/test_bench.py). Speed does not depend on what the weights are, so none are
loaded (`load_format="dummy"`).

Every request has fresh random tokens. The floor is a large matrix product of the same run: two operations for each weight of the
layers and each token can never come faster than that, so a share above 1 says that a cache was measured, and is an error.
Published beside it: one Ascend NPU, 8B, 200 random tokens (vllm-ascend's guides for Qwen3-VL-Embedding and Qwen3-VL-Reranker).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.measure import Row, seconds, show

TOKENS, REQUESTS, RUNS = 200, 1_024, 3
PUBLISHED = {("8B", "embedding"): 51.2, ("8B", "reranking"): 73.0}  # requests a second
VOCABULARY, HEAD, KV_HEADS = 151_936, 128, 8
SHAPES: dict[str, dict[str, Any]] = {  # config.json of Qwen/Qwen3-VL-{Embedding,Reranker}-{2B,8B}
    "2B": {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16},
    "8B": {"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32},
}
VISION = {  # that of 2B, for both: text goes past it
    "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "deepstack_visual_indexes": [5, 11, 17], "num_heads": 16,
    "patch_size": 16, "num_position_embeddings": 2304,
}  # fmt: skip


def weights_of(shape: dict[str, Any]) -> int:
    """The weights every token is multiplied with: attention and the gated MLP of all layers; no embedding table, no vision."""
    attention = 2 * HEAD * (shape["num_attention_heads"] + KV_HEADS)
    return int(shape["num_hidden_layers"] * shape["hidden_size"] * (attention + 3 * shape["intermediate_size"]))


def write_checkpoint(place: Path, shape: dict[str, Any], appended: bool) -> Path:
    """A folder vLLM takes with `load_format="dummy"`: the shape, and the tiny tokenizer of the tests."""
    from transformers import AutoConfig

    from tests.models import checkpoints

    place.mkdir()
    checkpoints._write_tokenizer(place, appended=appended, seeing=True)
    ids = checkpoints.vocabulary()
    rope = {"rope_type": "default", "rope_theta": 5_000_000, "mrope_interleaved": True, "mrope_section": [24, 20, 20]}
    text = shape | {
        "vocab_size": VOCABULARY, "num_key_value_heads": KV_HEADS, "head_dim": HEAD, "max_position_embeddings": 262_144,
        "rms_norm_eps": 1e-6, "tie_word_embeddings": True, "rope_parameters": rope,
    }  # fmt: skip
    config = AutoConfig.for_model(
        "qwen3_vl", text_config=text, vision_config=VISION | {"out_hidden_size": shape["hidden_size"]},
        tie_word_embeddings=True, dtype="bfloat16", architectures=["Qwen3VLForConditionalGeneration"],
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    config.save_pretrained(place)
    return place


def rate(place: Path, task: str, requests: int = REQUESTS, **options: Any) -> float:
    """Requests a second of one engine in this process: the median of RUNS, each of fresh tokens, after a warm-up."""
    import vllm

    from rag.backends.families import FAMILIES, classifier_overrides

    overrides = classifier_overrides(FAMILIES["qwen3-vl-reranker"]) if task == "reranking" else {}
    options |= {"max_model_len": 8192, "hf_overrides": overrides, "limit_mm_per_prompt": {"image": 0, "video": 0}}
    engine = vllm.LLM(model=str(place), runner="pooling", load_format="dummy", **options)
    ask = engine.classify if task == "reranking" else engine.embed
    random = np.random.default_rng()

    def fresh() -> list[dict[str, list[int]]]:
        drawn = random.integers(1_000, 150_000, (requests, TOKENS))  # above every special token of the tiny tokenizer
        return [{"prompt_token_ids": row} for row in drawn.tolist()]

    try:
        ask(fresh(), use_tqdm=False)
        taken = [seconds(partial(ask, fresh(), use_tqdm=False)) for _ in range(RUNS)]
    finally:
        engine.llm_engine.engine_core.shutdown()  # vLLM's own end, when the interpreter goes, aborts the process now and then
    return requests / statistics.median(taken)


def peak(side: int = 8_192, times: int = 50) -> float:
    """Operations a second of bfloat16 matrix products, on the accelerator torch finds."""
    import torch

    device = torch.accelerator.current_accelerator()
    a, b = (torch.randn(side, side, dtype=torch.bfloat16, device=device) for _ in range(2))

    def multiply() -> None:
        for _ in range(times):
            a @ b
        torch.accelerator.synchronize()

    multiply()
    return 2 * side**3 * times / min(seconds(multiply) for _ in range(3))


def _why_not() -> str:
    if find_spec("vllm") is None:
        return "vllm is not installed in this environment (pip install '.[vllm]', or '.[ascend]')"
    from vllm.platforms import current_platform

    return "" if current_platform.device_type in ("cuda", "npu") else "this machine has no accelerator that vLLM finds"


def main(words: list[str]) -> int:
    """Without words, the table, each row from a process of its own; with words, one figure of it on the last line."""
    if reason := _why_not():
        print(f"bench-gpu: nothing measured: {reason}")
        return 0
    if words:
        print(json.dumps(peak() if words == ["peak"] else _rate_of_shape(*words)))
        return 0
    most, found = _figure("peak"), []
    for name, task in ((name, task) for name in SHAPES for task in ("embedding", "reranking")):
        requests = _figure(name, task)
        share = 2 * weights_of(SHAPES[name]) * requests * TOKENS / most
        beside = f"{most / 1e12:.0f} TFLOP/s; published: {PUBLISHED.get((name, task), 'none')}"
        told = f"{requests:.1f} req/s, {requests * TOKENS:,.0f} tokens/s" + (", a cache was measured" if share > 1 else "")
        found.append(Row(f"{name} {task}, {TOKENS} tokens", told, beside, share, "≤ 1", share <= 1))
    show(found)
    return int(not all(row.holds for row in found))


def _rate_of_shape(name: str, task: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return rate(write_checkpoint(Path(folder, "m"), SHAPES[name], task == "embedding"), task)


def _figure(*words: str) -> float:
    """One figure, from a fresh process: an engine gives its memory back only when its process ends."""
    command = [sys.executable, "-m", "tests.bench.gpu", *words]
    environment = os.environ | {"VLLM_LOGGING_STREAM": "ext://sys.stderr", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
