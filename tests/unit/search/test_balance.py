"""The balance of the lanes: steep scores count more, a lane that agrees with nothing counts next to nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.search.balance import ALIKE, MOST, balance

Lane = list[tuple[int, float]]


def lane(score: Callable[[int], float], first: int = 0, count: int = 100) -> Lane:
    """Passages numbered from `first`, with a score for each place."""
    return [(first + place, score(place)) for place in range(count)]


FLAT = lane(lambda place: 10 - place * 0.05)  # the 21st still has 0.9 of the best
STEEP = lane(lambda place: 10 / (1 + place))  # the 21st has 0.05 of it
NEAR = lane(lambda place: 0.9 - 0.008 * place)  # a fifth of the fall within twenty places
FALLING = lane(lambda place: 0.1 + 0.8 / (1 + place))  # nearly all of it


def test_lanes_that_fall_alike_have_the_weight_of_the_measured_ones() -> None:
    assert balance(FALLING, STEEP) == pytest.approx(ALIKE, rel=0.1)


def test_the_lane_whose_scores_fall_is_the_one_that_knows() -> None:
    assert balance(NEAR, STEEP) < 0.2 * ALIKE
    assert balance(FALLING, FLAT) == MOST


def test_a_dense_lane_that_has_none_of_the_words_counts_a_tenth() -> None:
    elsewhere = [(number + 500, score) for number, score in FALLING]
    assert balance(elsewhere, STEEP) == pytest.approx(0.1 * balance(FALLING, STEEP))


def test_a_single_passage_with_the_words_is_sure() -> None:
    assert balance(FALLING, [(0, 3.0)]) <= ALIKE
    assert balance(NEAR, [(0, 3.0)]) < 0.2 * ALIKE


@given(st.lists(st.floats(-1, 1), max_size=120), st.lists(st.floats(0, 50), max_size=120), st.integers(0, 120))
def test_any_scores_have_a_weight(dense: list[float], lexical: list[float], shift: int) -> None:
    lanes = [list(enumerate(sorted(scores, reverse=True))) for scores in (dense, lexical)]
    assert 0 <= balance(lanes[0], [(number + shift, score) for number, score in lanes[1]]) <= MOST
