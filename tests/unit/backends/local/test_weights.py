"""Complete weights are found in the caches of both hubs; incomplete ones do not count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.backends.local.weights import INDEX, NEEDED, folder_here, is_whole

NAME = "Qwen/Qwen3-VL-Embedding-2B"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HF_HOME", "HF_HUB_CACHE", "MODELSCOPE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: Path, *weights: str) -> str:
    folder.mkdir(parents=True)
    for name in (*NEEDED, *weights):
        (folder / name).write_text("{}")
    return str(folder)


def test_the_snapshot_of_main_comes_first(home: Path) -> None:
    cached = home / ".cache/huggingface/hub/models--Qwen--Qwen3-VL-Embedding-2B"
    assert folder_here(NAME) == ""
    first = put(cached / "snapshots/aaa", "model.safetensors")
    assert folder_here(NAME) == first  # without refs
    second = put(cached / "snapshots/bbb", "model.safetensors")
    (cached / "refs").mkdir()
    for named, found in (("aaa", first), ("bbb", second), ("gone", second)):
        (cached / "refs/main").write_text(named)
        assert folder_here(NAME) in (found, first)
        assert named == "gone" or folder_here(NAME) == found
    assert folder_here(f"modelscope:{NAME}") == ""


@pytest.mark.parametrize("place", ["hub/models/Qwen/Qwen3-VL-Embedding-2B", "models/Qwen/Qwen3-VL-Embedding-2B"])
def test_the_modelscope_cache_is_searched_for_its_own_names_only(home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(home / "own"))
    folder = put(home / "own" / place, "model.safetensors")
    assert (folder_here(f"modelscope:{NAME}"), folder_here(NAME)) == (folder, "")


def test_a_dot_in_a_name_may_be_spelled_as_underscores(home: Path) -> None:
    folder = put(home / ".cache/modelscope/hub/Qwen/Qwen3-Embedding-0___6B", "model.safetensors")
    assert folder_here("modelscope:Qwen/Qwen3-Embedding-0.6B") == folder


def test_an_incomplete_download_does_not_count(home: Path) -> None:
    folder = home / "half"
    put(folder, "model-1.safetensors")
    assert not is_whole(folder)
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}))
    assert not is_whole(folder)
    (folder / "model-2.safetensors").touch()
    assert is_whole(folder)
    (folder / INDEX).write_text("[]")
    assert not is_whole(folder)


def test_a_model_that_sees_needs_its_preprocessor(home: Path) -> None:
    folder = home / "seeing"
    put(folder, "model.safetensors")
    (folder / "config.json").write_text('{"vision_config": {}}')
    assert not is_whole(folder)
    (folder / "preprocessor_config.json").touch()
    assert is_whole(folder)


def test_a_folder_is_not_looked_up(home: Path) -> None:
    put(home / "Qwen/own", "model.safetensors")
    assert folder_here(str(home / "Qwen/own")) == folder_here("Qwen/own") == folder_here("gpt2") == ""
