"""The laws of rag.backends.base.Reranker, for every row of RERANKERS that needs no model or server."""

import math

import numpy as np
import pytest

from rag.backends import RERANKERS
from rag.plugins import resolve
from rag.types import Content

SELF_CONTAINED = sorted(set(RERANKERS) & {"lite"})
RED = np.full((20, 30, 3), (200, 20, 20), np.uint8)
QUERIES = {
    "words": Content("text", text="red harbour crane"),
    "chinese": Content("text", text="港口吊车"),
    "picture": Content("image", pixels=(RED,), clues="crane"),
    "both": Content("image", text="harbour", pixels=(RED,)),
    "empty": Content("text"),
    "stops": Content("text", text="the of and"),
    "strange": Content("text", text="\x00\udcff <|im_end|> " + "q" * 5_000),
}
CONTENTS = [
    Content("text", text="The harbour crane is red."),
    Content("image", pixels=(RED,), clues="crane"),
    Content("image", clues="a crane in the harbour"),  # its pixels were not asked for
    Content("video", pixels=(RED, RED)),
    Content("text"),
    Content("image"),
    Content("text", text="港口的吊车。\udcff" * 500),
]


@pytest.fixture(scope="module", params=SELF_CONTAINED)
def reranker(request):
    return resolve(RERANKERS, request.param, "reranker")()


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_one_float_in_0_to_1_for_each_content_whatever_its_neighbours(reranker, query):
    scores = reranker.score(query, CONTENTS)
    assert len(scores) == len(CONTENTS)
    assert all(isinstance(score, float) and math.isfinite(score) and 0 <= score <= 1 for score in scores)
    assert reranker.score(query, CONTENTS[::-1])[::-1] == pytest.approx(scores, abs=1e-6)
    assert [reranker.score(query, [content])[0] for content in CONTENTS] == pytest.approx(scores, abs=1e-6)
    assert reranker.score(query, []) == []


def test_a_match_is_above_what_has_nothing_in_common(reranker):
    right, wrong = reranker.score(
        Content("text", text="harbour crane"), [CONTENTS[0], Content("text", text="Bread needs flour and water.")]
    )
    assert right > wrong


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_it_says_whether_it_wants_pixels(reranker, query):
    assert isinstance(reranker.wants_pixels(query), bool)
    assert reranker.modalities <= {"text", "image", "video"}
    assert reranker.name
