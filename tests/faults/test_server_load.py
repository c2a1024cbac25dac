"""A server never has more requests at once than allowed, and about as many as it accepts."""

import threading
import time

import numpy as np
import pytest

from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.faults.server_asking import MODEL, TEXTS, embedder, truth


def test_there_are_no_more_requests_at_once_than_allowed(server):
    server.always = fake.edited(lambda entries: (time.sleep(0.02), entries)[1])
    many = [Content("text", text=f"passage {number}") for number in range(640)]
    asking = embedder(server, in_flight=3)
    threads = [threading.Thread(target=asking.embed, args=(many,), kwargs={"role": "document"}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.most_at_once == 3
    assert len(server.requests) == 60


def crowded(running, most, refused):
    """A fault that refuses more than `most()` requests at once and records each refusal."""

    def answer(handler, body):
        with running._lock:
            is_one_too_many = running._at_once > most()
        if is_one_too_many:
            refused.append(body)
            return fake.status(429)(handler, body)
        time.sleep(0.03)
        return fake.reply(handler, running.right("/v1/embeddings", body))

    return answer


def test_requests_at_once_follow_what_the_server_accepts(server):
    most, refused, rooms = [3], [], []
    server.always = crowded(server, lambda: (rooms.append(endpoint.window.room), most[0])[1], refused)
    many = [Content("text", text=f"passage {number}") for number in range(32 * 100)]
    asking = embedder(server, in_flight=16)
    (endpoint,) = asking._endpoints._all
    np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
    assert len(refused) < 150  # without a window, the 13 that are too many would be refused again and again
    assert not refused or min(rooms) <= 11
    most[0] = 1_000
    for _ in range(3):
        asking.embed(many, role="document")
    assert endpoint.window.room == 16


def test_the_endpoint_that_accepts_more_gets_more(server):
    refused = []
    with FakeServer(MODEL) as other:
        server.always = crowded(server, lambda: 1_000, [])
        other.always = crowded(other, lambda: 1, refused)
        many = [Content("text", text=f"passage {number}") for number in range(32 * 100)]
        asking = embedder(server, other, in_flight=8)
        np.testing.assert_allclose(asking.embed(many, role="document"), truth(server, many), atol=1e-6)
        assert asking._endpoints._all[0].window.room == 8
        assert len(server.requests) + len(other.requests) == 100 + len(refused)
        assert len(other.requests) - len(refused) <= len(server.requests)


@pytest.mark.parametrize("code", [413, 422, 400])
def test_a_batch_that_is_too_large_is_halved(server, code):
    def at_most_two(handler, body):
        if len(body["input"]) > 2:
            return fake.status(code, "batch size 4 > maximum allowed batch size 2")(handler, body)
        return fake.reply(handler, server.right("/v1/embeddings", body))

    server.always = at_most_two
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert [len(request.body["input"]) for request in server.requests] == [4, 1, 2, 2]
