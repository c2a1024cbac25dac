"""Which contents go to the model together: how many, how heavy, of similar length.

Knows contents; knows no embedder and no thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeAlias

from rag.types import Content

Keyed: TypeAlias = tuple[bytes, Content]

TOKENS = 100_000  # of text in one call, about: a batch is padded to its longest text by some models
PIXELS = 5_500_000  # in one call: four pictures of the largest size a model sees
WINDOW = 16  # calls: texts of similar length are looked for among the oldest so many, however many wait


def pictures_of(waiting: Iterable[Keyed], most: int) -> list[Keyed]:
    """The next call of pictures, in the order they came."""
    return cut(list(islice(waiting, most)), most, PIXELS, pixels_of)[0]


def texts_of(waiting: Iterable[Keyed], most: int, places: int) -> list[Keyed]:
    """The next call of texts: the oldest with others of about its length, as many as `even_part` says."""
    oldest = list(islice(waiting, WINDOW * most))
    by_length = sorted(oldest, key=lambda one: -len(one[1].text))
    count = even_part(len(oldest), most, places)
    at = min(by_length.index(oldest[0]), len(oldest) - count)
    return cut(by_length[at : at + count], count, TOKENS, tokens_of)[0]


def even_part(waiting: int, most: int, places: int) -> int:
    """How many of so many one call takes: `most` of very many; of few a part for each free place, but not less than a half."""
    parts = max(-(-waiting // most), min(places, waiting // max(1, most // 2)))
    return -(-waiting // max(1, parts))


def cut(contents: Sequence[Keyed], most: int, budget: int, weigh: Callable[[Content], int]) -> list[list[Keyed]]:
    """In order, as lists of at most `most` contents that weigh at most `budget`, or of one that weighs more; evenly long."""
    if not contents:
        return []
    length = -(-len(contents) // -(-len(contents) // most))  # even: 40 are 20 + 20, not 32 + 8
    batches: list[list[Keyed]] = [[]]
    held = 0
    for key, content in contents:
        weight = weigh(content)
        if batches[-1] and (len(batches[-1]) >= length or held + weight > budget):
            batches.append([])
            held = 0
        batches[-1].append((key, content))
        held += weight
    return batches


def size_of(content: Content) -> int:
    """Bytes in memory, about."""
    return sum(pixels.nbytes for pixels in content.pixels) + 4 * len(content.text) + 200


def tokens_of(content: Content) -> int:
    """Tokens a model sees, about: one for 4 bytes of UTF-8, one for 32 × 32 pixels."""
    return len(content.text.encode("utf-8", "surrogatepass")) // 4 + pixels_of(content) // 1024 + 1


def pixels_of(content: Content) -> int:
    """Pixels of all its pictures together."""
    return sum(pixels.size for pixels in content.pixels) // 3
