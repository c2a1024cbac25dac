"""The servers that the tests of faults ask: an embedder and a reranker. Knows no test."""

import pytest

from tests.faults.fake_server import FakeServer
from tests.faults.server_asking import MODEL, RERANKER


@pytest.fixture
def server():
    with FakeServer(MODEL) as running:
        yield running


@pytest.fixture
def ranker():
    with FakeServer(RERANKER) as running:
        yield running
