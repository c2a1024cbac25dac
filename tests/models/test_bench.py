"""`make bench-gpu` on a processor, with a tiny shape: whether it would run where there is a card."""

import os
import subprocess
import sys

import pytest

from tests.bench import gpu

SHAPE = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 1, "num_attention_heads": 8}
MEASURE = """
import sys
from pathlib import Path
from tests.bench import gpu
from tests.models.test_bench import SHAPE
place, task = sys.argv[1:]
print(gpu.rate(gpu.write_checkpoint(Path(place), SHAPE, task == "embedding"), task, 4, enforce_eager=True))
"""


@pytest.mark.parametrize("task", ["embedding", "reranking"])
def test_a_rate_is_measured(task, tmp_path):
    """In a process of its own, as there: an engine gives its memory back only when its process ends."""
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "m"), task]
    environment = os.environ | {"VLLM_LOGGING_STREAM": "ext://sys.stderr"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout.splitlines()[-1]) > 0


def test_the_weights_a_token_meets():
    assert gpu.weights_of(gpu.SHAPES["8B"]) == 36 * 4096 * (2 * 128 * (32 + 8) + 3 * 12288)
