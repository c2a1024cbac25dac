"""Splits many items into batches of bounded number and weight, all about equally long.

Knows numbers; knows neither what the items are nor where they go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def even_batches(items: Sequence[T], most: int, weigh: Callable[[T], int], heaviest: int) -> list[list[T]]:
    """The items, in order, in batches of at most `most` items whose weights sum to at most `heaviest`.

    An item heavier than `heaviest` is a batch of its own. No items give no batches.
    """
    if not items:
        return []
    length = -(-len(items) // -(-len(items) // most))  # even: 40 items are 20 + 20, not 32 + 8
    batches: list[list[T]] = [[]]
    held = 0
    for item in items:
        weight = weigh(item)
        if batches[-1] and (len(batches[-1]) >= length or held + weight > heaviest):
            batches.append([])
            held = 0
        batches[-1].append(item)
        held += weight
    return batches
