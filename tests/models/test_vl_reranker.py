"""Qwen3-VL-Reranker through every backend: the scores of the published format, whatever runs the model."""

from functools import cache

import pytest

from rag.backends import media
from rag.types import Content
from tests.models import engines, oracle
from tests.models.samples import CONTENTS, decoded, painted

WHICH = "vl-reranker"
TOLD = "Given a search query, retrieve relevant candidates that answer the query."
OWN = "Find the picture of the ship that is described"
NEAR = 1e-3
QUERIES = {
    "words": Content("text", text="harbour crane in spring"),
    "chinese": Content("text", text="港口的吊车"),
    "picture": Content("image", pixels=(painted(70, 100, 41),)),
    "picture and words": Content("image", text="the same, at night", pixels=(painted(100, 70, 42),)),
}

pytestmark = pytest.mark.usefixtures("server")  # comes up while the models in this process are asked


@pytest.fixture(scope="module")
def right(folder):
    def side(content):
        images, frames = decoded(content)
        return (oracle.VIDEO if frames else oracle.IMAGE * len(images)) + content.text or "NULL", images, frames

    @cache
    def score(query, name, instruction=TOLD):
        asked, asked_images, _ = side(QUERIES[query])
        document, images, frames = side(CONTENTS[name])
        return oracle.score_vl(folder, instruction, asked, document, [*asked_images, *images], frames)

    return score


@pytest.mark.parametrize("query", QUERIES)
def test_scores_are_those_of_the_published_format(reranker, right, query):
    names = list(CONTENTS) if query == "words" else [name for name in CONTENTS if name not in ("long", "large")]
    scores = reranker.score(QUERIES[query], [CONTENTS[name] for name in names])
    assert scores == pytest.approx([right(query, name) for name in names], abs=NEAR)


@pytest.mark.parametrize("name", ["text", "image", "image and text", "video"])
def test_a_score_does_not_depend_on_its_neighbours(reranker, right, name):
    assert reranker.score(QUERIES["words"], [CONTENTS[name]]) == pytest.approx([right("words", name)], abs=NEAR)


def test_an_own_instruction(reranker, right):
    names = ["text", "image", "image and text"]
    scores = engines.told(reranker, rerank_instruction=OWN).score(QUERIES["words"], [CONTENTS[name] for name in names])
    assert scores == pytest.approx([right("words", name, OWN) for name in names], abs=NEAR)


def test_a_picture_that_was_not_decoded_is_scored_by_its_words(reranker, folder):
    [score] = reranker.score(QUERIES["words"], [Content("image", clues="a crane in the harbour")])
    assert score == pytest.approx(oracle.score_vl(folder, TOLD, QUERIES["words"].text, "a crane in the harbour"), abs=NEAR)
    assert reranker.wants_pixels(QUERIES["words"])


def test_the_formats_tell_apart(right):
    """The proof is worth something: another document, query or instruction gives another score."""
    scores = [right("words", name) for name in CONTENTS]
    assert max(scores) - min(scores) > 0.1
    assert min(abs(one - other) for place, one in enumerate(scores) for other in scores[:place]) > 1e-4
    assert abs(right("words", "text") - right("words", "text", OWN)) > NEAR
    assert abs(right("words", "text") - right("chinese", "text")) > NEAR


def test_the_published_request(server, right):
    """As vLLM's own examples ask: POST /v1/rerank with words, pictures and both among the documents."""
    names = ["text", "image", "image and text", "video"]
    documents = [CONTENTS["text"].text]
    for name in names[1:]:
        words = [{"type": "text", "text": CONTENTS[name].text}] if CONTENTS[name].text else []
        documents.append({"content": [*media.media_parts(CONTENTS[name]), *words]})
    answer = engines.answering(server).post("/v1/rerank", {"query": QUERIES["words"].text, "documents": documents})
    results = answer.json()["results"]
    scores = [result["relevance_score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert scores == pytest.approx([right("words", names[result["index"]]) for result in results], abs=NEAR)


def test_wrapping_the_prompt_twice_gives_other_scores(server, right):
    """What a client gets that formats the prompt itself and asks a server that has the template."""
    query = f"{oracle.JUDGE}<|im_start|>user\n<Instruct>: {TOLD}<Query>:{QUERIES['words'].text}\n"
    document = f"<Document>:{CONTENTS['text'].text}<|im_end|>\n<|im_start|>assistant\n"
    answer = engines.answering(server).post("/v1/rerank", {"query": query, "documents": [document]})
    assert abs(answer.json()["results"][0]["relevance_score"] - right("words", "text")) > 10 * NEAR
