"""Models are opened once and loaded once for each role and choice, and loading is announced."""

import re

from rag.backends.base import Choice
from rag.models.loading import ModelCache
from rag.models.selection import ModelChoice

HERE = "tests.unit.models.test_loading"
OPENED: list[str] = []


class Weights:
    """A model that is loaded into this process."""

    def __init__(self, choice: Choice) -> None:
        OPENED.append(choice.model)
        self.loads = 0

    def load(self) -> None:
        self.loads += 1


class Remote:
    """A model that has nothing to load."""

    def __init__(self, choice: Choice) -> None:
        OPENED.append(choice.model)


def chosen(kind: str, model: str) -> ModelChoice:
    return ModelChoice(f"{HERE}:{kind}", Choice(model=model))


def test_a_model_is_opened_once_for_each_role_and_choice() -> None:
    OPENED.clear()
    models = ModelCache()
    first = models.embedder(chosen("Remote", "a"))
    assert models.embedder(chosen("Remote", "a")) is first
    assert models.embedder(chosen("Remote", "b")) is not first
    assert models.loaded_reranker(chosen("Remote", "a"), print) is not first
    assert OPENED == ["a", "b", "a"]


def test_weights_are_loaded_once_and_that_is_announced() -> None:
    said: list[str] = []
    models = ModelCache()
    embedder = models.embedder(chosen("Weights", "a"))
    assert isinstance(embedder, Weights) and (embedder.loads, said) == (0, [])
    for _ in range(2):
        assert models.loaded_embedder(chosen("Weights", "a"), said.append) is embedder
    assert embedder.loads == 1
    assert said[0] == f"loading a with {HERE}:Weights"
    assert re.fullmatch(r"loaded in 0\.0 s; `rag serve` keeps it loaded", said[1])
    assert len(said) == 2


def test_a_model_without_weights_is_not_announced() -> None:
    said: list[str] = []
    ModelCache().loaded_embedder(chosen("Remote", "a"), said.append)
    assert said == []
