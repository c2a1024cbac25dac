"""The number of requests at once follows how the endpoint answers them."""

from __future__ import annotations

from rag.backends.server.congestion import DECREASE, LATE, CongestionWindow


def test_a_server_that_keeps_up_keeps_the_full_limit() -> None:
    window = CongestionWindow(8)
    for at in range(100):
        window.answered(at, at + 0.1, 10.0, 99)
    assert window.room == 8


def test_refusals_of_one_round_cut_the_limit_once_and_a_round_of_answers_raises_it_by_one() -> None:
    window = CongestionWindow(10)
    for began in (1.0, 1.1, 1.2):  # all under way when the first is refused at 2
        window.overloaded(began, 2.0)
    assert window.room == 7 == int(10 * DECREASE)
    window.answered(1.3, 2.1, 10.0, 99)
    for _ in range(6):
        window.answered(2.2, 2.3, 10.0, 99)
    assert window.room == 7
    window.answered(2.2, 2.3, 10.0, 99)
    assert window.room == 8
    window.overloaded(2.4, 2.5)
    assert window.room == 5


def test_a_late_answer_counts_as_a_refusal() -> None:
    window = CongestionWindow(10)
    window.answered(0.0, 10.0 * LATE, 10.0, 99)
    assert window.room == 10
    window.answered(0.0, 10.0 * LATE + 0.1, 10.0, 99)
    assert window.room == 7


def test_the_limit_never_falls_below_one_and_recovers() -> None:
    window = CongestionWindow(16)
    for at in range(100):
        window.overloaded(at, at + 0.5)
    assert window.room == 1
    for at in range(200, 200 + 16 * 17 // 2 + 16):
        window.answered(at, at + 0.1, 10.0, 99)
    assert window.room == 16


def test_a_window_less_than_half_used_does_not_grow() -> None:
    window = CongestionWindow(16)
    window.overloaded(0.0, 1.0)
    for at in range(2, 100):
        window.answered(at, at + 0.1, 10.0, 5)
    assert window.room == 11
    for at in range(100, 112):
        window.answered(at, at + 0.1, 10.0, 6)
    assert window.room == 12
