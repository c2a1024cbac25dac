"""How many requests an endpoint is given at once, by what it does with them."""

from __future__ import annotations

from rag.backends.server.congestion import CUT, LATE, CongestionWindow


def test_what_is_taken_is_never_asked_less() -> None:
    window = CongestionWindow(8)
    for at in range(100):
        window.answered(at, at + 0.1, 10.0, 99)
    assert window.room == 8


def test_one_refusal_of_a_round_cuts_once_and_a_round_of_answers_gives_one_back() -> None:
    window = CongestionWindow(10)
    for began in (1.0, 1.1, 1.2):  # all under way when the first is refused at 2
        window.crowded(began, 2.0)
    assert window.room == 7 == int(10 * CUT)
    window.answered(1.3, 2.1, 10.0, 99)
    for _ in range(6):
        window.answered(2.2, 2.3, 10.0, 99)
    assert window.room == 7
    window.answered(2.2, 2.3, 10.0, 99)
    assert window.room == 8
    window.crowded(2.4, 2.5)
    assert window.room == 5


def test_an_answer_that_comes_late_counts_as_a_refusal() -> None:
    window = CongestionWindow(10)
    window.answered(0.0, 10.0 * LATE, 10.0, 99)
    assert window.room == 10
    window.answered(0.0, 10.0 * LATE + 0.1, 10.0, 99)
    assert window.room == 7


def test_one_request_at_a_time_always_remains_and_the_most_comes_back() -> None:
    window = CongestionWindow(16)
    for at in range(100):
        window.crowded(at, at + 0.5)
    assert window.room == 1
    for at in range(200, 200 + 16 * 17 // 2 + 16):
        window.answered(at, at + 0.1, 10.0, 99)
    assert window.room == 16


def test_a_window_that_is_hardly_used_does_not_grow() -> None:
    window = CongestionWindow(16)
    window.crowded(0.0, 1.0)
    for at in range(2, 100):
        window.answered(at, at + 0.1, 10.0, 5)
    assert window.room == 11
    for at in range(100, 112):
        window.answered(at, at + 0.1, 10.0, 6)
    assert window.room == 12
