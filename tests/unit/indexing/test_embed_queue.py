"""How contents reach the model: batches, calls at once, and what comes back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from rag.backends.base import EmbedderCapabilities
from rag.decoding.event_queue import EventQueue
from rag.errors import BackendError
from rag.indexing.batching import even_part
from rag.indexing.embed_queue import EmbedQueue, EmbedResult
from rag.types import Content, Fingerprint


class Embedder:
    """Gives the length of each text, and remembers its calls."""

    fingerprint = Fingerprint("m", "1", 1, "", "")
    modalities = frozenset({"text", "image"})
    reads_clues = False

    def __init__(self, batch: int, concurrent: int, pictures: int = 0) -> None:
        self.batch = batch
        self.capabilities = EmbedderCapabilities(concurrent_calls=concurrent, pictures_per_call=pictures)
        self.calls: list[list[int]] = []
        self.gate = threading.Semaphore(0)

    def embed(self, contents: Sequence[Content], *, role: str) -> np.ndarray:
        self.calls.append([len(content.text) for content in contents])
        if self.capabilities.concurrent_calls:
            assert self.gate.acquire(timeout=30)
        return np.array([[len(content.text)] for content in contents], np.float32)


def embed_queue(
    batch: int, concurrent: int, pictures: int = 0
) -> tuple[EmbedQueue, Embedder, EventQueue[object, EmbedResult, object]]:
    embedder, events = Embedder(batch, concurrent, pictures), EventQueue[object, EmbedResult, object](1)
    return EmbedQueue(embedder, events), embedder, events


def test_full_calls_go_out_at_once_and_what_is_left_goes_evenly() -> None:
    fed, embedder, events = embed_queue(batch=64, concurrent=2)
    embedder.gate.release(100)
    for number in range(100):
        fed.add(bytes([number]), Content("text", "x" * (number + 1)))
    assert fed.has(bytes([3]))
    fed.flush()
    lengths: dict[bytes, float] = {}
    while not fed.idle:
        came = events.get(answers=False, seconds=30)
        assert isinstance(came, EmbedResult) and came.vectors is not None
        lengths |= dict(zip(came.keys, came.vectors[:, 0].tolist(), strict=True))
        fed.ack(came)
    fed.close()
    assert lengths == {bytes([number]): number + 1 for number in range(100)}
    assert all(16 <= len(call) <= 32 for call in embedder.calls)
    assert all(max(call) - min(call) < 32 for call in embedder.calls[:2])  # of the 64 that waited, the longer ones
    assert (fed.nbytes, fed.has(bytes([3]))) == (0, False)


def test_plain_python_is_called_where_it_is_fed() -> None:
    fed, embedder, events = embed_queue(batch=4, concurrent=0)
    for number in range(9):
        fed.add(bytes([number]), Content("text", "x" * number))
    assert [len(call) for call in embedder.calls] == [4, 4]
    while isinstance(came := events.get(answers=False, seconds=0), EmbedResult):
        fed.ack(came)
    fed.flush()
    assert [len(call) for call in embedder.calls] == [4, 4, 1]


def test_a_failure_is_a_result() -> None:
    fed, embedder, events = embed_queue(batch=1, concurrent=1)

    def refuse(contents: Sequence[Content], *, role: str) -> np.ndarray:
        raise BackendError("no")

    embedder.embed = refuse  # type: ignore[method-assign]
    fed.add(b"k", Content("text", "x"))
    came = events.get(answers=False, seconds=30)
    assert isinstance(came, EmbedResult)
    assert (came.keys, came.vectors, came.failure.what if came.failure else "") == ((b"k",), None, "no")
    fed.close()


def shown(side: int) -> Content:
    return Content("image", pixels=(np.zeros((side, side, 3), np.uint8),))


def test_a_picture_that_travels_alone_waits_for_no_other() -> None:
    fed, embedder, events = embed_queue(batch=64, concurrent=2, pictures=1)
    embedder.gate.release(10)
    fed.add(b"t", Content("text", "x"))
    fed.add(b"p", shown(4))
    came = events.get(answers=False, seconds=30)
    assert isinstance(came, EmbedResult)
    assert (came.keys, fed.has(b"t"), embedder.calls) == ((b"p",), True, [[0]])
    fed.close()


def test_the_oldest_text_is_in_the_next_call_whatever_its_length() -> None:
    fed, embedder, events = embed_queue(batch=4, concurrent=1)
    embedder.gate.release(100)
    for number in range(40):
        fed.add(bytes([number]), Content("text", "x" * (1 if number == 3 else 100 + number)))
    came: list[EmbedResult] = []
    for _ in range(2):
        result = events.get(answers=False, seconds=30)
        assert isinstance(result, EmbedResult)
        came.append(result)
        fed.ack(result)
    assert bytes([3]) in came[0].keys + came[1].keys
    fed.close()


def test_what_waits_is_dropped_and_what_is_under_way_still_comes() -> None:
    fed, embedder, events = embed_queue(batch=2, concurrent=2)
    for number in range(9):
        fed.add(bytes([number]), Content("text", "x"))
    assert fed.nbytes == 9 * 204
    fed.drop()
    embedder.gate.release(100)
    came = 0
    while not fed.idle:
        result = events.get(answers=False, seconds=30)
        assert isinstance(result, EmbedResult)
        came += len(result.keys)
        fed.ack(result)
    assert (came, len(embedder.calls), fed.nbytes, fed.has(bytes([8]))) == (4, 4, 0, False)
    fed.close()


def test_where_nothing_is_under_way_one_last_call_is_made() -> None:
    fed, embedder, events = embed_queue(batch=4, concurrent=1)
    embedder.gate.release(100)
    for number in range(3):
        fed.add(bytes([number]), Content("text", "x"))
    fed.drop()
    result = events.get(answers=False, seconds=30)
    assert isinstance(result, EmbedResult)
    fed.ack(result)
    assert (embedder.calls, fed.idle) == ([[1, 1, 1]], True)
    fed.close()


class Struck(Embedder):
    """Ctrl-C comes in the middle of its first call."""

    def embed(self, contents: Sequence[Content], *, role: str) -> np.ndarray:
        if not self.calls:
            signal.raise_signal(signal.SIGINT)
        return super().embed(contents, role=role)


def test_a_call_in_this_thread_ends_before_ctrl_c_is_heard() -> None:
    events = EventQueue[object, EmbedResult, object](1)
    fed = EmbedQueue(Struck(batch=2, concurrent=0), events)
    fed.add(b"a", Content("text", "x"))
    with pytest.raises(KeyboardInterrupt):
        fed.add(b"b", Content("text", "xx"))
    result = events.get(answers=False, seconds=0)
    assert isinstance(result, EmbedResult)
    assert result.vectors is not None
    assert sorted(zip(result.keys, result.vectors.tolist(), strict=True)) == [(b"a", [1.0]), (b"b", [2.0])]
    fed.ack(result)
    assert fed.idle


def test_the_model_is_fed_while_nobody_takes_its_vectors() -> None:
    fed, embedder, events = embed_queue(batch=2, concurrent=2)
    embedder.gate.release(100)
    for number in range(40):
        fed.add(bytes([number]), Content("text", "x"))
    fed.flush()
    came: list[EmbedResult] = []
    while len(came) < 40:
        result = events.get(answers=False, seconds=30)
        assert isinstance(result, EmbedResult)
        came.append(result)
    assert not fed.idle
    for result in came:
        fed.ack(result)
    assert (fed.idle, fed.nbytes, len(embedder.calls)) == (True, 0, 40)
    fed.close()


def test_after_a_failure_no_call_is_made() -> None:
    fed, embedder, events = embed_queue(batch=2, concurrent=2)

    def refuse(contents: Sequence[Content], *, role: str) -> np.ndarray:
        embedder.calls.append([])
        assert embedder.gate.acquire(timeout=30)
        raise BackendError("no")

    embedder.embed = refuse  # type: ignore[method-assign]
    for number in range(40):
        fed.add(bytes([number]), Content("text", "x"))
    embedder.gate.release(100)
    for _ in range(4):  # two calls and two that were ready
        assert isinstance(events.get(answers=False, seconds=30), EmbedResult)
    assert (events.get(answers=False, seconds=0), len(embedder.calls)) == (None, 4)
    fed.close()


@pytest.mark.parametrize(
    ("waiting", "places", "count"),
    [(512, 8, 32), (32, 8, 16), (33, 8, 17), (100, 8, 17), (40, 2, 20), (16, 8, 16), (10, 8, 10), (64, 2, 32), (32, 2, 16)],
)
def test_few_texts_are_shared_among_the_free_places_in_calls_of_at_least_a_half(waiting: int, places: int, count: int) -> None:
    assert even_part(waiting, 32, places) == count


class Side:
    """Texts as from another process: ready from the second question on, and gives the negative of what is embedded here."""

    def __init__(self) -> None:
        self.questions, self.calls, self.closed = 0, [], False

    def is_ready(self) -> bool:
        self.questions += 1
        return self.questions > 1

    def embed(self, contents: Sequence[Content], *, role: str) -> np.ndarray:
        self.calls.append(len(contents))
        return np.array([[-len(content.text)] for content in contents], np.float32)

    def close(self) -> None:
        self.closed = True


def test_the_side_embedder_takes_texts_and_never_pictures() -> None:
    embedder, events, side = Embedder(batch=4, concurrent=0), EventQueue[object, EmbedResult, object](1), Side()
    fed = EmbedQueue(embedder, events, side_embedder=side)
    for number in range(200):
        fed.add(bytes([number]), shown(2) if number % 50 == 49 else Content("text", "x" * number))
    fed.flush()
    vectors: dict[bytes, float] = {}
    while not fed.idle:
        came = events.get(answers=False, seconds=30)
        assert isinstance(came, EmbedResult) and came.vectors is not None
        vectors |= dict(zip(came.keys, came.vectors[:, 0].tolist(), strict=True))
        fed.ack(came)
    fed.close()
    assert {key: abs(value) for key, value in vectors.items()} == {
        bytes([number]): 0 if number % 50 == 49 else number for number in range(200)
    }
    assert sum(side.calls) + sum(map(len, embedder.calls)) == 200
    assert (len(embedder.calls[0]), max(side.calls, default=0) <= 4, side.closed) == (4, True, True)
