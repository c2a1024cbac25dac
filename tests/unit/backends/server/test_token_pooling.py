"""The mean of the vectors of tokens: all of a text's, a picture's own alone, cut first and brought to length after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.families import FAMILIES
from rag.backends.server.exchange import HttpResponse
from rag.backends.server.token_pooling import TokenMeanForm
from rag.errors import BackendError
from rag.types import Content

FAMILY = FAMILIES["jina-v4-embedding"]
NAMED = Choice(model="jinaai/jina-embeddings-v4-vllm-retrieval")
TEXT, PICTURE = Content("text", "kite"), Content("image", "kite", pixels=(np.zeros((30, 30, 3), np.uint8),))
COUNTS = {"<|im_start|>user\n": 3, "Describe the image.<|im_end|>\n": 6}


def form(choice: Choice = NAMED, count: Callable[[str], int | None] = COUNTS.get) -> TokenMeanForm:
    return TokenMeanForm(FAMILY, choice, count)


def answer(*states: np.ndarray) -> HttpResponse:
    """As lists, for a form that does not know the length of a vector yet."""
    rows = [{"index": at, "data": one.tolist()} for at, one in enumerate(states)]
    return HttpResponse("http://here/pooling", {"data": rows})


def states(tokens: int) -> np.ndarray:
    return np.random.default_rng(tokens).normal(size=(tokens, 2048)).astype(np.float32)


def test_texts_take_all_tokens_and_pictures_their_own() -> None:
    one, other, seen = states(5), states(7), states(20)
    vectors = form().read(answer(one, other), [TEXT, TEXT], 2048)
    expected = np.stack([one.mean(0), other.mean(0)])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    (picture,) = form().read(answer(seen), [PICTURE], 64)
    mean = seen[3:14].mean(0)[:64]
    np.testing.assert_allclose(picture, mean / np.linalg.norm(mean), atol=1e-6)


def test_the_requests() -> None:
    shape = {"task": "token_embed", "use_activation": False, "encoding_format": "float"}
    assert form().request([TEXT, Content("text", "sea")], "query") == {"input": ["Query: kite", "Query: sea"], **shape}
    sent = dict(form().request([PICTURE], "document"))
    ((part, task),) = [turn["content"] for turn in sent.pop("messages")]
    assert (part["type"], task, sent) == ("image_url", {"type": "text", "text": "Describe the image."}, shape)


def test_lists_are_asked_for_until_the_length_is_known() -> None:
    first = form()
    assert first.request([TEXT], "document")["encoding_format"] == "float"
    first.read(HttpResponse("here", {"data": [{"index": 0, "data": states(3).tolist()}]}), [TEXT], 0)
    assert first.request([TEXT], "document")["encoding_format"] == "base64"


@pytest.mark.parametrize(
    ("sent", "contents", "dim"),
    [
        (answer(states(5)), [TEXT, TEXT], 2048),
        (answer(states(5)), [TEXT], 4096),
        (answer(states(9)), [PICTURE], 2048),
        (answer(np.zeros((5, 2048), np.float32)), [TEXT], 2048),
        (answer(np.full((5, 2048), np.nan, np.float32)), [TEXT], 2048),
    ],
)
def test_anything_else_is_refused(sent: HttpResponse, contents: list[Content], dim: int) -> None:
    with pytest.raises(BackendError, match="http://here/pooling sent"):
        form().read(sent, contents, dim)


def test_a_server_that_does_not_count_cannot_give_pictures() -> None:
    def silent(text: str) -> Any:
        return None

    with pytest.raises(BackendError, match="does not count tokens"):
        form(count=silent).read(answer(states(20)), [PICTURE], 2048)
