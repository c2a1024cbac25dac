"""Concurrent requests: each gets its own answer, the queue is bounded, and none waits for ever."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import rag
from rag.api.thread_pool import Busy, Ending, RequestPool, TookTooLong
from tests.unit.api_server import asking

QUERIES = ("harbour dues", "gull", "annual report income", "crane safety induction", "lighthouse", "ferry tickets")


def test_concurrent_requests_get_their_own_answers(api: TestClient, library: Path) -> None:
    with rag.open_index(str(library)) as searcher:
        expected = {text: [hit.id for hit in searcher.query(text, top_k=5)] for text in QUERIES}

    def ask(text: str) -> tuple[str, list[str]]:
        answer = api.post("/v1/search", json={"text": text, "top_k": 5})
        return text, [hit["id"] for hit in answer.json()["hits"]]

    with ThreadPoolExecutor(8) as clients:
        for text, found in clients.map(ask, QUERIES * 6):
            assert found == expected[text]


def test_the_queue_is_bounded_and_moves_on() -> None:
    async def scene() -> None:
        gate = threading.Event()
        request_pool = RequestPool(threads=1, queue=2, timeout=30)
        first = [asyncio.create_task(request_pool.take(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        assert request_pool.inside == 3
        with pytest.raises(Busy):
            await request_pool.take(int)
        gate.set()
        assert await asyncio.gather(*first) == [True, True, True]
        assert await request_pool.take(lambda: 7) == 7
        request_pool.close()

    asyncio.run(scene())


def test_a_request_that_waits_too_long_gets_an_error_and_leaves_the_queue() -> None:
    async def scene() -> None:
        gate = threading.Event()
        request_pool = RequestPool(threads=1, queue=4, timeout=0.05)
        with pytest.raises(TookTooLong):
            await request_pool.take(gate.wait)
        with pytest.raises(TookTooLong):
            await request_pool.take(int)  # never started: the thread is still busy with the first
        assert request_pool.inside == 1
        gate.set()
        while request_pool.inside:
            await asyncio.sleep(0.01)
        assert await request_pool.take(lambda: "again") == "again"
        request_pool.close()

    asyncio.run(scene())


def test_a_timeout_inside_the_work_is_passed_on() -> None:
    def work() -> None:
        raise TimeoutError("of the work")

    async def scene() -> None:
        with pytest.raises(TimeoutError, match="of the work"):
            await RequestPool(threads=1).take(work)

    asyncio.run(scene())


def test_a_server_that_shuts_down_answers_waiting_requests() -> None:
    async def scene() -> None:
        gate = threading.Event()
        task = asyncio.create_task(RequestPool(threads=1).take(gate.wait))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(Ending):
            await task
        gate.set()

    asyncio.run(scene())


@pytest.mark.parametrize(("error", "status"), [(Busy(), 429), (TookTooLong(60), 504), (Ending(), 503)])
def test_the_status_of_each_error(library: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    async def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(RequestPool, "take", refuse)
    with asking(library) as client:
        answer = client.post("/v1/search", json={"text": "harbour"})
    assert (answer.status_code, bool(answer.json()["error"]["remedy"])) == (status, True)
    assert ("Retry-After" in answer.headers) == (status != 504)
