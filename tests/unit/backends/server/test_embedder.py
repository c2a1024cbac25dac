"""Vectors through a server: in input order, of the requested dimension, from one endpoint or two."""

import threading

import numpy as np
import pytest

from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import BackendError
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.unit.server_models import (
    CAPTIONED,
    CHINESE,
    CRANE,
    EMPTY,
    FILM,
    PICTURE,
    PLAIN,
    RED,
    TEXT,
    UNSEEN,
    VL,
    embedder,
    texts,
)


def test_rows_are_unit_float32_in_input_order_for_mixed_contents():
    contents = [PICTURE, CRANE, FILM, CHINESE, CAPTIONED, EMPTY]
    with FakeServer(VL, dim=2048) as server:
        asking = embedder(server)
        vectors = asking.embed(contents, role="document")
        alone = np.stack([asking.embed([content], role="document")[0] for content in contents])
        assert asking.embed([], role="query").shape == (0, 2048)
    assert (vectors.dtype, vectors.shape) == (np.float32, (6, 2048))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors, alone)
    assert len({row.tobytes() for row in vectors}) == 6


@pytest.mark.parametrize("count", [1, 16, 17, 33, 100, 333])
def test_texts_are_sent_in_requests_of_16_to_32(count):
    with FakeServer(TEXT) as server:
        embedder(server, TEXT).embed(texts(count), role="document")
        sizes = [len(request.body["input"]) for request in server.requests]
    assert sum(sizes) == count
    assert max(sizes) <= 32
    assert min(sizes) >= min(count, 16)


def test_vectors_that_are_not_of_unit_length_are_normalised():
    with FakeServer(PLAIN, dim=3) as server:
        server.always = fake.vector_of([3.0, 0.0, 4.0])
        np.testing.assert_allclose(embedder(server, PLAIN).embed([CRANE], role="document"), [[0.6, 0.0, 0.8]], atol=1e-6)


def test_lists_of_numbers_are_read_too_and_the_dimension_is_asked_for_once():
    with FakeServer(PLAIN, dim=24, lists_only=True) as server:
        asking = embedder(server, PLAIN)
        assert asking.fingerprint.dim == 24
        vectors = asking.embed([CRANE, CHINESE], role="document")
        sent = server.requests[-1].body["input"]
        np.testing.assert_allclose(vectors, [server.vector(one) for one in sent], atol=1e-6)
        assert len(server.requests) == 2


def test_a_server_that_refuses_base64_is_asked_for_lists():
    def no_base64(handler, body):
        if "encoding_format" in body:
            return fake.status(422, "extra field encoding_format")(handler, body)
        return fake.reply(handler, handler.fake.right("/v1/embeddings", body))

    with FakeServer(PLAIN, dim=24) as server:
        server.always = no_base64
        asking = embedder(server, PLAIN)
        assert asking.embed(texts(3), role="document").shape == (3, 24)
        asking.embed(texts(3), role="document")
        assert ["encoding_format" in request.body for request in server.requests] == [True, True, False, False, False]


def test_dimensions_are_requested_only_if_they_differ_from_the_models_own():
    with FakeServer(VL, dim=2048) as server:
        assert embedder(server, dim=64).embed([CRANE], role="document").shape == (1, 64)
        assert embedder(server, dim=2048).embed([CRANE], role="document").shape == (1, 2048)
        assert [request.body.get("dimensions") for request in server.requests] == [64, None]


def test_a_server_that_ignores_the_requested_dimension_is_refused():
    with FakeServer(VL, dim=2048) as server:
        whole = fake.edited(lambda entries: [{**entries[0], "embedding": server.vector("x").tolist()}])
        server.always = whole
        with pytest.raises(BackendError, match="2048 numbers, not 64") as raised:
            embedder(server, dim=64).embed([CRANE], role="document")
    assert "is_matryoshka" in raised.value.remedy


@pytest.mark.parametrize("content", [PICTURE, FILM, UNSEEN, Content("text", text="x", pixels=(RED,))])
def test_a_text_model_refuses_a_picture_without_a_request(content):
    with FakeServer(TEXT) as server:
        asking = embedder(server, TEXT)
        assert asking.modalities == {"text"}
        with pytest.raises(BackendError, match=r"Qwen3-Embedding-0\.6B embeds text only"):
            asking.embed([CRANE, content], role="document")
        assert (server.requests, server.looks) == ([], 0)


def test_a_picture_without_pixels_is_refused():
    with FakeServer(VL) as server, pytest.raises(BackendError, match="without pixels"):
        embedder(server).embed([UNSEEN], role="document")


def test_the_fingerprint_is_the_models_and_needs_no_server():
    choice = Choice(model=VL, urls=("http://127.0.0.1:1/v1/",), dim=512)
    print_, other = ServerEmbedder(choice).fingerprint, ServerEmbedder(Choice(model=VL, urls=("http://127.0.0.1:2",))).fingerprint
    assert (print_.model, print_.dim, print_.instruction) == ("Qwen3-VL-Embedding-2B", 512, "Represent the user's input.")
    assert other.dim == 2048
    assert ServerEmbedder(choice).reads_clues is False


def test_a_batch_fills_all_concurrent_requests():
    assert ServerEmbedder(Choice(model=VL, urls=("http://127.0.0.1:1", "http://127.0.0.1:2"), in_flight=4)).batch == 32 * 8


def test_two_endpoints_share_the_work():
    with FakeServer(TEXT) as one, FakeServer(TEXT) as other:
        choice = Choice(model=TEXT, urls=(one.url, f"{other.url}/v1"), in_flight=2)
        ServerEmbedder(choice).embed(texts(640), role="document")
        assert min(len(one.requests), len(other.requests)) >= 5
        assert (one.looks > 0, other.looks > 0) == (True, True)


def test_threads_share_an_embedder():
    with FakeServer(TEXT) as server:
        asking = embedder(server, TEXT)
        found = {}

        def ask(number):
            found[number] = asking.embed([Content("text", text=str(number))], role="document")[0]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, vector in found.items():
            np.testing.assert_allclose(vector, server.vector(str(number)), atol=1e-6)
