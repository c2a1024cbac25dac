"""What may pass is tried again, within bounds, and said once; what does not pass is given up."""

import time

import numpy as np
import pytest

from rag.backends.server.client import Patience
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
def test_what_may_pass_is_tried_again(server, ranker, fault):
    server.fail(fault, fault)
    np.testing.assert_allclose(embedder(server).embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert len(server.requests) == 3
    ranker.fail(fault, fault)
    scores = reranker(ranker).score(QUERY, TEXTS)
    assert scores == pytest.approx([ranker.score("harbour", content.text) for content in TEXTS])
    assert len(ranker.requests) == 3


@pytest.mark.parametrize("fault", [fake.drip(5), fake.silent(5)], ids=["slow drip", "silence"])
def test_no_answer_in_time_is_tried_again(server, fault):
    server.fail(fault)
    asking = embedder(server, timeout=0.3, patience=Patience(total=600.0, first=0.01, longest=0.05))
    np.testing.assert_allclose(asking.embed(TEXTS, role="document"), truth(server), atol=1e-6)
    assert len(server.requests) >= 2  # on a busy machine sound answers may be late too, many times


@pytest.mark.parametrize(
    "fault", [fake.status(503), fake.status(500), fake.reset, fake.drip(5)], ids=["503", "500", "reset", "drip"]
)
def test_what_does_not_pass_is_given_up(server, fault):
    server.always = fault
    asking = embedder(server, timeout=0.2, patience=Patience(total=0.4, first=0.01, longest=0.05))
    with pytest.raises(BackendError, match=r"attempts in") as raised:
        asking.embed(TEXTS, role="document")
    assert server.url in raised.value.what
    assert "RAG_TIMEOUT" in raised.value.remedy
    assert 2 <= len(server.requests) <= 40


def test_retry_after_is_honoured_and_bounded(server):
    server.fail(fake.status(429, Retry_After="3600"))
    began = time.monotonic()
    embedder(server).embed(TEXTS, role="document")
    assert 0.3 <= time.monotonic() - began < 600  # `told` of SHORT, not an hour
    assert len(server.requests) == 2


def test_waiting_is_said_once(server, caplog):
    asking = embedder(server)
    server.fail(fake.status(503), fake.status(503), fake.status(503))
    asking.embed(TEXTS, role="document")
    said = [record.getMessage() for record in caplog.records if record.name == "rag.server"]
    assert said == [f"{server.url} answered 503: out of order; trying again for up to 3 s"]


@pytest.mark.parametrize(("fault", "says"), [(fake.hang_up, "Remote end closed"), (fake.reset, "reset by peer|more expected")])
def test_a_connection_that_breaks_off_is_told_in_plain_words(server, fault, says):
    server.always = fault
    with pytest.raises(BackendError, match=f"broke off: [^']*({says})[^']*$"):
        embedder(server, patience=Patience(total=0.2, first=0.01, longest=0.05)).embed(TEXTS, role="document")
