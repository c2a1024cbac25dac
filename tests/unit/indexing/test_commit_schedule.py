"""When a run commits, by a clock that the test moves."""

from __future__ import annotations

import pytest

from rag.indexing.commit_schedule import UNCOMMITTED, CommitSchedule


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_first_commit_comes_with_the_first_document_and_the_next_ones_less_and_less_often(clock: list[float]) -> None:
    commits, made = CommitSchedule(5.0), []
    while clock[0] < 120:
        documents = 0 if clock[0] < 101.25 else 1
        if commits.are_due(documents, documents):
            made.append(clock[0])
            commits.made(documents)
        clock[0] += 0.25
    assert made == [101.25, 102.5, 104.75, 109.0, 114.25, 119.5]


def test_vectors_without_a_whole_document_are_committed_too_and_so_are_many_passages(clock: list[float]) -> None:
    commits = CommitSchedule(5.0)
    assert not commits.are_due(3, UNCOMMITTED)
    assert commits.are_due(3, UNCOMMITTED + 1)
    clock[0] += 5.25
    assert commits.are_due(0, 0)
    commits.made(0)
    clock[0] += 0.75
    assert commits.are_due(1, 1)


def test_no_commit_waits_longer_than_it_was_told(clock: list[float]) -> None:
    commits = CommitSchedule(0.1)
    clock[0] += 0.125
    assert commits.are_due(1, 1)
