"""Qwen3-Reranker through every backend, and the server that other programs send plain `query` and `documents`."""

from functools import cache

import pytest

from rag.types import Content
from tests.models import engines, oracle
from tests.models.samples import CONTENTS, TEXTS, painted

WHICH = "text-reranker"
TASK = "Given a web search query, retrieve relevant passages that answer the query"
OWN = "Given a part number, find the manual"
NEAR = 1e-3
QUERIES = {"words": "harbour crane in spring", "chinese": "港口的吊车", "empty": ""}
PICTURE = Content("image", text="", pixels=(painted(64, 64, 5),), clues="a crane in the harbour")

pytestmark = pytest.mark.usefixtures("server")  # comes up while the models in this process are asked


@pytest.fixture(scope="module")
def right(folder):
    return cache(lambda query, document, told=TASK: oracle.score_text(folder, told, query, document))


@pytest.mark.parametrize("query", QUERIES)
def test_scores_are_those_of_the_published_format(reranker, right, query):
    scores = reranker.score(Content("text", text=QUERIES[query]), [CONTENTS[name] for name in TEXTS])
    assert scores == pytest.approx([right(QUERIES[query], CONTENTS[name].text) for name in TEXTS], abs=NEAR)


def test_an_own_instruction(reranker, right):
    own = engines.told(reranker, rerank_instruction=OWN)
    [score] = own.score(Content("text", text="crane"), [CONTENTS["text"]])
    assert score == pytest.approx(right("crane", CONTENTS["text"].text, OWN), abs=NEAR)


def test_a_picture_is_scored_by_its_words(reranker, right):
    scores = reranker.score(Content("text", text="crane"), [PICTURE, CONTENTS["text"]])
    assert scores == pytest.approx([right("crane", PICTURE.clues), right("crane", CONTENTS["text"].text)], abs=NEAR)
    assert reranker.score(PICTURE, [CONTENTS["text"]]) == pytest.approx([right(PICTURE.clues, CONTENTS["text"].text)], abs=NEAR)
    assert not reranker.wants_pixels(PICTURE)


def test_the_formats_tell_apart(right):
    scores = [right("crane", CONTENTS[name].text) for name in TEXTS]
    assert max(scores) - min(scores) > 0.1
    assert abs(right("crane", "text") - right("crane", "text", OWN)) > 10 * NEAR


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v2/rerank"])
def test_plain_query_and_documents_are_scored_as_published(server, right, path):
    """All that a third-party client sends; the template on the server makes the prompt."""
    documents = [CONTENTS[name].text for name in TEXTS]
    answer = engines.answering(server).post(path, {"query": QUERIES["words"], "documents": documents})
    results = answer.json()["results"]
    assert sorted(result["index"] for result in results) == list(range(len(TEXTS)))
    scores = [result["relevance_score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert scores == pytest.approx([right(QUERIES["words"], documents[result["index"]]) for result in results], abs=NEAR)


def test_the_instruction_of_a_request(server, right):
    body = {"query": "crane", "documents": [CONTENTS["text"].text], "instruction": OWN}
    answer = engines.answering(server).post("/v1/rerank", body).json()
    assert answer["results"][0]["relevance_score"] == pytest.approx(right("crane", CONTENTS["text"].text, OWN), abs=NEAR)
