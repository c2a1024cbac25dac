"""Which model a server serves, under which name, and whether it is the chosen one."""

import pytest

from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import BackendError
from tests.faults.fake_server import FakeServer
from tests.unit.server_models import CRANE, PICTURE, PLAIN, SHORT, TEXT, VL, embedder, texts


@pytest.mark.parametrize(
    ("served", "root"), [(VL, None), ("/models/Qwen3-VL-Embedding-2B", None), ("embedder", VL), ("Embedder", VL)]
)
def test_a_model_is_found_under_its_served_name(served, root):
    with FakeServer(served, dim=2048, root=root) as server:
        embedder(server).embed([CRANE], role="document")
        assert server.requests[-1].body["model"] == served


@pytest.mark.parametrize("model", ["", "embedder"])
def test_without_a_name_the_only_served_model_is_used(model):
    with FakeServer("embedder", dim=2048, root=VL) as server:
        asking = embedder(server, model)
        assert (asking.fingerprint.model, asking.fingerprint.dim) == ("Qwen3-VL-Embedding-2B", 2048)
        asking.embed([PICTURE], role="document")
        assert server.requests[-1].body["model"] == "embedder"


def test_another_model_is_refused_with_its_name():
    with FakeServer("Qwen/Qwen3-VL-Embedding-8B") as server, pytest.raises(BackendError) as raised:
        embedder(server).embed([CRANE], role="document")
    assert "serves Qwen/Qwen3-VL-Embedding-8B, not Qwen/Qwen3-VL-Embedding-2B" in raised.value.what
    assert server.requests == []


def test_one_of_several_models_must_be_named_and_adapters_do_not_count():
    cards = [{"id": "a"}, {"id": "b"}, {"id": "tuned", "parent": "a"}]
    with FakeServer(models={"data": cards}) as server, pytest.raises(BackendError, match="serves 2 models: a, b"):
        embedder(server, "")
    with FakeServer(models={"data": cards[1:]}, dim=8) as server:
        assert embedder(server, "").fingerprint.model == "b"


@pytest.mark.parametrize("models", [{"data": []}, {"data": [{"id": 3}]}, {"error": "no"}, ["a"], "x"])
def test_an_invalid_list_of_models_is_refused(models):
    with FakeServer(models=models) as server, pytest.raises(BackendError) as raised:
        embedder(server).embed([CRANE], role="document")
    assert f"{server.url}/v1/models" in raised.value.what


def test_a_server_that_lists_no_models_serves_the_one_that_must_be_named():
    with FakeServer(PLAIN, dim=8) as server:
        server.paths.remove("/v1/models")
        assert embedder(server, PLAIN).embed([CRANE], role="document").shape == (1, 8)
        with pytest.raises(BackendError, match="does not say which model"):
            embedder(server, "")


def test_a_second_endpoint_with_another_model_is_refused():
    with FakeServer(TEXT) as one, FakeServer("other") as other, pytest.raises(BackendError, match=f"{other.url}.*serves other"):
        ServerEmbedder(Choice(model=TEXT, urls=(one.url, other.url), in_flight=1), SHORT).embed(texts(640), role="document")
