"""`rag serve` on the command line, with --dry-run: what it prints, and what it refuses."""

from __future__ import annotations

import shlex

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.errors import WrongRequest
from tests.unit.serving_plans import DEPLOY, JUDGE, VL, dry, value

MEDIA = '{"image": 8, "video": 0}'


def test_the_command_line_prints_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    lines = dry("both", "--model", VL.model, "--card-memory", "24", "--platform", "cuda", "--", "--enforce-eager", "--seed", "3")
    assert [shlex.split(line)[3] for line in lines] == [VL.model, JUDGE.model]
    assert all(line.endswith("--enforce-eager --seed 3") for line in lines)
    (alone,) = dry("reranker", "--model", JUDGE.model, "--platform", "cuda", "--port", "8012")
    assert "--port 8012" in alone


@pytest.mark.parametrize(
    ("words", "option", "example"),
    [
        (["embedder"], "--model", "Qwen/Qwen3-VL-Embedding-2B"),
        (["both"], "--model", "Qwen/Qwen3-VL-Embedding-2B"),
        (["both", "--model", "BAAI/bge-m3"], "--reranker-model", "Qwen/Qwen3-VL-Reranker-2B"),
        (["reranker"], "--model", "Qwen/Qwen3-VL-Reranker-2B"),
        (["answerer"], "--model", "Qwen/Qwen3-VL-4B-Instruct (2B and 8B exist too)"),
        (["all", "--model", VL.model], "--answerer-model", "Qwen/Qwen3-VL-4B-Instruct (2B and 8B exist too)"),
    ],
)
def test_a_model_must_be_given(words: list[str], option: str, example: str) -> None:
    with pytest.raises(WrongRequest, match="no model is given for the") as refused:
        dry(*words)
    assert refused.value.remedy == f"give one, such as {option} {example}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["both", "--model", VL.model, "--port", "8001"], "both servers would listen on port 8001"),
        (["embedder", "--model", VL.model, "--dtype", "float64"], "no dtype 'float64'"),
        (["embedder", "--model", "./nowhere"], "the folder ./nowhere does not exist"),
        (["embedder", "--model", "/nowhere/at/all"], "the folder /nowhere/at/all does not exist"),
        (["embedder", "--model", str(DEPLOY)], "has no config.json"),
        (["embedder", "--model", VL.model, "--reranker-model", JUDGE.model], "starts no reranker"),
    ],
)
def test_invalid_requests_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(WrongRequest, match=message):
        dry(*words)


def test_an_answerer_alone_and_beside_the_other_two() -> None:
    chat = "Qwen/Qwen3-VL-4B-Instruct"
    (alone,) = dry("answerer", "--model", chat, "--platform", "cuda", "--card-memory", "24", "--port", "8042")
    words = shlex.split(alone)
    assert words[3] == chat and "--runner" not in words and value(tuple(words), "--port") == "8042"
    assert value(tuple(words), "--max-model-len") == "32768" and value(tuple(words), "--limit-mm-per-prompt") == MEDIA
    three = dry("all", "--model", VL.model, "--answerer-model", chat, "--platform", "cuda", "--card-memory", "48")
    shares = [float(value(tuple(shlex.split(line)), "--gpu-memory-utilization")) for line in three]
    assert [shlex.split(line)[3] for line in three] == [VL.model, JUDGE.model, chat]
    assert sum(shares) <= 0.92 and shares[2] > shares[1] > 0.1
    (reads,) = dry("answerer", "--model", "Qwen/Qwen3-4B-Instruct-2507", "--platform", "cuda")
    assert "--limit-mm-per-prompt" not in reads


def test_an_answerer_that_does_not_fit_or_is_none_is_refused() -> None:
    with pytest.raises(WrongRequest, match=r"do not fit on the card: .*Qwen3-VL-8B-Instruct: 16.3 GiB weights"):
        dry(
            "all",
            "--model",
            VL.model,
            "--answerer-model",
            "Qwen/Qwen3-VL-8B-Instruct",
            "--platform",
            "cuda",
            "--card-memory",
            "24",
        )
    with pytest.raises(WrongRequest, match="is not an answerer"):
        dry("answerer", "--model", VL.model)
    with pytest.raises(WrongRequest, match="starts no answerer"):
        dry("both", "--model", VL.model, "--answerer-model", "x")


@pytest.mark.parametrize("words", [["--card-memory", "24"], ["--templates", "/templates"]])
def test_a_plan_for_another_machine_starts_nothing_here(words: list[str]) -> None:
    with pytest.raises(WrongRequest, match="for another machine") as refused:
        CliRunner().invoke(app, ["serve", "embedder", "--model", VL.model, *words], catch_exceptions=False)
    assert refused.value.remedy == "add --dry-run"
    (line,) = dry("embedder", "--model", "/models/Qwen3-VL-Embedding-2B", *words)
    assert "--served-model-name Qwen3-VL-Embedding-2B" in line


def test_a_model_of_unknown_family_gets_a_notice() -> None:
    def notice(*words: str) -> str:
        return CliRunner().invoke(app, ["serve", "embedder", "--dry-run", *words], catch_exceptions=False).stderr

    assert "its family is not known" in notice("--model", "somebody/own-finetune")
    assert notice("--model", "somebody/own-finetune", "--family", "qwen3-vl") == notice("--model", VL.model) == ""
