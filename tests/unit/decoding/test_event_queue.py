"""What comes in for the one thread that writes: nobody is kept waiting by another who always has something."""

from __future__ import annotations

import threading

from rag.decoding.event_queue import MOST_FOUND, EventQueue


def filled() -> EventQueue[str, str, str]:
    events = EventQueue[str, str, str](10)
    for name in "abc":
        events.put_answer(name, 1)
        assert events.put_scan(name.upper())
    return events


def taken(events: EventQueue[str, str, str], *, answers: bool) -> list[str | None]:
    return [events.get(answers=answers, seconds=0) for _ in range(7)]


def test_results_come_first_then_what_was_found_and_answers_by_turns() -> None:
    events = filled()
    events.put_vectors("result")
    assert taken(events, answers=True) == ["result", "A", "a", "B", "b", "C", "c"]


def test_answers_that_are_not_wanted_hold_nothing_back() -> None:
    assert taken(filled(), answers=False) == ["A", "B", "C", None, None, None, None]


def test_a_walk_waits_where_nobody_takes_what_it_finds() -> None:
    events = EventQueue[str, str, str](10)
    for _ in range(MOST_FOUND):
        assert events.put_scan("found")
    waiting = threading.Thread(target=events.put_scan, args=("last",))
    waiting.start()
    assert [events.get(answers=True, seconds=60) for _ in range(MOST_FOUND + 1)][-1] == "last"
    waiting.join()


def test_a_walk_ends_when_nobody_takes_anything_any_more() -> None:
    events = EventQueue[str, str, str](10)
    events.close()
    assert not any(events.put_scan("found") for _ in range(2 * MOST_FOUND))


def test_answers_wait_outside_while_too_many_bytes_are_inside() -> None:
    events: EventQueue[int, str] = EventQueue(most_bytes=100)
    events.put_answer(1, 90)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (events.put_answer(2, 50), done.set()))
    thread.start()
    events.put_vectors("vectors")  # never waits
    assert events.get(answers=False, seconds=0) == "vectors"
    assert events.get(answers=False, seconds=0) is None
    assert not done.is_set()
    assert events.get(answers=True, seconds=0) == 1
    assert done.wait(30)
    assert events.get(answers=True, seconds=0) == 2
    thread.join()
