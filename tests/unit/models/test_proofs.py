"""`rag doctor --prove`: how far the models at hand are proved, from their names alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.backends.families import FAMILIES
from rag.cli.app import app
from rag.models.proofs import UNKNOWN, UNPROVED, proofs_of_families
from rag.models.run_files import RunningServer, announce
from tests.unit.model_server import Faults, serving


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_RUNTIME_DIR", "HF_HOME", "MODELSCOPE_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).mkdir(mode=0o700)


def proofs(*arguments: str) -> list[dict[str, str]]:
    done = CliRunner().invoke(app, ["doctor", "--prove", "--json", *arguments])
    assert done.exit_code == 0, done.output
    found: list[dict[str, str]] = json.loads(done.stdout)["proofs"]
    return found


def cached(home: Path, owner: str, name: str) -> None:
    """A whole model in a hub's cache."""
    place = home / "hub" / f"models--{owner}--{name}" / "snapshots" / "0123"
    place.mkdir(parents=True)
    for file in ("config.json", "tokenizer_config.json", "model.safetensors"):
        (place / file).write_text("{}")


def test_a_named_model_is_shown_with_its_family_source_and_proof() -> None:
    (embedder, reranker) = proofs("--model", "Alibaba-NLP/gme-Qwen2-VL-2B-Instruct", "--reranker-model", "some/own-reranker")
    assert embedder == {
        "model": "Alibaba-NLP/gme-Qwen2-VL-2B-Instruct",
        "where": "settings",
        "family": "gme-embedding",
        "reads": "text, pictures",
        "source": FAMILIES["gme-embedding"].source,
        "proof": FAMILIES["gme-embedding"].proof,
    }
    assert (reranker["family"], reranker["source"], reranker["proof"]) == ("plain-reranker", UNKNOWN, UNPROVED)


def test_models_in_a_hubs_cache_are_at_hand_and_others_are_left_out(tmp_path: Path) -> None:
    cached(tmp_path / "HF_HOME", "BAAI", "bge-reranker-v2-m3")
    cached(tmp_path / "HF_HOME", "some", "chat-model-7B")
    (tmp_path / "HF_HOME" / "hub" / "models--Qwen--Qwen3-Embedding-8B").mkdir()  # nothing in it
    assert [(one["model"], one["where"], one["family"]) for one in proofs()] == [
        ("BAAI/bge-reranker-v2-m3", "in a hub's cache", "bge-reranker")
    ]


def test_a_running_server_is_at_hand() -> None:
    with serving(Faults()) as url:
        announce(RunningServer("embedder", url, "tencent/WeMM-Embedding-2B", os.getpid(), 1.0))
        assert [(one["where"], one["family"]) for one in proofs()] == [("served here", "wemm-embedding")]


def test_without_a_model_the_families_are_shown() -> None:
    assert [one["family"] for one in proofs()] == list(FAMILIES)
    assert all(one.proof and one.source and one.reads for one in proofs_of_families())


def test_the_table_for_people() -> None:
    done = CliRunner().invoke(app, ["doctor", "--prove", "--reranker-model", "jinaai/jina-reranker-m0"])
    heading, row = done.stdout.splitlines()
    assert heading.split() == ["model", "family", "reads", "where", "proof", "prompts", "from"]
    assert row.startswith("jinaai/jina-reranker-m0  jina-m0-reranker  text or pictures  settings")
