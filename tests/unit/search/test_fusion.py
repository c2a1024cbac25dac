"""Fusion: its formula, that more evidence never lowers a score, and that no kind is crowded out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.search.fusion import Candidate, DenseLane, choose, cosine_itself, fuse
from rag.types import KINDS, Kind

WEIGHT = 0.25  # of the dense lane
NONE: frozenset[int] = frozenset()


def fused(
    dense: Mapping[int, float],
    lexical: Mapping[int, float],
    *,
    shares: Mapping[int, float] | None = None,
    wordless: frozenset[int] = NONE,
    kinds: Mapping[int, Kind] | None = None,
) -> list[Candidate]:
    """Lanes given as passage → score; `lexical` as BM25, which the lane gives as b / (1 + b)."""
    squashed = {number: score / (1 + score) for number, score in lexical.items()}
    lanes: dict[str, Sequence[tuple[int, float]]] = {
        "dense": sorted(dense.items(), key=lambda one: -one[1]),
        "lexical": sorted(squashed.items(), key=lambda one: -one[1]),
    }
    numbers = dense.keys() | lexical.keys()
    return fuse(
        lanes,  # type: ignore[arg-type]
        kinds or dict.fromkeys(numbers, "text"),
        wordless,
        squashed,
        shares if shares is not None else dict.fromkeys(lexical, 1.0),
        [DenseLane("dense", {number: dense.get(number, 0.0) for number in numbers}, cosine_itself, WEIGHT)],
    )


def scores(candidates: Sequence[Candidate]) -> dict[int, float]:
    return {one.number: one.fused for one in candidates}


def test_the_formula_holds() -> None:
    found = fused({1: 0.9, 2: 0.5, 3: 0.1}, {1: 8.0, 3: 4.0})
    assert [one.number for one in found] == [1, 3, 2]
    assert found[0].fused == pytest.approx(1.0)
    assert scores(found)[3] == pytest.approx((4 / 8) / (1 + WEIGHT))
    assert scores(found)[2] == pytest.approx(WEIGHT * 0.5 / (1 + WEIGHT))
    assert (found[0].lanes["lexical"].rank, found[0].lanes["dense"].rank) == (1, 1)


def test_the_best_score_says_how_sure_the_surer_lane_is() -> None:
    assert fused({1: 0.2, 2: 0.1}, {1: 3.0}, shares={1: 0.4})[0].fused == pytest.approx(0.4)
    assert fused({1: 0.7, 2: 0.1}, {1: 3.0}, shares={1: 0.4})[0].fused == pytest.approx(0.7)


def test_a_photo_without_words_is_unknown_to_the_lexical_lane_and_not_bad_there() -> None:
    lanes = {1: 0.9, 2: 0.5, 3: 0.1}, {2: 8.0, 3: 4.0}
    assert scores(fused(*lanes, wordless=frozenset({1})))[1] == pytest.approx(1.0)
    assert scores(fused(*lanes))[1] == pytest.approx(WEIGHT / (1 + WEIGHT))


def test_where_no_word_is_known_the_dense_lane_alone_orders() -> None:
    assert scores(fused({1: 0.8, 2: 0.4, 3: 0.0}, {})) == pytest.approx({1: 0.8, 2: 0.4, 3: 0.0})


def test_equal_scores_share_a_rank_and_stand_in_the_order_of_passages() -> None:
    found = fused({7: 0.5, 3: 0.5}, {7: 2.0, 3: 2.0})
    assert [one.number for one in found] == [3, 7]
    assert {one.lanes["lexical"].rank for one in found} == {1}


SIMILAR = st.floats(-1, 1, allow_subnormal=False)
BM25 = st.floats(0.01, 50)


@given(
    dense=st.lists(SIMILAR, min_size=12, max_size=12), lexical=st.dictionaries(st.integers(0, 11), BM25), more=st.floats(0, 20)
)
def test_a_better_lexical_score_never_lowers_the_score(dense: list[float], lexical: dict[int, float], more: float) -> None:
    near = dict(enumerate(dense))
    for number in lexical:
        before = scores(fused(near, lexical))[number]
        assert scores(fused(near, lexical | {number: lexical[number] + more}))[number] >= before - 1e-9


@given(
    dense=st.lists(SIMILAR, min_size=12, max_size=12),
    lexical=st.dictionaries(st.integers(0, 11), BM25),
    wordless=st.frozensets(st.integers(0, 11)),
)
def test_scores_stay_between_0_and_1_and_order_the_list(
    dense: list[float], lexical: dict[int, float], wordless: frozenset[int]
) -> None:
    words = {number: score for number, score in lexical.items() if number not in wordless}
    found = [one.fused for one in fused(dict(enumerate(dense)), words, wordless=wordless)]
    assert all(0.0 <= score <= 1.0 for score in found)
    assert found == sorted(found, reverse=True)


@given(sizes=st.lists(st.integers(1, 60), min_size=5, max_size=5), count=st.integers(1, 120), promised=st.integers(1, 20))
def test_every_kind_keeps_its_promised_places(sizes: list[int], count: int, promised: int) -> None:
    of_kind = dict(enumerate(kind for kind, size in zip(KINDS, sizes, strict=True) for _ in range(size)))
    chosen = choose(fused(dict.fromkeys(of_kind, 0.5), {}, kinds=of_kind), count, promised)
    assert len(chosen) == min(count, len(of_kind))
    for kind, size in zip(KINDS, sizes, strict=True):
        assert sum(one.kind == kind for one in chosen) >= min(size, promised, count // 5)


def test_every_kind_reaches_the_reranker() -> None:
    of_kind: dict[int, Kind] = {number: "text" if number < 90 else "image" for number in range(100)}
    found = fused({number: 1.0 - number / 100 for number in range(100)}, {}, kinds=of_kind)
    chosen = choose(found, 20, promised=5)
    assert len(chosen) == 20
    assert sum(candidate.kind == "image" for candidate in chosen) == 5
    assert [candidate.fused for candidate in chosen] == sorted((c.fused for c in chosen), reverse=True)
    assert len(choose(found, 3, promised=5)) == 3


def in_two(first: Mapping[int, float], second: Mapping[int, float], lexical: Mapping[int, float]) -> dict[int, float]:
    """The scores of candidates found by two vector spaces, the second with weight 1, and the full text."""
    squashed = {number: score / (1 + score) for number, score in lexical.items()}
    lanes = {
        "dense": sorted(first.items(), key=lambda one: -one[1]),
        "dense:other": sorted(second.items(), key=lambda one: -one[1]),
        "lexical": sorted(squashed.items(), key=lambda one: -one[1]),
    }
    numbers = first.keys() | second.keys() | lexical.keys()
    spaces = [
        DenseLane("dense", first, cosine_itself, WEIGHT, "one"),
        DenseLane("dense:other", second, cosine_itself, 1.0, "other"),
    ]
    shares = dict.fromkeys(lexical, 1.0)
    found = fuse(lanes, dict.fromkeys(numbers, "text"), NONE, squashed, shares, spaces)
    assert {one.space for candidate in found for lane, one in candidate.lanes.items() if lane != "lexical"} == {"one", "other"}
    return scores(found)


def test_two_spaces_are_two_lanes() -> None:
    found = in_two({1: 0.9, 2: 0.5, 3: 0.1}, {1: 0.2, 2: 0.8, 3: 0.2}, {1: 8.0, 3: 4.0})
    assert found[1] == pytest.approx((1 + WEIGHT) / (2 + WEIGHT))
    assert found[2] == pytest.approx((0.5 * WEIGHT + 1) / (2 + WEIGHT))
    assert found[3] == pytest.approx((4 / 8) / (2 + WEIGHT))


def test_what_a_space_lacks_is_unknown_to_it_and_not_bad() -> None:
    found = in_two({1: 0.9, 2: 0.5, 3: 0.1}, {2: 0.8, 3: 0.2}, {1: 8.0, 3: 4.0})
    assert found[1] == pytest.approx(1.0)  # best of all that know it
    assert found[3] == pytest.approx((4 / 8) / (2 + WEIGHT))
    only = in_two({1: 0.9}, {2: 0.8}, {3: 4.0})
    assert only[1] == pytest.approx(1 * WEIGHT / (1 + WEIGHT)) and only[2] == pytest.approx(1 / 2) and only[3] == 1.0
