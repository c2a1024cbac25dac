"""The laws of rag.backends.base.InProcess, on a model whose weights are a counter; tests/models has real ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rag.backends import EMBEDDERS, RERANKERS
from rag.backends.base import Choice, InProcess
from rag.backends.local.base import LoadedEmbedder, LoadedReranker
from rag.plugins import resolve
from rag.types import Content

HELLO = [Content("text", text="hello")]


class _Counted:
    package = extra = "numpy"

    def _load_model(self) -> Any:
        self.loads = getattr(self, "loads", 0) + 1
        return object()

    def _tokenizer(self) -> Any:
        raise NotImplementedError

    def _limit(self) -> int:
        raise NotImplementedError


class CountedEmbedder(_Counted, LoadedEmbedder):
    def __init__(self) -> None:
        super().__init__(Choice(model="some/embedder", dim=2))

    def _known_dim(self) -> int:
        return 2

    def _native_dim(self) -> int:
        raise NotImplementedError

    def _rows(self, contents: Sequence[Content], role: str) -> np.ndarray:
        return np.ones((len(contents), 2))


class CountedReranker(_Counted, LoadedReranker):
    def __init__(self) -> None:
        super().__init__(Choice(model="some/reranker"))

    def _score_prompts(self, pairs: Sequence[Any]) -> Sequence[float]:
        raise NotImplementedError

    def _score_pairs(self, query: str, words: Sequence[str]) -> Sequence[float]:
        return [0.5] * len(words)


def call(model: CountedEmbedder | CountedReranker) -> None:
    if isinstance(model, CountedEmbedder):
        model.embed(HELLO, role="document")
    else:
        model.score(HELLO[0], HELLO)


@pytest.fixture(params=[CountedEmbedder, CountedReranker])
def model(request):
    return request.param()


def test_nothing_is_loaded_before_it_is_needed(model):
    assert not hasattr(model, "loads")


def test_load_loads_once_and_the_first_call_need_not(model):
    model.load()
    model.load()
    call(model)
    assert model.loads == 1


def test_without_load_the_first_call_loads(model):
    call(model)
    call(model)
    assert model.loads == 1


@pytest.mark.parametrize(
    ("table", "name", "loads"),
    [(table, name, name in ("vllm", "transformers", "small")) for table in (EMBEDDERS, RERANKERS) for name in table],
)
def test_the_rows_that_hold_weights_declare_it(table, name, loads):
    assert issubclass(resolve(table, name, "model"), InProcess) is loads
