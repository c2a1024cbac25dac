"""Transient failures are retried, within limits, and logged once; lasting ones are given up."""

import time

import numpy as np
import pytest

from rag.backends.server.client import RetryPolicy
from rag.errors import BackendError
from tests.faults import fake_server as fake
from tests.faults.server_asking import QUERY, TEXTS, embedder, reranker, truth

RETRIED = {
    "429": fake.status(429, Retry_After="0"),
    "429 with a date": fake.status(429, Retry_After="Sat, 01 Jan 2000 00:00:00 GMT"),
    "500": fake.status(500),
    "502": fake.status(502),
    "503": fake.status(503, Retry_After="soon"),
    "504": fake.status(504),
    "reset in the middle": fake.reset,
    "hung up": fake.hang_up,
    "truncated": fake.truncated,
    "half a JSON": fake.half_json,
}


@pytest.mark.parametrize("fault", RETRIED.values(), ids=RETRIED)
def test_transient_failures_are_retried(server, ranker, fault):
    server.fail(fault, fault)
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert len(server.requests) == 3
    ranker.fail(fault, fault)
    scores = reranker(ranker).score(QUERY, TEXTS)
    assert scores == pytest.approx([ranker.score("harbour", content.text) for content in TEXTS])
    assert len(ranker.requests) == 3


@pytest.mark.parametrize("fault", [fake.drip(5), fake.silent(5)], ids=["slow drip", "silence"])
def test_timeouts_are_retried(server, fault):
    server.fail(fault)
    asking = embedder(server, timeout=0.3, policy=RetryPolicy(total=600.0, first_rest=0.01, longest_rest=0.05))
    np.testing.assert_allclose(asking.embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert len(server.requests) >= 2  # on a busy machine, correct answers may be late too


@pytest.mark.parametrize(
    "fault", [fake.status(503), fake.status(500), fake.reset, fake.drip(5)], ids=["503", "500", "reset", "drip"]
)
def test_lasting_failures_are_given_up(server, fault):
    server.always = fault
    asking = embedder(server, timeout=1, policy=RetryPolicy(total=1.5, first_rest=0.01, longest_rest=0.2))
    with pytest.raises(BackendError, match=r"attempts in") as raised:
        asking.embed(TEXTS, role="document")
    assert server.url in raised.value.what
    assert "RAG_TIMEOUT" in raised.value.remedy
    assert 2 <= len(server.requests) <= 40


def test_retry_after_is_honoured_and_bounded(server):
    server.fail(fake.status(429, Retry_After="3600"))
    began = time.monotonic()
    embedder(server).embed(TEXTS, role="document")
    assert 0.3 <= time.monotonic() - began < 600  # `longest_retry_after` of SHORT, not an hour
    assert len(server.requests) == 2


def test_retrying_is_logged_once(server, caplog):
    asking = embedder(server)
    server.fail(fake.status(503), fake.status(503), fake.status(503))
    asking.embed(TEXTS, role="document")
    said = [record.getMessage() for record in caplog.records if record.name == "rag.server"]
    assert said == [f"{server.url} answered 503: out of order; retrying for up to 3 s"]


@pytest.mark.parametrize(("fault", "says"), [(fake.hang_up, "Remote end closed"), (fake.reset, "reset by peer|more expected")])
def test_an_interrupted_exchange_is_reported_in_plain_words(server, fault, says):
    server.always = fault
    with pytest.raises(BackendError, match=f"broke off the exchange: [^']*({says})[^']*$"):
        embedder(server, policy=RetryPolicy(total=0.2, first_rest=0.01, longest_rest=0.05)).embed(TEXTS, role="document")
