"""A wrong response of a model server is refused at once, with what is wrong with it."""

import math

import numpy as np
import pytest

from rag.backends.server import exchange
from rag.errors import BackendError
from tests.faults import fake_server as fake
from tests.faults.server_asking import QUERY, TEXTS, WRONG_VECTORS, embedder, reranker, truth


@pytest.mark.parametrize(("fault", "says"), WRONG_VECTORS.values(), ids=WRONG_VECTORS)
def test_wrong_vectors_are_refused_at_once(server, fault, says):
    server.always = fault
    with pytest.raises(BackendError) as raised:
        embedder(server).embed(TEXTS, role="document")
    assert says in raised.value.what
    assert server.url in raised.value.what
    assert raised.value.what.isprintable() and len(raised.value.what) < 500
    assert raised.value.remedy
    assert len(server.requests) <= 2  # a refusal is checked with one harmless request


def test_vectors_are_ordered_by_their_index(server):
    server.fail(fake.edited(lambda entries: entries[::-1]))
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)


WRONG_SCORES = {
    "NaN": (fake.edited(lambda entries: [{**one, "relevance_score": math.nan} for one in entries]), "nan as a score"),
    "a word": (fake.edited(lambda entries: [{**one, "relevance_score": "high"} for one in entries]), "high as a score"),
    "true": (fake.edited(lambda entries: [{**one, "relevance_score": True} for one in entries]), "True as a score"),
    "no score": (fake.edited(lambda entries: [{"index": one["index"]} for one in entries]), "None as a score"),
    "too few": (fake.edited(lambda entries: entries[:2]), "2 scores for 4 inputs"),
    "too many": (fake.edited(lambda entries: entries * 2), "8 scores for 4 inputs"),
    "duplicated index": (fake.edited(lambda entries: [{**one, "index": 0} for one in entries]), "index"),
    "outside 0…1": (fake.edited(lambda entries: [{**one, "relevance_score": 3.5} for one in entries]), "not within 0…1"),
    "error in a 200": (fake.instead({"object": "error", "message": "busy"}), "busy"),
    "html": (fake.html, "not JSON"),
    "400": (fake.status(400, "no reranker here"), "no reranker here"),
}


@pytest.mark.parametrize(("fault", "says"), WRONG_SCORES.values(), ids=WRONG_SCORES)
def test_wrong_scores_are_refused_at_once(ranker, fault, says):
    ranker.always = fault
    with pytest.raises(BackendError) as raised:
        reranker(ranker).score(QUERY, TEXTS)
    assert says in raised.value.what and ranker.url in raised.value.what and raised.value.remedy
    assert len(ranker.requests) <= 2


def test_a_redirect_is_not_followed(server, ranker):
    server.fail(fake.redirect(f"{ranker.url}/v1/embeddings"))
    with pytest.raises(BackendError, match="redirects"):
        embedder(server, api_key="secret").embed(TEXTS, role="document")
    assert (ranker.requests, ranker.looks) == ([], 0)


def test_an_endless_answer_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(exchange, "BODY_BYTES", 1_000_000)
    server.always = fake.endless
    with pytest.raises(BackendError, match="more than 1 MB"):
        embedder(server).embed(TEXTS, role="document")
