"""Which models a run uses, with and without a choice, on machines with and without accelerators, packages and servers."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import Settings, load_settings
from rag.errors import MissingExtra, WrongRequest
from rag.models.selection import Capabilities, choose_embedder, choose_reranker, remembered

VL = "Qwen/Qwen3-VL-Embedding-2B"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def machine(
    packages: str = "", accelerator: bool = False, weights: str = "", serving: dict[str, tuple[str, str]] | None = None
) -> Capabilities:
    def running(role: str, model: str) -> tuple[str, str] | None:
        found = (serving or {}).get(role)
        return found if found and model in ("", found[1]) else None

    return Capabilities(lambda name: name in packages.split(), lambda: accelerator, lambda model: model == weights, running)


def settings(**flags: Any) -> Settings:
    return load_settings(flags)


def backend(where: Capabilities, kept: dict[str, str] | None = None, **flags: Any) -> tuple[str, str]:
    chosen = choose_embedder(settings(**flags), kept or {}, where)
    return chosen.backend, chosen.choice.model


def test_without_a_choice_the_best_model_that_needs_no_download_is_used() -> None:
    assert backend(machine()) == ("lite", "")
    assert backend(machine("vllm", accelerator=True)) == ("lite", "")
    assert backend(machine("vllm", accelerator=False, weights=VL)) == ("lite", "")
    assert backend(machine("vllm", accelerator=True, weights=VL)) == ("vllm", VL)
    assert backend(machine("vllm", accelerator=True, weights=f"modelscope:{VL}")) == ("vllm", f"modelscope:{VL}")
    assert backend(machine("vllm", accelerator=True, weights=VL), url=["http://a:1"]) == ("server", "")
    assert backend(machine(serving={"embedder": ("http://127.0.0.1:8000", VL)})) == ("server", VL)


def test_a_named_model_runs_on_the_best_available_backend() -> None:
    assert backend(machine("vllm sentence_transformers", accelerator=True), model=VL) == ("vllm", VL)
    assert backend(machine("vllm sentence_transformers"), model=VL) == ("transformers", VL)
    assert backend(machine("vllm"), model=VL) == ("vllm", VL)
    assert backend(machine("vllm", accelerator=True, serving={"embedder": ("http://x", VL)}), model=VL) == ("server", VL)
    assert backend(machine("vllm", accelerator=True, serving={"embedder": ("http://x", "other")}), model=VL) == ("vllm", VL)
    with pytest.raises(MissingExtra, match="nothing here can run"):
        backend(machine(), model=VL)


def test_an_explicit_backend_is_used_as_given() -> None:
    everything = machine("vllm", accelerator=True, weights=VL)
    assert backend(everything, backend="lite") == ("lite", "")
    assert backend(everything, backend="server", url=["http://a:1"], model=VL) == ("server", VL)
    assert backend(everything, backend="my.module:Mine") == ("my.module:Mine", "")


def test_a_server_without_an_address_is_the_running_one() -> None:
    here = machine(serving={"embedder": ("http://e", VL)})
    assert choose_embedder(settings(backend="server"), {}, here).choice.urls == ("http://e",)
    assert choose_embedder(settings(backend="server", url=["http://a:1"]), {}, here).choice.urls == ("http://a:1",)


def test_a_dimension_that_lite_does_not_have_is_mentioned() -> None:
    assert "always have 1280 numbers" in choose_embedder(settings(dim=64), {}, machine()).why
    assert choose_embedder(settings(), {}, machine()).why == ""


def kept(**flags: Any) -> dict[str, str]:
    given = settings(**flags)
    return remembered(choose_embedder(given, {}, machine()), given)


def test_the_index_remembers_its_model() -> None:
    memory = kept(url=["http://a:1", "http://b:1"], model=VL, dim=256, query_instruction="Find it.")
    assert json.loads(memory["url"]) == ["http://a:1", "http://b:1"]
    chosen = choose_embedder(settings(), memory, machine("vllm", accelerator=True, weights=VL))
    assert (chosen.backend, chosen.choice.model, chosen.choice.dim) == ("server", VL, 256)
    assert chosen.choice.urls == ("http://a:1", "http://b:1")
    assert chosen.choice.query_instruction == "Find it."
    moved = choose_embedder(settings(url=["http://c:1"]), memory, machine())
    assert (moved.backend, moved.choice.model, moved.choice.urls, moved.choice.dim) == ("server", VL, ("http://c:1",), 256)
    other = choose_embedder(settings(model="other", backend="transformers"), memory, machine())
    assert (other.backend, other.choice.model, other.choice.urls, other.choice.dim) == ("transformers", "other", (), 0)
    assert backend(machine("vllm", accelerator=True, weights=VL), kept()) == ("lite", "")


def test_without_a_named_reranker_it_follows_the_embedder() -> None:
    assert choose_reranker(settings(), "lite", machine()) is None
    assert choose_reranker(settings(reranker="lite"), "lite", machine()).backend == "lite"  # type: ignore[union-attr]
    assert choose_reranker(settings(), VL, machine()) is None
    running = machine(serving={"reranker": ("http://r", "Qwen/Qwen3-VL-Reranker-2B")})
    assert choose_reranker(settings(), VL, running).choice.urls == ("http://r",)  # type: ignore[union-attr]
    assert choose_reranker(settings(), "lite", running) is None
    assert choose_reranker(settings(reranker="none"), "lite", running) is None
    named = choose_reranker(settings(reranker_url=["http://z"], rerank_instruction="Judge."), "lite", machine())
    assert named is not None
    assert (named.backend, named.choice.urls, named.choice.rerank_instruction) == ("server", ("http://z",), "Judge.")


def test_a_gguf_runs_in_a_server_of_its_own() -> None:
    served = "Qwen3-VL-Embedding-2B-Q8_0+mmproj-F16"
    running = machine("vllm sentence_transformers", serving={"embedder": ("http://127.0.0.1:8000", served)})
    assert backend(running) == ("server", served)
    with pytest.raises(WrongRequest) as raised:
        choose_embedder(settings(model="/models/Qwen3-VL-Embedding-2B-Q8_0.gguf"), {}, machine("vllm sentence_transformers"))
    assert raised.value.remedy.endswith("rag serve embedder --engine llamacpp --model /models/Qwen3-VL-Embedding-2B-Q8_0.gguf")


def test_a_servers_key_is_sent_to_it_alone_and_one_of_the_user_comes_first() -> None:
    keyed = replace(
        machine(serving={"embedder": ("http://127.0.0.1:8000", VL), "reranker": ("http://127.0.0.1:8001", "r")}),
        key=lambda url: {"http://127.0.0.1:8000": "its key", "http://127.0.0.1:8001": "other"}.get(url, ""),
    )

    def key(kept: dict[str, str] | None = None, **flags: Any) -> str:
        return choose_embedder(settings(**flags), kept or {}, keyed).choice.api_key

    assert key() == key(url=["http://127.0.0.1:8000"]) == "its key"
    assert key(remembered(choose_embedder(settings(), {}, keyed), settings())) == "its key"
    assert key(api_key="mine") == "mine"
    assert key(url=["http://elsewhere:8000"]) == key(url=["http://127.0.0.1:8000", "http://elsewhere:8000"]) == ""
    reranker = choose_reranker(settings(), "server", keyed)
    assert reranker is not None and reranker.choice.api_key == "other"
