"""Which family a model belongs to, however it is named, and what follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.families import FAMILIES, Task, family_of, fingerprint_of, instruction_for, model_name, native_dim, trust_of
from rag.errors import WrongRequest, WrongSetting

VL_CONFIG = {"model_type": "qwen3_vl", "text_config": {"hidden_size": 64}, "vision_config": {"hidden_size": 32}}


def folder(place: Path, config: Any) -> str:
    place.mkdir()
    (place / "config.json").write_text(config if isinstance(config, str) else json.dumps(config), "utf-8")
    return str(place)


def test_the_families_and_their_limits() -> None:
    assert {name: (family.sees, family.max_tokens, family.templated) for name, family in FAMILIES.items()} == {
        "qwen3-vl-embedding": (True, 8192, True),
        "qwen3-vl-reranker": (True, 10240, True),
        "qwen3-embedding": (False, 8192, True),
        "qwen3-reranker": (False, 8192, True),
        "bge-reranker": (False, 8192, False),
        "mxbai-reranker": (False, 512, False),
        "mxbai-v2-reranker": (False, 8192, True),
        "jina-m0-reranker": (True, 10240, True),
        "colqwen3-reranker": (True, 4096, True),
        "gme-embedding": (True, 1800, True),
        "wemm-embedding": (True, 8192, True),
        "jina-v4-embedding": (True, 8192, True),
        "nemotron-embedding": (False, 8192, True),
        "nemotron-vl-embedding": (True, 8192, True),
        "siglip-embedding": (True, 64, True),
        "clip-embedding": (True, 77, True),
        "plain-embedding": (False, 8192, False),
        "plain-reranker": (False, 8192, False),
    }


def test_the_default_instructions() -> None:
    def told(family: str, use: Any) -> str:
        return instruction_for(FAMILIES[family], DEFAULT_CHOICE, use)

    assert told("qwen3-vl-embedding", "document") == "Represent the user's input."
    assert told("qwen3-vl-embedding", "query") == "Retrieve images or text relevant to the user's query."
    assert told("qwen3-vl-reranker", "rerank") == "Given a search query, retrieve relevant candidates that answer the query."
    assert told("qwen3-embedding", "document") == ""
    web_search = "Given a web search query, retrieve relevant passages that answer the query"
    assert told("qwen3-embedding", "query") == told("qwen3-reranker", "rerank") == web_search
    assert told("plain-embedding", "query") == told("plain-reranker", "rerank") == ""


def test_a_prefix_of_a_plain_model_keeps_its_spaces() -> None:
    assert instruction_for(FAMILIES["plain-embedding"], Choice(query_instruction="query: "), "query") == "query: "


@pytest.mark.parametrize(
    ("model", "task", "family", "dim"),
    [
        ("Qwen/Qwen3-VL-Embedding-2B", "embedder", "qwen3-vl-embedding", 2048),
        ("Qwen/Qwen3-VL-Embedding-8B", "embedder", "qwen3-vl-embedding", 4096),
        ("Qwen/Qwen3-VL-Reranker-2B", "reranker", "qwen3-vl-reranker", 2048),
        ("Qwen/Qwen3-VL-Reranker-8B", "reranker", "qwen3-vl-reranker", 4096),
        ("Qwen/Qwen3-Embedding-0.6B", "embedder", "qwen3-embedding", 1024),
        ("Qwen/Qwen3-Embedding-4B", "embedder", "qwen3-embedding", 2560),
        ("Qwen/Qwen3-Embedding-8B", "embedder", "qwen3-embedding", 4096),
        ("Qwen/Qwen3-Reranker-0.6B", "reranker", "qwen3-reranker", 1024),
        ("Qwen/Qwen3-Reranker-4B", "reranker", "qwen3-reranker", 2560),
        ("qwen3-reranker-8b", "reranker", "qwen3-reranker", 4096),
        ("someone/Qwen3-VL-Embedding-8B-AWQ-4bit", "embedder", "qwen3-vl-embedding", 4096),
        ("/models/Qwen3-Embedding-0___6B/", "embedder", "qwen3-embedding", 1024),
        ("BAAI/bge-m3", "embedder", "plain-embedding", None),
        ("BAAI/bge-reranker-v2-m3", "reranker", "bge-reranker", None),
        ("BAAI/bge-reranker-v2-gemma", "reranker", "plain-reranker", None),
        ("mixedbread-ai/mxbai-rerank-base-v1", "reranker", "mxbai-reranker", None),
        ("mixedbread-ai/mxbai-rerank-large-v2", "reranker", "mxbai-v2-reranker", None),
        ("jinaai/jina-reranker-m0", "reranker", "jina-m0-reranker", None),
        ("TomoroAI/tomoro-colqwen3-embed-4b", "reranker", "colqwen3-reranker", None),
        ("Alibaba-NLP/gme-Qwen2-VL-2B-Instruct", "embedder", "gme-embedding", 1536),
        ("Alibaba-NLP/gme-Qwen2-VL-7B-Instruct", "embedder", "gme-embedding", 3584),
        ("tencent/WeMM-Embedding-4B", "embedder", "wemm-embedding", 2560),
        ("jinaai/jina-embeddings-v4-vllm-retrieval", "embedder", "jina-v4-embedding", None),
        ("jinaai/jina-embeddings-v4", "embedder", "plain-embedding", None),
        ("nvidia/llama-nemotron-embed-1b-v2", "embedder", "nemotron-embedding", 2048),
        ("nvidia/llama-nemotron-embed-vl-1b-v2", "embedder", "nemotron-vl-embedding", 2048),
        ("google/siglip2-base-patch16-224", "embedder", "siglip-embedding", None),
        ("openai/clip-vit-base-patch32", "embedder", "clip-embedding", None),
        ("", "embedder", "plain-embedding", None),
    ],
)
def test_the_name_tells_the_family_and_the_dimension(model: str, task: Task, family: str, dim: int | None) -> None:
    assert family_of(Choice(model=model), task).name == family
    assert native_dim(Choice(model=model)) == dim


@pytest.mark.parametrize(
    ("config", "embedder", "dim"),
    [
        (VL_CONFIG, "qwen3-vl-embedding", 64),
        ({"model_type": "qwen3", "hidden_size": 96}, "qwen3-embedding", 96),
        ({"model_type": "bert", "hidden_size": 384}, "plain-embedding", 384),
        ({"model_type": "qwen2_5_vl", "hidden_size": 128, "vision_config": {}}, "plain-embedding", 128),
        ({}, "plain-embedding", None),
    ],
)
def test_a_folder_tells_its_family_by_its_config(tmp_path: Path, config: Any, embedder: str, dim: int | None) -> None:
    model = folder(tmp_path / "mine", config)
    assert family_of(Choice(model=model), "embedder").name == embedder
    assert family_of(Choice(model=model), "reranker").name == embedder.replace("embedding", "reranker")
    assert native_dim(Choice(model=model)) == dim


@pytest.mark.parametrize(
    ("config", "task", "family", "dim"),
    [
        (
            {"architectures": ["JinaVLForRanking"], "model_type": "qwen2_vl", "hidden_size": 64},
            "reranker",
            "jina-m0-reranker",
            64,
        ),
        ({"auto_map": {"AutoModel": "modeling_gme_qwen2vl.GmeQwen2VL"}, "hidden_size": 96}, "embedder", "gme-embedding", 96),
        ({"auto_map": {"AutoModel": "modeling_wemm_embedding.WeMM"}, "hidden_size": 96}, "embedder", "wemm-embedding", 96),
        ({"architectures": ["LlamaBidirectionalModel"], "hidden_size": 80}, "embedder", "nemotron-embedding", 80),
        ({"model_type": "siglip", "text_config": {"hidden_size": 72}}, "embedder", "siglip-embedding", 72),
        ({"model_type": "clip", "projection_dim": 48, "text_config": {"hidden_size": 72}}, "embedder", "clip-embedding", 48),
    ],
)
def test_a_folder_of_another_family_tells_it_too(tmp_path: Path, config: Any, task: Task, family: str, dim: int) -> None:
    model = folder(tmp_path / "mine", config)
    assert family_of(Choice(model=model), task).name == family
    assert native_dim(Choice(model=model)) == dim


def test_a_folders_config_overrules_its_name_for_the_dimension(tmp_path: Path) -> None:
    model = folder(tmp_path / "Qwen3-VL-Embedding-2B", VL_CONFIG)
    assert native_dim(Choice(model=model)) == 64


@pytest.mark.parametrize("config", ["{", "[]", '"text"', '{"text_config": 3}'])
def test_a_broken_folder_is_reported(tmp_path: Path, config: str) -> None:
    model = folder(tmp_path / "mine", config)
    with pytest.raises(WrongSetting, match=r"config\.json"):
        family_of(Choice(model=model), "embedder")


@pytest.mark.parametrize("stated", ["qwen3-vl-embedding", "qwen3-vl", " Qwen3-VL "])
def test_a_stated_family_overrules_the_name(stated: str) -> None:
    choice = Choice(model="Qwen/Qwen3-Embedding-8B", family=stated)
    assert family_of(choice, "embedder").name == "qwen3-vl-embedding"
    assert family_of(Choice(model="served", family="plain"), "reranker").name == "plain-reranker"


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(WrongSetting, match="'qwen9'") as refused:
        family_of(Choice(model="served", family="qwen9"), "embedder")
    assert "qwen3-vl-embedding, qwen3-vl-reranker, qwen3-embedding" in refused.value.remedy


@pytest.mark.parametrize(
    ("choice", "task"),
    [
        (Choice(model="Qwen/Qwen3-VL-Reranker-2B"), "embedder"),
        (Choice(model="Qwen/Qwen3-Embedding-8B"), "reranker"),
        (Choice(model="served", family="qwen3-reranker"), "embedder"),
    ],
)
def test_a_model_of_the_other_task_is_refused(choice: Choice, task: Task) -> None:
    with pytest.raises(WrongRequest, match=f"cannot be used as the {task}"):
        family_of(choice, task)


@pytest.mark.parametrize(
    "model",
    [
        "Qwen/Qwen3-VL-Embedding-2B",
        "qwen3-vl-embedding-2b",
        "/models/Qwen3-VL-Embedding-2B/",
        "~/.cache/modelscope/hub/models/Qwen/Qwen3-VL-Embedding-2B",
        "~/.cache/huggingface/hub/models--Qwen--Qwen3-VL-Embedding-2B/snapshots/0123abcd",
    ],
)
def test_one_model_has_one_name(model: str) -> None:
    assert model_name(model) == "Qwen3-VL-Embedding-2B"


@pytest.mark.parametrize(
    ("model", "name"), [("", ""), ("BAAI/bge-m3", "bge-m3"), ("Qwen/Qwen3-Reranker-0___6B", "Qwen3-Reranker-0.6B")]
)
def test_other_names_stay_as_they_are(model: str, name: str) -> None:
    assert model_name(model) == name


def test_a_fingerprint_is_the_same_wherever_the_model_runs() -> None:
    here = Choice(model="/models/Qwen3-VL-Embedding-2B", query_instruction="Find the page")
    there = Choice(model="Qwen/Qwen3-VL-Embedding-2B", urls=("http://one:8000",), in_flight=2)
    made = fingerprint_of(there, family_of(there, "embedder"), 1024)
    assert made == fingerprint_of(here, family_of(here, "embedder"), 1024)
    assert (made.model, made.revision, made.dim) == ("Qwen3-VL-Embedding-2B", "", 1024)
    assert made.instruction == "Represent the user's input."
    assert made.preprocessing == "qwen3-vl prompts 1, ≤ 1310720 pixels"


def test_what_changes_document_vectors_changes_the_fingerprint() -> None:
    family = FAMILIES["qwen3-vl-embedding"]
    base = Choice(model="Qwen/Qwen3-VL-Embedding-2B")
    own = Choice(model="Qwen/Qwen3-VL-Embedding-2B", document_instruction="Describe the picture")
    assert fingerprint_of(own, family, 2048).instruction == "Describe the picture."
    texts, plain = FAMILIES["qwen3-embedding"], FAMILIES["plain-embedding"]
    made = [fingerprint_of(base, family, 2048), fingerprint_of(own, family, 2048), fingerprint_of(base, family, 64)]
    made += [fingerprint_of(base, texts, 2048), fingerprint_of(base, plain, 2048)]
    assert len(set(made)) == 5


def test_only_the_small_vl_reranker_is_trusted_less_with_pictures(tmp_path: Path) -> None:
    half = {"image": 0.5, "screenshot": 0.5, "frame": 0.5}
    assert trust_of(Choice(model="Qwen/Qwen3-VL-Reranker-2B")) == half
    assert trust_of(Choice(model="someone/qwen3-vl-reranker-2b-fp8")) == half
    renamed = folder(tmp_path / "judge", {**VL_CONFIG, "text_config": {"hidden_size": 2048}})
    assert trust_of(Choice(model=renamed)) == half
    for model in ("Qwen/Qwen3-VL-Reranker-8B", "Qwen/Qwen3-Reranker-0.6B", "BAAI/bge-reranker-v2-m3"):
        assert trust_of(Choice(model=model)) == {}
