"""Counts tokens: by the model's own server, or else by an upper bound that no text and no picture exceeds.

Knows texts and sizes of pictures; knows no prompt and no server but through a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

Count = Callable[[Sequence[str]], list[int]]

PATCH = 28  # pixels on a side of what becomes one token: 28 in Qwen2.5-VL, 32 in Qwen3-VL; others make fewer tokens
AROUND = 4  # the start and the end of a picture, and a newline of the template
LEAST_PICTURE = 260  # some models make 256 tokens of any picture
TURN = 16  # tokens that a chat template adds to one turn
BOUND = "upper bound: one token a byte of UTF-8, and one for 28 × 28 pixels"


def bound(texts: Sequence[str]) -> list[int]:
    """The most tokens that each text can have: its bytes in UTF-8. Tokenizers of chat models split nothing further."""
    return [len(text.encode("utf-8", "replace")) for text in texts]


def picture_bound(width: int, height: int) -> int:
    """The most tokens of a picture of that size, in pixels."""
    return max(LEAST_PICTURE, ceil(width / PATCH) * ceil(height / PATCH) + AROUND)
