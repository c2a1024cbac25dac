"""Which contents go to the model together: how many, how heavy, of similar length.

Knows contents; knows no embedder and no thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from typing import TypeAlias

from rag.backends.even_batches import even_batches
from rag.types import Content

Keyed: TypeAlias = tuple[bytes, Content]

TOKENS = 100_000  # of text in one call, about: a batch is padded to its longest text by some models
PIXELS = 5_500_000  # in one call: four pictures of the largest size a model sees
WINDOW = 16  # calls: texts of similar length are looked for among the oldest so many, however many wait


def pictures_of(waiting: Iterable[Keyed], most: int) -> list[Keyed]:
    """The next batch of pictures, in arrival order."""
    return even_batches(list(islice(waiting, most)), most, lambda keyed: pixels_of(keyed[1]), PIXELS)[0]


def texts_of(waiting: Iterable[Keyed], most: int, places: int) -> list[Keyed]:
    """The next batch of texts: the oldest one and others of similar length, as many as `even_part` allows."""
    oldest = list(islice(waiting, WINDOW * most))
    by_length = sorted(oldest, key=lambda one: -len(one[1].text))
    count = even_part(len(oldest), most, places)
    at = min(by_length.index(oldest[0]), len(oldest) - count)
    return even_batches(by_length[at : at + count], count, lambda keyed: tokens_of(keyed[1]), TOKENS)[0]


def even_part(waiting: int, most: int, places: int) -> int:
    """How many of `waiting` texts one call takes: up to `most`; of few, an even share per free slot, at least half of `most`."""
    parts = max(-(-waiting // most), min(places, waiting // max(1, most // 2)))
    return -(-waiting // max(1, parts))


def size_of(content: Content) -> int:
    """Bytes in memory, about."""
    return sum(pixels.nbytes for pixels in content.pixels) + 4 * len(content.text) + 200


def tokens_of(content: Content) -> int:
    """Tokens a model sees, about: one for 4 bytes of UTF-8, one for 32 × 32 pixels."""
    return len(content.text.encode("utf-8", "surrogatepass")) // 4 + pixels_of(content) // 1024 + 1


def pixels_of(content: Content) -> int:
    """Pixels of all its pictures together."""
    return sum(pixels.size for pixels in content.pixels) // 3


class PendingContents:
    """Contents waiting for the model, by key, in arrival order. Not thread-safe."""

    def __init__(self, texts: int, pictures: int) -> None:
        """`texts` and `pictures`: how many of each one call takes."""
        self._call, self._shown_call = texts, pictures
        self._shown: dict[bytes, Content] = {}  # contents with pixels
        self._texts: dict[bytes, Content] = {}  # and those without
        self._pixels = 0
        self._since = 0.0  # when the oldest of them came, or the last call was taken

    def __len__(self) -> int:
        return len(self._texts) + len(self._shown)

    def __contains__(self, key: bytes) -> bool:
        return key in self._texts or key in self._shown

    @property
    def texts(self) -> int:
        """How many texts wait."""
        return len(self._texts)

    @property
    def seconds(self) -> float:
        """Seconds since the oldest content arrived or the last call was taken."""
        return time.monotonic() - self._since

    def add(self, key: bytes, content: Content) -> None:
        """Takes a content."""
        if not self:
            self._since = time.monotonic()
        if content.pixels:
            self._shown[key] = content
            self._pixels += pixels_of(content)
        else:
            self._texts[key] = content

    def fills_a_call(self, texts: int) -> bool:
        """Whether enough pictures for a call, or `texts` texts, are waiting."""
        return len(self._shown) >= self._shown_call or self._pixels >= PIXELS or len(self._texts) >= texts

    def take(self, places: int) -> list[Keyed]:
        """The next batch: pictures first, because they are large. `places` as in `take_texts`."""
        if not self._shown:
            return self.take_texts(places)
        batch = pictures_of(self._shown.items(), self._shown_call)
        for key, content in batch:
            del self._shown[key]
            self._pixels -= pixels_of(content)
        self._since = time.monotonic()
        return batch

    def take_texts(self, places: int) -> list[Keyed]:
        """The next batch of texts, when the model has room for `places` more calls."""
        batch = texts_of(self._texts.items(), self._call, places)
        for key, _ in batch:
            del self._texts[key]
        self._since = time.monotonic()
        return batch

    def clear(self) -> int:
        """Drops everything; returns how many bytes that was."""
        nbytes = sum(map(size_of, (*self._texts.values(), *self._shown.values())))
        self._texts.clear()
        self._shown.clear()
        self._pixels = 0
        return nbytes
