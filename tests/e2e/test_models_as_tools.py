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

from rag.cli.inputs import BATCH_BYTES, Line, batches_of
from rag.types import Content
from tests.e2e.conftest import SAMPLES, Ran
from tests.faults.fake_server import FakeServer
from tests.faults.server_asking import LONG, MODEL, RERANKER, refusing

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
    command = ("score", *LITE, "--query", "harbour crane", "--json")
    scores = rag(*command, "--text", "a soup of leeks", "--text", "the harbour crane", "--image", "corpus/a/IMG_1.jpg").json[
        "scores"
    ]
    assert (len(scores), scores[0], scores[2]) == (3, 0, 0)
    assert scores[1] > 0.8
    assert rag(*command, input='{"text": "the harbour crane"}').json["scores"] == [scores[1]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("embed", *LITE), "there is no input"),
        (("embed", *LITE, "--text", "x", "--role", "reader"), "the roles are"),
        (("embed", *LITE, "--image", "missing.png"), "missing.png"),
        (("embed", *LITE, "--image", "corpus/page.md"), "is not a picture"),
        (("embed", *LITE, "--video", "corpus/a/IMG_1.jpg"), "is not a video"),
        (("embed", "--model", "Qwen/Qwen3-VL-Embedding-2B", "--text", "x"), "nothing here can run"),
        (("score", *LITE, "--query", "x", "--text", "y", "--query-image", "none.jpg"), "none.jpg"),
        (("embed", *LITE, "--text", "x", "--json", "--format", "npy"), "contradict each other"),
        (("embed", *LITE, "--image", "pipe"), "pipe is a pipe, not a file"),
        (("embed", *LITE, "--video", "pipe"), "pipe is a pipe, not a file"),
        (("score", "--backend", "none", "--query", "x", "--text", "y"), "no reranker is selected"),
        (("score", *LITE, "--text", "y"), "no query was given"),
    ],
)
def test_invalid_requests_are_refused(corpus: Path, rag: Callable[..., Ran], words: tuple[str, ...], message: str) -> None:
    os.mkfifo(corpus.parent / "pipe")
    done = rag(*words, input="")
    assert (done.code, done.out) == (2, "")
    assert message in done.err and "Traceback" not in done.err


MIXED = """{"text": "a crane"}

nonsense
{"colour": "red"}
{"text": 3}
{"image": "/nowhere/missing.png"}
{"image": "a\\u0000b.png"}
["text"]
{"text": "a tug"}
"""
REFUSED = {
    3: "not valid JSON: Expecting value at column 1",
    4: "unknown key 'colour'",
    5: "text is not a string",
    6: "/nowhere/missing.png cannot be opened: No such file or directory",
    7: "a file name contains a zero byte",
    8: "not a JSON object",
}


def test_an_invalid_line_gets_an_error_in_its_place_and_the_others_are_answered(rag: Callable[..., Ran]) -> None:
    done = rag("embed", *LITE, input=MIXED)
    first, *errors, last = [json.loads(line) for line in done.out.splitlines()]
    assert errors == [{"error": reason, "line": number} for number, reason in REFUSED.items()]
    assert [first, last] == [rag("embed", *LITE, "--text", text).json for text in ("a crane", "a tug")]
    reported = [f"stdin, line {number}: {reason}" for number, reason in REFUSED.items()]
    assert (done.code, done.err.splitlines()) == (1, ["lite", *reported, "6 of 8 inputs have no answer"])


def test_row_numbers_of_npy_match_the_inputs(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "rag.cli", "embed", *LITE, "--format", "npy"]
    done = subprocess.run(words, cwd=tmp_path, input=MIXED.encode(), capture_output=True, env=os.environ, check=False)
    array = np.load(io.BytesIO(done.stdout))
    assert (done.returncode, array.dtype, array.shape) == (1, np.float32, (8, 1280))
    assert np.isnan(array).all(axis=1).tolist() == [False, *[True] * 6, False]
    np.testing.assert_allclose(np.linalg.norm(array[[0, 7]], axis=1), 1, atol=1e-5)


def test_invalid_documents_have_no_score_and_the_others_do(rag: Callable[..., Ran]) -> None:
    command = ("score", *LITE, "--query", "a crane")
    done = rag(*command, "--json", input=MIXED)
    scores = rag(*command, "--text", "a crane", "--text", "a tug", "--json").json["scores"]
    assert done.json["scores"] == [scores[0], *[None] * 6, scores[1]]
    assert done.json["errors"] == [{"error": reason, "line": number} for number, reason in REFUSED.items()]
    lines = rag(*command, input=MIXED)
    assert lines.out.split() == [f"{scores[0]:.6f}", *["nan"] * 6, f"{scores[1]:.6f}"]
    assert (done.code, lines.code) == (1, 1)
    deep = rag(*command, input="[" * 100_000)
    assert (deep.code, deep.out) == (1, "nan\n") and "Traceback" not in deep.err


def test_an_input_that_the_model_refuses_does_not_stop_the_others(corpus: Path, rag: Callable[..., Ran]) -> None:
    lines = "".join(f'{{"text": "passage {number}"}}\n' for number in range(40)) + '{"image": "corpus/a/IMG_1.jpg"}\n'
    with FakeServer(MODEL) as server:
        server.always = refusing('passage 2"', "passage 33")
        done = rag("embed", "--url", server.url, "--model", MODEL, input=lines)
        found = [json.loads(line) for line in done.out.splitlines()]
        for number, one in enumerate(found[:-1]):
            if "embedding" in one:
                np.testing.assert_allclose(one["embedding"], server.vector(f"passage {number}"), atol=1e-6)
    refused = f"the model server refuses it ({LONG})"
    assert [one for one in found if "error" in one] == [
        {"error": refused, "line": 3},
        {"error": refused, "line": 34},
        {"error": "the model does not accept image input", "line": 41},
    ]
    assert (done.code, len(found)) == (1, 41)
    with FakeServer(RERANKER) as ranker:
        ranker.always = refusing('passage 2"', path="/v1/rerank")
        words = ("score", "--url", ranker.url, "--model", RERANKER, "--query", "harbour", "--json")
        done = rag(*words, *(word for number in range(4) for word in ("--text", f"passage {number}")))
        assert done.json["errors"] == [{"error": refused, "document": 3}]
        scores = [ranker.score("harbour", f"passage {number}") for number in (0, 1, 3)]
        assert [done.json["scores"][at] for at in (0, 1, 3)] == pytest.approx(scores)
    assert done.code == 1


def test_json_lines_of_other_programs_are_read(rag: Callable[..., Ran]) -> None:
    """A byte order mark at the start, and null for a missing key."""
    done = rag("embed", *LITE, input='\ufeff{"text": "a crane", "image": null}\r\n')
    assert done.json == rag("embed", *LITE, "--text", "a crane").json


def test_inputs_are_read_in_batches() -> None:
    read: list[int] = []

    def many() -> Iterator[Line]:
        for number in range(1_000_000):
            read.append(number)
            yield Line(number, Content("image", pixels=(np.zeros((1000, 1000, 3), np.uint8),)))

    batches = batches_of(many(), 256)
    assert len(next(batches)) == len(read) == -(-BATCH_BYTES // 3_000_000)
    assert [len(one) for one in batches_of((Line(1, Content("text", text="x")) for _ in range(600)), 256)] == [256, 256, 88]
