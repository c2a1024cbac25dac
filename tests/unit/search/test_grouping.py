"""Grouping: neighbours become one range, others stay apart."""

from __future__ import annotations

from pathlib import Path

from rag.search.grouping import Scored, group
from rag.types import DocumentId, Kind, Lines, Locator, Page, Passage, Seconds, StoredPassage


def scored(number: int, locator: Locator, score: float, path: str = "v.mp4", kind: Kind = "frame") -> Scored:
    passage = Passage(DocumentId("r", path), number, locator, kind, "image")
    return Scored(StoredPassage(number, f"id{number}", passage, Path(path), 0.0), score)


def test_adjacent_frames_become_one_range_with_its_best_frame() -> None:
    frames = [scored(2, Seconds(8, 12), 0.9), scored(1, Seconds(4, 8), 0.8), scored(3, Seconds(12, 16), 0.7)]
    far = scored(9, Seconds(60, 64), 0.65)
    groups = group([*frames, far])
    assert [(one.locator, one.best.stored.number) for one in groups] == [(Seconds(4, 16), 2), (Seconds(60, 64), 9)]
    assert [member.stored.number for member in groups[0].members] == [1, 2, 3]


def test_a_much_weaker_neighbour_stays_a_hit_of_its_own() -> None:
    groups = group([scored(1, Seconds(0, 4), 0.9), scored(2, Seconds(4, 8), 0.2)])
    assert [one.locator for one in groups] == [Seconds(0, 4), Seconds(4, 8)]


def test_near_lines_become_one_span_and_pages_stay_pages() -> None:
    lines = [scored(0, Lines(1, 10), 0.5, "a.md", "text"), scored(1, Lines(12, 20), 0.45, "a.md", "text")]
    pages = [scored(2, Page(3), 0.4, "b.pdf", "page"), scored(3, Page(4), 0.39, "b.pdf", "page")]
    assert [one.locator for one in group(lines + pages)] == [Lines(1, 20), Page(3), Page(4)]


def test_documents_are_never_mixed_and_no_passage_is_lost_or_doubled() -> None:
    both = [scored(n, Seconds(n, n + 1), 1 - n / 100, f"{n % 2}.mp4") for n in range(20)]
    groups = group(both)
    assert sorted(member.stored.number for one in groups for member in one.members) == list(range(20))
    assert all(len({member.stored.passage.document for member in one.members}) == 1 for one in groups)


def test_passages_that_score_0_are_not_grouped() -> None:
    nothing = [scored(n, Seconds(4 * n, 4 * n + 4), 0.0) for n in range(5)]
    assert [len(one.members) for one in group(nothing)] == [1] * 5
