"""Random texts have exactly the tokens asked for, and nothing is sent twice."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from rag.benchmark.inputs import WORDS, RandomTexts, random_picture


def one_a_word(text: str) -> int:
    """Words and digits, as Qwen's tokenizer takes such words."""
    return len(re.findall(r"[a-z]+|\d", text))


def three_letters(text: str) -> int:
    """Pieces of at most three letters of a word, with the blank before it."""
    return sum(-(-len(word) // 3) for word in re.findall(r" ?[a-z]+|\d", text))


def letters(text: str) -> int:
    return len(text)


@pytest.mark.parametrize("count", [one_a_word, three_letters, letters])
@pytest.mark.parametrize("tokens", [1, 2, 7, 200])
def test_a_text_has_the_tokens(count, tokens) -> None:
    made = RandomTexts(tokens, count, np.random.default_rng(1)).make(12)
    found = [count(text) for text in made]
    assert found == [tokens] * 12


def test_no_text_comes_twice() -> None:
    random = np.random.default_rng(2)
    texts = RandomTexts(20, one_a_word, random)
    made = [*texts.make(50), *texts.make(50), *RandomTexts(20, one_a_word, random).make(50)]
    assert len(set(made)) == 150
    assert len({text.split()[0] for text in made}) > 75  # a prefix cache finds nothing


def test_without_a_count_a_word_is_taken_for_a_token() -> None:
    (text,) = RandomTexts(30, lambda _: None, np.random.default_rng(3)).make(1)
    assert len(text.split()) == 30 and set(text.split()) <= set(WORDS)
    assert RandomTexts(30, lambda _: None, np.random.default_rng(3)).make(0) == []


@pytest.mark.parametrize(("tokens", "side"), [(1, 64), (60, 256), (200, 448), (1_000, 1024), (10_000, 1120)])
def test_a_picture_becomes_about_as_many_tokens(tokens, side) -> None:
    """32 × 32 pixels a token, within what the model's own limits leave as it is."""
    (pixels,) = random_picture(tokens, 1).pixels
    assert pixels.shape == (side, side, 3) and pixels.dtype == np.uint8
    assert 4_096 <= side * side <= 1_310_720


def test_no_picture_comes_twice() -> None:
    made = [random_picture(16, seed).pixels[0] for seed in range(6)]
    assert all(np.abs(one.astype(int) - other).mean() > 20 for one, other in pairwise(made))
    assert np.array_equal(made[3], random_picture(16, 3).pixels[0])
