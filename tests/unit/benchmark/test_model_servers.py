"""What is sent to model servers, what is counted of their answers, and what becomes of their faults."""

from __future__ import annotations

import json
import time
from itertools import count

import pytest

from rag.backends.base import Choice
from rag.backends.families import FAMILIES
from rag.backends.prompts import embedding_prompt
from rag.benchmark.load import ClosedLoop, FixedRate
from rag.benchmark.measurement import Measurement
from rag.benchmark.model_servers import Workload, measure_embedder, measure_reranker
from rag.errors import BackendError, WrongRequest
from rag.types import Content
from tests.faults import fake_server as fake
from tests.faults.fake_server import FakeServer
from tests.unit.model_server import Faults, serving, tokens_of
from tests.unit.server_models import PLAIN, VL, VL_RERANKER

SMALL = Workload(requests=12, tokens=20, pictures=4, patterns=(ClosedLoop(3),))
FAMILY = FAMILIES["qwen3-vl-embedding"]


def frame() -> int:
    """Tokens of the prompt around a text, with the end that the tokenizer appends."""
    return len(tokens_of(embedding_prompt(FAMILY, Content("text"), "document", FAMILY.document_instruction))) - 1 + 1  # NULL, end


def by_name(found) -> dict[str, Measurement]:
    return {one.what: one for one in found}


def test_tokens_are_those_that_the_server_counts() -> None:
    with serving(Faults()) as url:
        found = by_name(measure_embedder(Choice(urls=(url,)), SMALL))
    assert {what: (one.completed, one.failed) for what, one in found.items()} == {
        "embedding texts": (12, 0),
        "embedding pictures": (4, 0),
    }
    assert found["embedding texts"].tokens == 12 * (20 + frame())
    assert found["embedding pictures"].tokens == 4 * (64 + 2 + frame())  # this server takes 64 for any picture
    assert found["embedding texts"].hits.tokens is None  # it has no metrics


def test_where_the_server_does_not_count_nothing_is_made_up() -> None:
    with serving(Faults(usage=False)) as url:
        found = by_name(measure_embedder(Choice(urls=(url,)), SMALL))
    assert [(one.completed, one.tokens, one.tokens_per_second) for one in found.values()] == [(12, None, None), (4, None, None)]


def test_a_query_and_a_document_share_the_tokens() -> None:
    faults = Faults(family="qwen3-vl-reranker", model=VL_RERANKER, appends=False)
    with serving(faults) as url:
        twenty = by_name(measure_reranker(Choice(urls=(url,)), SMALL))
        forty = by_name(measure_reranker(Choice(urls=(url,)), Workload(12, 41, 4, (ClosedLoop(3),))))
    assert forty["reranking texts"].tokens - twenty["reranking texts"].tokens == 12 * 21
    assert forty["reranking pictures"].tokens - twenty["reranking pictures"].tokens == 4 * 10  # the query's half


def test_requests_are_those_of_the_server_backend_and_none_comes_twice() -> None:
    with FakeServer(model=VL, dim=2048) as server:
        load = Workload(requests=6, tokens=5, pictures=3, patterns=(ClosedLoop(2), FixedRate(200)), repetitions=2)
        found = list(measure_embedder(Choice(urls=(server.url,)), load))
        bodies = [one.body for one in server.requests if one.path == "/v1/embeddings"]
    assert [(one.what, one.pattern, one.completed) for one in found] == [
        ("embedding texts", ClosedLoop(2), 6),
        ("embedding texts", FixedRate(200), 6),
        ("embedding pictures", ClosedLoop(2), 3),
        ("embedding pictures", FixedRate(200), 3),
    ]
    assert all(len(one.repetitions) == 2 for one in found)
    texts = [body["input"] for body in bodies if "input" in body]
    pictures = [body["messages"] for body in bodies if "messages" in body]
    assert (len(texts), len(pictures)) == (8 + 4 * 6, 8 + 4 * 3)  # eight of each are a warm-up
    assert len({json.dumps(one) for one in texts}) == len(texts) and len({json.dumps(one) for one in pictures}) == len(pictures)
    [one] = texts[0]
    words = one.partition("<|im_start|>user\n")[2].partition("<|im_end|>")[0]
    assert one == embedding_prompt(FAMILY, Content("text", text=words), "document", FAMILY.document_instruction)
    assert all(body["add_special_tokens"] for body in bodies)


def test_so_many_users_are_so_many_requests_at_once() -> None:
    with FakeServer(model=PLAIN) as server:
        server.always = late
        list(measure_embedder(Choice(model=PLAIN, dim=1024, urls=(server.url,)), Workload(30, 5, 0, (ClosedLoop(12),))))
        assert server.most_at_once == 12


def late(handler, body) -> None:
    """Answers after the warm-up only once twelve ask at once; gives up after a while."""
    server = handler.fake
    measured = sum(one.path == "/v1/embeddings" for one in list(server.requests)) > 8
    end = time.monotonic() + 20
    while measured and server.most_at_once < 12 and time.monotonic() < end:
        time.sleep(0.01)
    fake.reply(handler, handler.fake.right(handler.path, body))


@pytest.mark.parametrize(
    ("fault", "reason"), [(fake.status(503, "too much"), "too much"), (fake.reset, "broke off"), (fake.half_json, "JSON")]
)
def test_a_failure_is_counted_and_not_asked_again(fault, reason) -> None:
    with FakeServer(model=PLAIN) as server:
        numbers = count(1)

        def sometimes(handler, body) -> None:
            number = next(numbers)
            wrong = number > 8 and number % 4 == 0  # after the warm-up
            fault(handler, body) if wrong else fake.reply(handler, handler.fake.right(handler.path, body))

        server.always = sometimes
        [found] = measure_embedder(Choice(model=PLAIN, dim=1024, urls=(server.url,)), Workload(40, 5, 0, (ClosedLoop(2),)))
        sent = sum(one.path == "/v1/embeddings" for one in server.requests)
    assert (found.completed, found.failed) == (30, 10)
    assert all(reason in why for why in found.failures)
    assert sent == 8 + 40


def test_more_requests_at_once_than_open_files_are_refused(monkeypatch) -> None:
    refused: list[tuple[int, int]] = []

    def setrlimit(_: int, limits: tuple[int, int]) -> None:
        refused.append(limits)
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 512))
    monkeypatch.setattr("resource.setrlimit", setrlimit)
    at_once = Workload(requests=900, tokens=5, pictures=0, patterns=(ClosedLoop(900),))
    with pytest.raises(WrongRequest, match="900 requests at once need 1028 open files, and this process may have 512") as error:
        list(measure_embedder(Choice(model=PLAIN, urls=("http://127.0.0.1:9",)), at_once))
    assert error.value.remedy == "send fewer at once: --users 384" and refused == [(1028, 512)]


def test_a_server_that_answers_nothing_is_an_error() -> None:
    with FakeServer(model=PLAIN) as server:
        server.always = fake.status(500, "the engine is dead")
        with pytest.raises(BackendError, match=r"no request was answered: .*the engine is dead"):
            list(measure_embedder(Choice(model=PLAIN, dim=1024, urls=(server.url,)), SMALL))
        url = server.url
    with pytest.raises(BackendError, match="cannot be reached"):
        list(measure_embedder(Choice(model=PLAIN, urls=(url,)), SMALL))
