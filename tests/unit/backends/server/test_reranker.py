"""Scores through a server: in input order, in 0…1, from the path that the server has."""

import pytest

from rag.backends.base import Choice
from rag.backends.server.reranker import ServerReranker
from rag.errors import BackendError
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.unit.server_models import (
    CHINESE,
    CRANE,
    EMPTY,
    FILM,
    PICTURE,
    PLAIN_RERANKER,
    TEXT_RERANKER,
    UNSEEN,
    VL_RERANKER,
    reranker,
    texts,
)


@pytest.mark.parametrize("model", [VL_RERANKER, TEXT_RERANKER, PLAIN_RERANKER])
def test_scores_are_in_input_order_whatever_the_batches(model):
    contents = [CRANE, PICTURE, CHINESE, UNSEEN, EMPTY, FILM, *texts(90)]
    with FakeServer(model) as server:
        asking = reranker(server, model)
        scores = asking.score(CRANE, contents)
        assert scores == [asking.score(CRANE, [content])[0] for content in contents]
        assert asking.score(CRANE, []) == []
    assert all(type(score) is float and 0 <= score <= 1 for score in scores)
    assert len(set(scores[:6])) == 6


def test_candidates_are_spread_over_endpoints_and_requests():
    with FakeServer(TEXT_RERANKER) as one, FakeServer(TEXT_RERANKER) as other:
        ServerReranker(Choice(model=TEXT_RERANKER, urls=(one.url, other.url))).score(CRANE, texts(100))
        sizes = [len(request.body["documents"]) for server in (one, other) for request in server.requests]
    assert sizes == [25] * 4 and one.requests and other.requests


def test_a_model_that_sees_wants_pixels_and_one_that_ranks_pictures_worse_is_trusted_less():
    seeing = ServerReranker(Choice(model=VL_RERANKER, urls=("http://127.0.0.1:1",)))
    blind = ServerReranker(Choice(model=TEXT_RERANKER, urls=("http://127.0.0.1:1",)))
    assert (seeing.wants_pixels(CRANE), blind.wants_pixels(PICTURE)) == (True, False)
    assert (seeing.modalities, blind.modalities) == ({"text", "image", "video"}, {"text"})
    assert (seeing.name, blind.name) == ("Qwen3-VL-Reranker-2B", "Qwen3-Reranker-0.6B")
    assert (seeing.trust.get("image"), dict(blind.trust)) == (0.5, {})


def test_without_score_the_rerank_path_is_used():
    with FakeServer(VL_RERANKER) as server:
        server.paths.remove("/score")
        asking = reranker(server)
        assert len(asking.score(CRANE, [CHINESE, PICTURE])) == 2
        assert [request.path for request in server.requests] == ["/score", "/v1/rerank"]
        asking.score(CRANE, [CHINESE])
        assert server.requests[-1].path == "/v1/rerank"


def test_tei_and_infinity_get_their_unversioned_path():
    with FakeServer(PLAIN_RERANKER) as server:
        server.paths = {"/rerank"}
        asking = reranker(server, PLAIN_RERANKER)
        assert asking.score(CRANE, [CHINESE, CRANE]) == pytest.approx(
            [server.score(server.requests[-1].body["query"], text) for text in server.requests[-1].body["texts"]]
        )
        assert server.requests[-1].body["texts"] == server.requests[-1].body["documents"]
        server.paths = {"/rerank", "/info"}
        assert reranker(server, "").name == "bge-reranker-v2-m3"


def test_a_server_without_any_rerank_path_is_reported():
    with FakeServer(PLAIN_RERANKER) as server:
        server.paths = {"/v1/embeddings"}
        with pytest.raises(BackendError, match=r"/rerank refused a request \(404\)"):
            reranker(server, PLAIN_RERANKER).score(CRANE, [CHINESE])


def test_log_odds_become_scores_in_0_to_1():
    with FakeServer(PLAIN_RERANKER) as server:
        server.fail(fake.edited(lambda entries: [{**one, "relevance_score": 4.0 * one["index"] - 4} for one in entries]))
        asking = reranker(server, PLAIN_RERANKER)
        assert asking.score(CRANE, [CHINESE, CRANE, EMPTY]) == pytest.approx([0.017986, 0.5, 0.982014], abs=1e-6)
        server.fail(fake.edited(lambda entries: [{**one, "relevance_score": 0.0} for one in entries]))
        assert asking.score(CRANE, [CHINESE]) == [0.5]
