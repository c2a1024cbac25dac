"""Vectors of tokens: how they are read, compared, and what is refused."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.server.exchange import HttpResponse
from rag.backends.server.late_interaction import max_sim, token_vectors
from rag.errors import BackendError

ROWS = np.array([[3.0, 4.0], [0.0, 2.0]], np.float32)
UNIT = np.array([[0.6, 0.8], [0.0, 1.0]], np.float32)


def answer(content: Any) -> HttpResponse:
    return HttpResponse(content=content, place="http://here/pooling")


def encoded(rows: np.ndarray) -> str:
    return base64.b64encode(rows.astype("<f4").tobytes()).decode()


@pytest.mark.parametrize("data", [ROWS.tolist(), encoded(ROWS)])
def test_rows_are_read_in_order_and_brought_to_length(data: Any) -> None:
    other = encoded(ROWS[:1]) if isinstance(data, str) else ROWS[:1].tolist()
    content = {"data": [{"index": 1, "data": other}, {"index": 0, "data": data}]}
    first, second = token_vectors(answer(content), 2, 2)
    np.testing.assert_allclose(first, UNIT, atol=1e-6)
    np.testing.assert_allclose(second, UNIT[:1], atol=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        {"error": "no"},
        [],
        {"data": []},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "data": [1.0, 2.0]}]},
        {"data": [{"index": 0, "data": [[1.0, 2.0, 3.0]]}]},
        {"data": [{"index": 0, "data": [[0.0, 0.0]]}]},
        {"data": [{"index": 0, "data": [[float("nan"), 1.0]]}]},
        {"data": [{"index": 0, "data": "!"}]},
        {"data": [{"index": 0, "data": ""}]},
        {"data": [{"index": 0, "data": [[1.0, 0.0]]}, {"index": 1, "data": [[1.0, 0.0]]}]},
    ],
)
def test_anything_else_is_refused(content: Any) -> None:
    with pytest.raises(BackendError, match="http://here/pooling sent"):
        token_vectors(answer(content), 1, 2)


def test_a_score_is_the_mean_of_each_query_tokens_best_match() -> None:
    assert max_sim(UNIT, UNIT) == pytest.approx(1.0)
    assert max_sim(UNIT, UNIT[1:]) == pytest.approx((0.8 + 1.0) / 2)
    assert max_sim(UNIT, -UNIT) == 0.0
    assert max_sim(UNIT[:1], np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32)) == pytest.approx(0.6)


def test_the_family_is_a_reranker_alone() -> None:
    from rag.backends.families import family_of
    from rag.errors import WrongRequest

    choice = Choice(model="TomoroAI/tomoro-colqwen3-embed-8b")
    assert family_of(choice, "reranker").late
    with pytest.raises(WrongRequest, match="cannot be used as the embedder"):
        family_of(choice, "embedder")
