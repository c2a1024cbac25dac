"""Fusion: its formula, that it is monotonic, and that no kind is crowded out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.search.fusion import SHARE_EXPONENT, K, choose, fuse
from rag.types import KINDS, Kind, Lane

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


def test_an_empty_lane_does_not_count() -> None:
    found = fuse({"dense": [(1, 0.9)], "lexical": []}, kinds(2), NONE)
    assert found[0].fused == 1.0


def test_a_photo_without_text_ranks_like_a_text_found_by_both_lanes() -> None:
    lanes = {"dense": [(1, 0.9), (2, 0.8)], "lexical": [(3, 9.0), (2, 8.0)]}
    found = {candidate.number: candidate.fused for candidate in fuse(lanes, kinds(4), frozenset({1}))}
    assert found[1] == 1.0
    assert found[2] == pytest.approx((K + 1) / (K + 2))


def test_a_lane_is_weighted_by_the_share_of_the_query_that_it_matches() -> None:
    lanes = {"dense": [(1, 0.6), (2, 0.2), (3, 0.1)], "lexical": [(3, 0.9), (2, 0.8)]}
    found = fuse(lanes, kinds(4), NONE, {3: 0.04, 2: 0.04})
    assert [candidate.number for candidate in found] == [1, 2, 3]
    assert found[0].fused == pytest.approx(1 / (1 + 0.04**SHARE_EXPONENT))
    assert found[2].lanes["lexical"].share == 0.04
    only_stop_words = fuse(lanes, kinds(4), NONE, {3: 0.0, 2: 0.0})
    assert [candidate.fused for candidate in only_stop_words] == pytest.approx([1.0, (K + 1) / (K + 2), (K + 1) / (K + 3)])
    assert [one.number for one in fuse(lanes, kinds(4), NONE, {3: 1.0, 2: 0.5})] == [3, 2, 1]


@st.composite
def rankings(draw: st.DrawFn) -> tuple[dict[Lane, list[int]], frozenset[int], dict[int, float]]:
    orders: dict[Lane, list[int]] = {
        "dense": draw(st.permutations(range(12)))[: draw(st.integers(1, 12))],
        "lexical": draw(st.permutations(range(12)))[: draw(st.integers(1, 12))],
    }
    shares = draw(st.lists(st.floats(0, 1), min_size=12, max_size=12))
    return orders, draw(st.frozensets(st.integers(0, 11))), dict(enumerate(shares))


def fused(orders: dict[Lane, list[int]], wordless: frozenset[int], shares: dict[int, float]) -> dict[int, float]:
    lanes: dict[Lane, list[tuple[int, float]]] = {name: [(number, 1.0) for number in order] for name, order in orders.items()}
    return {one.number: one.fused for one in fuse(lanes, kinds(12), wordless, shares)}


@given(drawn=rankings(), lane=st.sampled_from(["dense", "lexical"]), at=st.integers(1, 11))
def test_a_better_rank_never_lowers_the_score(
    drawn: tuple[dict[Lane, list[int]], frozenset[int], dict[int, float]], lane: Lane, at: int
) -> None:
    orders, wordless, shares = drawn
    order = orders[lane]
    if at >= len(order):
        return
    before = fused(orders, wordless, shares)
    moved = order[at]
    order[at - 1], order[at] = order[at], order[at - 1]
    assert fused(orders, wordless, shares)[moved] >= before[moved]


@given(drawn=rankings())
def test_scores_stay_between_0_and_1_and_the_nearest_wordless_passage_scores_1(
    drawn: tuple[dict[Lane, list[int]], frozenset[int], dict[int, float]],
) -> None:
    orders, wordless, shares = drawn
    scores = fused(orders, wordless, shares)
    assert all(0.0 <= score <= 1.0 for score in scores.values())
    first = orders["dense"][0]
    photo = fused({**orders, "lexical": [n for n in orders["lexical"] if n != first]}, wordless | {first}, shares)
    assert photo[first] == pytest.approx(1.0)


@given(sizes=st.lists(st.integers(1, 60), min_size=5, max_size=5), count=st.integers(1, 120), promised=st.integers(1, 20))
def test_every_kind_keeps_its_promised_places(sizes: list[int], count: int, promised: int) -> None:
    of_kind = dict(enumerate(kind for kind, size in zip(KINDS, sizes, strict=True) for _ in range(size)))
    found = fuse({"dense": [(number, 0.5) for number in of_kind], "lexical": []}, of_kind, NONE)
    chosen = choose(found, count, promised)
    assert len(chosen) == min(count, len(of_kind))
    for kind, size in zip(KINDS, sizes, strict=True):
        assert sum(one.kind == kind for one in chosen) >= min(size, promised, count // 5)


def test_every_kind_reaches_the_reranker() -> None:
    of_kind: dict[int, Kind] = {number: "text" if number < 90 else "image" for number in range(100)}
    found = fuse({"dense": [(number, 1.0 - number / 100) for number in range(100)], "lexical": []}, of_kind, NONE)
    chosen = choose(found, 20, promised=5)
    assert len(chosen) == 20
    assert sum(candidate.kind == "image" for candidate in chosen) == 5
    assert [candidate.fused for candidate in chosen] == sorted((c.fused for c in chosen), reverse=True)
    assert len(choose(found, 3, promised=5)) == 3
