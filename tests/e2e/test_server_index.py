"""An index with a model server: made only if the server reads prompts correctly, and remembers its model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.models.run_files import RunningServer, announce
from tests.e2e.conftest import Ran
from tests.unit.model_server import Faults, serving


def test_an_index_remembers_its_server(corpus: Path, rag: Callable[..., Ran]) -> None:
    with serving(Faults()) as url:
        done = rag("index", "corpus", "--url", url, "--model", "Qwen/Qwen3-VL-Embedding-2B", "--ocr", "never")
        assert done.code == 0, done.err
        asked = rag("query", "Harbour traffic rose by nine percent in the spring.", "--json")
        assert asked.code == 0, asked.err
        assert asked.json[0]["document"] == "a/report.txt"
        assert rag("status", "--json").json["fingerprint"]["model"] == "Qwen3-VL-Embedding-2B"
    gone = rag("query", "Harbour traffic", RAG_TIMEOUT="2")
    assert gone.code == 3
    assert url in gone.err and "Traceback" not in gone.err


def test_a_new_index_says_which_model_it_uses_and_where_it_was_found(
    corpus: Path, tmp_path: Path, rag: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with serving(Faults()) as url:
        announce(RunningServer("embedder", url, "Qwen/Qwen3-VL-Embedding-2B", os.getpid(), 1.0))
        said = []
        for words in (
            (),
            (),
            ("--rebuild",),
            ("--rebuild", "--quiet"),
            ("--index", "other", "--json"),
            ("--index", "b", "--url", url),
        ):
            done = rag("index", "corpus", "--ocr", "never", *words)
            said.append([line for line in done.err.splitlines() if line.startswith("new index")])
    found = [f"new index with Qwen3-VL-Embedding-2B (a running `rag serve` at {url})"]
    known = ["new index with Qwen3-VL-Embedding-2B (server)"]  # named, or remembered
    assert said == [found, [], known, [], found, known]
    assert "new index" not in rag("index", "corpus", "--ocr", "never", "--index", "lite", "--backend", "lite").err


@pytest.mark.parametrize(
    "faults", [Faults(appends=False), Faults(hears_special=False), Faults(hears_generation=False), Faults(crowd=0.5)]
)
def test_no_index_is_made_with_a_server_that_fails_a_check(
    faults: Faults, corpus: Path, tmp_path: Path, rag: Callable[..., Ran]
) -> None:
    with serving(faults) as url:
        done = rag("index", "corpus", "--url", url, "--model", "Qwen/Qwen3-VL-Embedding-2B", "--ocr", "never")
    assert (done.code, done.out) == (3, "")
    assert url in done.err and "→" in done.err and "Traceback" not in done.err
    assert not (tmp_path / "indexes/default/catalog.sqlite").exists()


def test_another_model_is_refused(corpus: Path, rag: Callable[..., Ran]) -> None:
    with serving(Faults()) as url:
        rag("index", "corpus", "--url", url, "--model", "Qwen/Qwen3-VL-Embedding-2B", "--ocr", "never")
        done = rag("query", "harbour", "--backend", "lite", "--model", "lite")
    assert done.code == 4
    assert "was made with Qwen3-VL-Embedding-2B" in done.err


def test_a_server_behind_lite_may_go_and_come_back(corpus: Path, rag: Callable[..., Ran]) -> None:
    model = ("--model", "Qwen/Qwen3-VL-Embedding-2B")
    with serving(Faults()) as url:
        done = rag("index", "corpus", "--lite-first", *model, "--url", url, "--ocr", "never")
        assert done.code == 0 and "note: Qwen3-VL-Embedding-2B: 5 vectors made in" in done.err, done.err
        found = rag("query", "Harbour traffic", "--json", "--server", "none").json[0]["lanes"]
        assert found["dense:Qwen3-VL-Embedding-2B"]["space"] == "Qwen3-VL-Embedding-2B"
    (corpus / "new.txt").write_text("The ferry sails at noon.\n")
    updated = rag("index", RAG_TIMEOUT="2")
    assert updated.code == 0 and "1 indexed" in updated.out
    assert "Qwen3-VL-Embedding-2B lacks 1 content, which the next run fills" in updated.err and url in updated.err
    asked = rag("query", "ferry", "--json", "--server", "none", RAG_TIMEOUT="2")
    assert asked.json[0]["document"] == "new.txt" and asked.json[0]["lanes"].keys() == {"dense", "lexical"}
    assert "note: Qwen3-VL-Embedding-2B was not asked" in asked.err
    assert [(one["name"], round(one["share"], 2)) for one in rag("models", "--json").json] == [
        ("lite", 1.0),
        ("Qwen3-VL-Embedding-2B", 0.83),
    ]
    with serving(Faults()) as back:
        filled = rag("index", "--add-model", model[1], "--url", back, "--json")
        assert filled.json["vectors"] == 1
        again = rag("query", "ferry", "--json", "--server", "none").json  # at the new address, which was kept
        assert "dense:Qwen3-VL-Embedding-2B" in again[0]["lanes"]
        assert rag("models", "drop", "lite").code == 0
        assert rag("query", "ferry", "--json", "--server", "none").json[0]["document"] == "new.txt"
