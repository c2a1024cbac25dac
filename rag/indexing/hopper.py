"""What waits for the model: pictures and texts apart, and the next call of each.

Knows contents; knows no embedder and no thread.
"""

from __future__ import annotations

import time

from rag.indexing.batching import PIXELS, Keyed, pictures_of, pixels_of, size_of, texts_of
from rag.types import Content


class Hopper:
    """Contents by their keys, in the order they came. For one thread at a time."""

    def __init__(self, texts: int, pictures: int) -> None:
        """One call takes so many texts, or so many contents with pixels."""
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
        """For how long something has waited."""
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
        """Whether there are as many pictures as a call takes, or so many texts."""
        return len(self._shown) >= self._shown_call or self._pixels >= PIXELS or len(self._texts) >= texts

    def take(self, places: int) -> list[Keyed]:
        """The next call: pictures first, for they are large. `places` as in `take_texts`."""
        if not self._shown:
            return self.take_texts(places)
        batch = pictures_of(self._shown.items(), self._shown_call)
        for key, content in batch:
            del self._shown[key]
            self._pixels -= pixels_of(content)
        self._since = time.monotonic()
        return batch

    def take_texts(self, places: int) -> list[Keyed]:
        """The next call of texts, where the model has room for so many calls."""
        batch = texts_of(self._texts.items(), self._call, places)
        for key, _ in batch:
            del self._texts[key]
        self._since = time.monotonic()
        return batch

    def clear(self) -> int:
        """Forgets everything; gives how many bytes it was."""
        nbytes = sum(map(size_of, (*self._texts.values(), *self._shown.values())))
        self._texts.clear()
        self._shown.clear()
        self._pixels = 0
        return nbytes
