"""Loads: who asks when, what is timed, and what becomes of errors."""

from __future__ import annotations

import threading
import time

import pytest

from rag.benchmark.load import ClosedLoop, FixedRate, put_under_load
from rag.errors import BackendError, WrongRequest


class Answerer:
    """Takes so many seconds for an answer; knows who asks at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.asked, self.at_once, self.most_at_once = seconds, [], 0, 0
        self.lock = threading.Lock()

    def __call__(self, question: int) -> None:
        with self.lock:
            self.asked.append(question)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        with self.lock:
            self.at_once -= 1


@pytest.mark.parametrize("pattern", [ClosedLoop(1), ClosedLoop(3), ClosedLoop(100), FixedRate(500)])
def test_every_question_is_asked_once(pattern) -> None:
    ask = Answerer()
    load = put_under_load(lambda number: 10 * number, ask, 20, pattern)
    assert sorted(ask.asked) == [10 * number for number in range(20)]
    assert (len(load.waits), load.failures) == (20, {})
    assert load.seconds >= max(load.waits)


def test_so_many_users_ask_at_once() -> None:
    ask = Answerer(0.01)
    load = put_under_load(int, ask, 30, ClosedLoop(5))
    assert ask.most_at_once == 5
    assert min(load.waits) >= 0.01
    assert load.seconds >= 6 * 0.01


def test_preparing_a_question_is_not_waiting() -> None:
    load = put_under_load(lambda _: time.sleep(0.05), lambda _: None, 4, ClosedLoop(1))
    assert max(load.waits) < 0.05 <= load.seconds / 4


def test_a_fixed_rate_does_not_wait_for_answers() -> None:
    ask = Answerer(0.2)
    load = put_under_load(int, ask, 10, FixedRate(100))
    assert ask.most_at_once > 5  # a closed loop of one would take 2 s
    assert 0.09 + 0.2 <= load.seconds < 1


def test_at_a_fixed_rate_an_answer_is_waited_for_from_when_it_was_due() -> None:
    """Where questions cannot be asked in time, the delay counts."""
    load = put_under_load(lambda _: time.sleep(0.02), lambda _: None, 10, FixedRate(1000))
    assert sorted(load.waits)[-1] >= 10 * 0.02 - 10 / 1000


@pytest.mark.parametrize("pattern", [ClosedLoop(3), FixedRate(1000)])
def test_errors_are_counted_by_their_reason_and_not_timed(pattern) -> None:
    def ask(number: int) -> None:
        if number % 3 == 1:
            raise BackendError("out of order")
        if number == 2:
            raise WrongRequest("too long")

    load = put_under_load(int, ask, 9, pattern)
    assert load.failures == {"out of order": 3, "too long": 1}
    assert len(load.waits) == 5


@pytest.mark.parametrize("pattern", [ClosedLoop(2), FixedRate(1000)])
@pytest.mark.parametrize("where", ["prepare", "ask"])
def test_a_bug_ends_the_load_and_is_raised(pattern, where) -> None:
    def broken(number: int) -> int:
        return 1 // (number - 3)

    prepare, ask = (broken, int) if where == "prepare" else (int, broken)
    with pytest.raises(ZeroDivisionError):
        put_under_load(prepare, ask, 10, pattern)
