"""`rag embed` and `rag score` with the built-in models, through the real command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.cli.inputs import HELD_BYTES, few_of
from rag.types import Content
from tests.e2e.conftest import SAMPLES, Ran

LITE = ("--backend", "lite")


def test_one_input_gives_one_vector(corpus: Path, rag: Callable[..., Ran]) -> None:
    done = rag("embed", *LITE, "--text", "harbour traffic", "--json")
    vector = np.array(done.json["embedding"])
    assert (done.code, vector.shape) == (0, (1280,))
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    query = np.array(rag("embed", *LITE, "--role", "query", "--text", "harbour traffic").json["embedding"])
    assert not np.allclose(query, vector)
    mixed = np.array(rag("embed", *LITE, "--text", "harbour traffic", "--image", "corpus/a/IMG_1.jpg").json["embedding"])
    assert 0.6 < mixed @ vector < 0.999
    film = str(next((SAMPLES / "corpus/videos").glob("*.mp4")))
    assert np.linalg.norm(rag("embed", *LITE, "--video", film).json["embedding"]) == pytest.approx(1, abs=1e-5)


def test_json_lines_and_npy(corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    lines = '{"text": "a crane"}\n\n{"image": "corpus/a/IMG_1.jpg"}\n'
    rows = [json.loads(line)["embedding"] for line in rag("embed", *LITE, input=lines).out.splitlines()]
    done = subprocess.run(
        [sys.executable, "-m", "rag.cli", "embed", *LITE, "--format", "npy"],
        cwd=tmp_path,
        input=lines.encode(),
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        | {"PYTHONPATH": str(SAMPLES.parent)},
    )
    array = np.load(io.BytesIO(done.stdout))
    assert (array.dtype, array.shape) == (np.float32, (2, 1280))
    np.testing.assert_allclose(array, rows, atol=1e-6)


def test_scores_come_in_the_order_given(corpus: Path, rag: Callable[..., Ran]) -> None:
    asked = ("score", *LITE, "--query", "harbour crane", "--json")
    scores = rag(*asked, "--text", "a soup of leeks", "--text", "the harbour crane", "--image", "corpus/a/IMG_1.jpg").json[
        "scores"
    ]
    assert (len(scores), scores[0], scores[2]) == (3, 0, 0)
    assert scores[1] > 0.8
    assert rag(*asked, input='{"text": "the harbour crane"}').json["scores"] == [scores[1]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("embed", *LITE), "nothing was given"),
        (("embed", *LITE, "--text", "x", "--role", "reader"), "the roles are"),
        (("embed", *LITE, "--image", "missing.png"), "missing.png"),
        (("embed", *LITE, "--image", "corpus/page.md"), "is no picture"),
        (("embed", *LITE, "--video", "corpus/a/IMG_1.jpg"), "is no video"),
        (("embed", "--model", "Qwen/Qwen3-VL-Embedding-2B", "--text", "x"), "nothing here can run"),
        (("score", *LITE, "--query", "x", "--text", "y", "--query-image", "none.jpg"), "none.jpg"),
        (("embed", *LITE, "--text", "x", "--json", "--format", "npy"), "exclude each other"),
        (("embed", *LITE, "--image", "pipe"), "pipe is a pipe, not a file"),
        (("embed", *LITE, "--video", "pipe"), "pipe is a pipe, not a file"),
        (("score", "--backend", "none", "--query", "x", "--text", "y"), "no reranker was asked for"),
        (("score", *LITE, "--text", "y"), "no query was given"),
    ],
)
def test_wrong_inputs_are_refused_in_words(corpus: Path, rag: Callable[..., Ran], words: tuple[str, ...], says: str) -> None:
    os.mkfifo(corpus.parent / "pipe")
    done = rag(*words, input="")
    assert (done.code, done.out) == (2, "")
    assert says in done.err and "Traceback" not in done.err


def test_a_line_that_is_no_input_is_named(rag: Callable[..., Ran]) -> None:
    assert "line 2: not JSON" in rag("embed", *LITE, input='{"text": "x"}\nnonsense\n').err
    assert "line 1: colour is no input" in rag("embed", *LITE, input='{"colour": "red"}\n').err
    assert "line 1: text is no string" in rag("embed", *LITE, input='{"text": 3}\n').err
    assert "line 2: " in (missing := rag("embed", *LITE, input='{"text": "x"}\n{"image": "missing.png"}\n').err)
    assert "missing.png" in missing
    assert "line 1: not JSON" in (deep := rag("score", *LITE, "--query", "x", input="[" * 100_000).err)
    assert "Traceback" not in deep


def test_what_other_programs_write_is_read(rag: Callable[..., Ran]) -> None:
    """A mark of byte order at the start, and null for what is missing."""
    done = rag("embed", *LITE, input='\ufeff{"text": "a crane", "image": null}\r\n')
    assert done.json == rag("embed", *LITE, "--text", "a crane").json


def test_inputs_are_held_a_few_at_a_time() -> None:
    read: list[int] = []

    def many() -> Iterator[Content]:
        for number in range(1_000_000):
            read.append(number)
            yield Content("image", pixels=(np.zeros((1000, 1000, 3), np.uint8),))

    few = few_of(many(), 256)
    assert len(next(few)) == len(read) == -(-HELD_BYTES // 3_000_000)
    assert [len(one) for one in few_of((Content("text", text="x") for _ in range(600)), 256)] == [256, 256, 88]
