"""Models named `modelscope:NAME`: how vLLM gets them, and the errors if they cannot be fetched. No hub is contacted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from rag.backends.base import Choice
from rag.backends.families import family_of, fingerprint_of, model_name, native_dim
from rag.backends.modelscope import folder_of, require
from rag.errors import BackendError, MissingExtra
from rag.models.vllm_command import LaunchOptions, ServerSpec, commands, partner

NAME = "Qwen/Qwen3-VL-Embedding-2B"
THERE = f"modelscope:{NAME}"


class HubError(Exception):
    """The base class of the errors of `modelscope_hub`."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], object]], None]:
    """Replaces the package `modelscope` by one with this `snapshot_download`."""

    def fetching(fetch: Callable[[str], object]) -> None:
        for name, held in {"modelscope": {"snapshot_download": fetch}, "modelscope_hub.errors": {"HubError": HubError}}.items():
            module = ModuleType(name)
            module.__spec__ = ModuleSpec(name, None)
            vars(module).update(held)
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setitem(sys.modules, "modelscope_hub", ModuleType("modelscope_hub"))

    return fetching


def test_the_prefix_does_not_change_the_model() -> None:
    there, own = Choice(model=THERE), Choice(model=NAME)
    family = family_of(there, "embedder")
    assert (model_name(THERE), native_dim(there)) == ("Qwen3-VL-Embedding-2B", 2048)
    assert fingerprint_of(there, family, 2048) == fingerprint_of(own, family_of(own, "embedder"), 2048)
    assert partner(THERE) == "modelscope:Qwen/Qwen3-VL-Reranker-2B"


@pytest.mark.parametrize("platform", ["cuda", "cpu", "ascend"])
def test_vllm_is_pointed_to_modelscope_whatever_the_environment_says(platform: str) -> None:
    version = "0.23.0" if platform == "ascend" else "0.33.0"
    options = LaunchOptions(platform=platform, version=version)  # type: ignore[arg-type]
    (there,) = commands([ServerSpec("embedder", THERE, 8000)], options, {"VLLM_USE_MODELSCOPE": "False"})
    (own,) = commands([ServerSpec("embedder", NAME, 8000)], options, {})
    assert there.arguments == own.arguments
    assert there.environment["VLLM_USE_MODELSCOPE"] == "True"
    assert own.environment.get("VLLM_USE_MODELSCOPE") == ("True" if platform == "ascend" else None)


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope", None)
    require(NAME)
    with pytest.raises(MissingExtra, match=f"needed to fetch {NAME}") as raised:
        require(THERE)
    assert raised.value.remedy == "install it from the checkout of this program: pip install '.[modelscope]'"


def test_the_folder_is_the_one_modelscope_returns(hub: Callable[..., None], tmp_path: Path) -> None:
    asked: list[str] = []
    hub(lambda name: asked.append(name) or tmp_path)
    assert (folder_of(THERE), folder_of(NAME), asked) == (str(tmp_path), NAME, [NAME])


@pytest.mark.parametrize("kind", [HubError, OSError])
def test_a_model_that_cannot_be_fetched_is_an_error(hub: Callable[..., None], kind: type[Exception]) -> None:
    def fail(name: str) -> str:
        raise kind(f"no repository {name}\nmore lines")

    hub(fail)
    with pytest.raises(BackendError, match=f"{NAME} cannot be fetched from ModelScope: no repository {NAME}$"):
        folder_of(THERE)
