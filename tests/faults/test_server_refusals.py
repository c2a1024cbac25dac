"""Contents that a model server refuses are found among the others; a text that is too long is cut if the server counts tokens."""

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.families import FAMILIES
from rag.backends.media import image_url
from rag.backends.prompts import rerank_prompt
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import BackendError, ContentRefused
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.faults.server_asking import LONG, MODEL, QUERY, RERANKER, SHORT, TEXTS, embedder, refusing, reranker, truth


@pytest.mark.parametrize(("code", "message"), [(400, LONG), (422, "no such letter"), (413, "")])
def test_refused_texts_are_found_and_the_others_get_vectors(server, code, message):
    many = [Content("text", text=f"passage <{number}>") for number in range(64)]
    server.always = refusing("<7>", "<40>", code=code, message=message)
    with pytest.raises(ContentRefused) as raised:
        embedder(server).embed(many, role="document")
    assert set(raised.value.reasons) == {7, 40}
    assert message in raised.value.reasons[7] and message in raised.value.what
    kept = [content for number, content in enumerate(many) if number not in (7, 40)]
    np.testing.assert_allclose(raised.value.others, truth(server, kept), atol=1e-6)
    asked = [request for request in server.requests if request.path == "/v1/embeddings"]
    assert len(asked) == 2 + 1 + 2 * 2 * 5  # the batches, a harmless text, both halves of 32, 16, 8, 4 and 2 texts


def test_a_refused_picture_is_told_apart_from_a_server_that_refuses_all_pictures():
    seen = [Content("image", pixels=(np.full((32, 32, 3), shade, np.uint8),)) for shade in (0, 90, 250)]
    second = image_url(seen[1].pixels[0])
    with FakeServer("Qwen/Qwen3-VL-Embedding-2B", dim=2048) as server:
        asking = ServerEmbedder(Choice(model=server.model, urls=(server.url,)), SHORT)
        server.always = refusing(second, message="cannot identify image file")
        with pytest.raises(ContentRefused) as raised:
            asking.embed(seen, role="document")
        assert dict(raised.value.reasons) == {1: "the model server refuses it (cannot identify image file)"}
        assert raised.value.others.shape == (2, 2048)
        server.always = refusing("image_url", message="At most 0 image(s) may be provided")
        with pytest.raises(BackendError, match="At most 0 image") as raised:
            asking.embed([TEXTS[0], *seen], role="document")
        assert not isinstance(raised.value, ContentRefused)


def test_a_text_that_always_makes_the_server_fail_is_found_and_the_others_get_vectors(server):
    server.always = refusing("passage 2", code=500, message="list index out of range")
    with pytest.raises(ContentRefused, match=r"answered 500: list index out of range \(3 attempts in") as raised:
        embedder(server).embed(TEXTS, role="document")
    assert dict(raised.value.reasons) == {2: "the model server refuses it (list index out of range)"}
    np.testing.assert_allclose(raised.value.others, truth(server, [TEXTS[0], TEXTS[1], TEXTS[3]]), atol=1e-6)


def test_a_server_that_always_fails_ends_the_call(server):
    server.always = refusing("length", "passage", code=500, message="engine is dead")
    with pytest.raises(BackendError, match=r"answered 500: engine is dead \(3 attempts in") as raised:
        embedder(server).embed(TEXTS, role="document")
    assert not isinstance(raised.value, ContentRefused)


def test_a_single_text_that_is_too_long_is_reported_as_such(server):
    server.always = refusing("passage 3")
    with pytest.raises(ContentRefused, match="maximum context length is 8192") as raised:
        embedder(server).embed(TEXTS[3:], role="query")
    assert "RAG_PASSAGE_CHARACTERS" in raised.value.remedy
    assert len(raised.value.others) == 0


def test_refused_pairs_are_found_and_the_others_get_scores(ranker):
    ranker.always = refusing("passage 2", path="/v1/rerank")
    with pytest.raises(ContentRefused) as raised:
        reranker(ranker).score(QUERY, TEXTS)
    assert set(raised.value.reasons) == {2}
    kept = [content for number, content in enumerate(TEXTS) if number != 2]
    assert raised.value.others == pytest.approx([ranker.score("harbour", content.text) for content in kept])


def counting(longest, letters=1):
    """A server that counts one token per `letters` letters and refuses prompts of more than `longest` tokens."""

    def fault(handler, body):
        count = (
            -(-len(body["prompt"]) // letters) if "prompt" in body else max(-(-len(text) // letters) for text in body["input"])
        )
        if "prompt" in body:
            return fake.reply(handler, {"count": count, "max_model_len": longest, "tokens": []})
        if count > longest:
            return fake.status(400, f"maximum context length is {longest} tokens")(handler, body)
        return fake.reply(handler, handler.fake.right("/v1/embeddings", body))

    return fault


@pytest.mark.parametrize("letters", [1, 4], ids=["expected", "found by its refusal"])
def test_a_text_that_is_too_long_is_cut_if_the_server_counts_tokens(server, caplog, letters):
    server.paths.add("/tokenize")
    server.models = {"data": [{"id": MODEL, "max_model_len": 100}]}
    server.always = counting(100, letters)
    long = Content("text", text="b" * 250 * letters)
    found = embedder(server).embed([TEXTS[0], long, TEXTS[1]], role="document")
    cut = Content("text", text="b" * 100 * letters)
    np.testing.assert_allclose(found, truth(server, [TEXTS[0], cut, TEXTS[1]]), atol=1e-6)
    assert caplog.records[0].getMessage().startswith("a text is longer than the 100 tokens")


def test_a_text_that_is_too_long_is_refused_if_the_server_does_not_count_tokens(server):
    server.models = {"data": [{"id": MODEL, "max_model_len": 100}]}
    server.always = counting(100)
    with pytest.raises(ContentRefused) as raised:
        embedder(server).embed([TEXTS[0], Content("text", text="b" * 250)], role="document")
    assert set(raised.value.reasons) == {1}


def counting_pairs(longest):
    """A reranker that counts one token per letter and refuses pairs of more than `longest` tokens."""

    def fault(handler, body):
        if "prompt" in body:
            return fake.reply(handler, {"count": len(body["prompt"]), "max_model_len": longest, "tokens": []})
        asked = Content("text", text=body["query"])
        family = FAMILIES["qwen3-reranker"]
        if any(len(rerank_prompt(family, asked, Content("text", text=one), "")) > longest for one in body["documents"]):
            return fake.status(400, f"maximum context length is {longest} tokens")(handler, body)
        return fake.reply(handler, handler.fake.right("/v1/rerank", body))

    return fault


def test_a_document_that_is_too_long_is_cut_if_the_server_counts_tokens(ranker, caplog):
    ranker.paths.add("/tokenize")
    ranker.models = {"data": [{"id": RERANKER, "max_model_len": 500}]}
    ranker.always = counting_pairs(500)
    frame = len(rerank_prompt(FAMILIES["qwen3-reranker"], QUERY, Content("text"), ""))
    found = reranker(ranker).score(QUERY, [TEXTS[0], Content("text", text="b" * 900), TEXTS[1]])
    kept = ["b" * (500 - frame), TEXTS[0].text, TEXTS[1].text]
    cut, first, last = (ranker.score(QUERY.text, text) for text in kept)
    assert found == pytest.approx([first, cut, last])
    assert caplog.records[0].getMessage().startswith("a text is longer than the 500 tokens")
