"""Fusion: its formula, its monotony, and that no kind is crowded out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.fusion import K, choose, fuse
from rag.types import Kind

NONE: frozenset[int] = frozenset()


def kinds(count: int) -> dict[int, Kind]:
    return dict.fromkeys(range(count), "text")


def test_first_in_every_lane_scores_one_and_the_formula_holds() -> None:
    found = fuse({"dense": [(1, 0.9), (2, 0.8)], "lexical": [(1, 7.0), (3, 5.0)]}, kinds(4), NONE)
    assert [candidate.number for candidate in found] == [1, 2, 3]
    assert found[0].fused == 1.0
    assert found[1].fused == pytest.approx((K + 1) / (K + 2) / 2)
    assert found[1].lanes["dense"].rank == 2
    assert found[1].lanes["dense"].score == 0.8


def test_a_lane_that_was_not_asked_does_not_count() -> None:
    found = fuse({"dense": [(1, 0.9)], "lexical": []}, kinds(2), NONE)
    assert found[0].fused == 1.0


def test_a_photo_without_words_stands_as_high_as_a_text_found_by_both_lanes() -> None:
    lanes = {"dense": [(1, 0.9), (2, 0.8)], "lexical": [(3, 9.0), (2, 8.0)]}
    found = {candidate.number: candidate.fused for candidate in fuse(lanes, kinds(4), frozenset({1}))}
    assert found[1] == 1.0
    assert found[2] == pytest.approx((K + 1) / (K + 2))


@given(
    dense=st.permutations(range(12)),
    lexical=st.permutations(range(12)),
    lane=st.sampled_from(["dense", "lexical"]),
    at=st.integers(1, 11),
    wordless=st.frozensets(st.integers(0, 11)),
)
def test_a_better_rank_never_lowers_the_score(
    dense: list[int], lexical: list[int], lane: str, at: int, wordless: frozenset[int]
) -> None:
    orders = {"dense": dense[:8], "lexical": lexical[:8]}
    at = min(at, 7)
    moved = orders[lane][at]

    def score() -> float:
        lanes = {name: [(number, 1.0) for number in order] for name, order in orders.items()}
        return next(one.fused for one in fuse(lanes, kinds(12), wordless) if one.number == moved)  # type: ignore[arg-type]

    before = score()
    order = list(orders[lane])
    order[at - 1], order[at] = order[at], order[at - 1]
    orders[lane] = order
    assert score() >= before


def test_every_kind_gets_its_share_of_the_reranker() -> None:
    of_kind: dict[int, Kind] = {number: "text" if number < 90 else "image" for number in range(100)}
    found = fuse({"dense": [(number, 1.0 - number / 100) for number in range(100)], "lexical": []}, of_kind, NONE)
    chosen = choose(found, 20, promised=5)
    assert len(chosen) == 20
    assert sum(candidate.kind == "image" for candidate in chosen) == 5
    assert [candidate.fused for candidate in chosen] == sorted((c.fused for c in chosen), reverse=True)
    assert len(choose(found, 3, promised=5)) == 3
