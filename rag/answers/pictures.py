"""The pictures of evidence as they are sent: read from their files and encoded once, and then kept while the file stays as it is.

Knows stored passages, their files and data URLs; knows no prompt and no model.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from rag.backends.media import image_url
from rag.corpus.sources import stamp_now
from rag.search.stored_content import read_contents
from rag.types import StoredPassage

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool
    from rag.limits import Limits
    from rag.types import Pixels

MOST_KEPT = 64 * 2**20  # characters of data URLs: about 150 pages
ENCODERS = 4  # at once


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a model is sent it."""

    url: str  # data:image/jpeg;base64,…
    width: int  # pixels, before it was encoded: what bounds its tokens
    height: int


class KeptPictures:
    """The pictures that were asked for last, bounded by their size. For any thread."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._kept: OrderedDict[Hashable, Picture] = OrderedDict()
        self._most, self._size, self._lock = most, 0, Lock()

    def get(self, key: Hashable) -> Picture | None:
        """The picture kept under a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, picture: Picture) -> None:
        """Keeps a picture; those that were not asked for longest go."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._size += len(picture.url) - (0 if before is None else len(before.url))
            self._kept[key] = picture
            while self._size > self._most:
                _, gone = self._kept.popitem(last=False)
                self._size -= len(gone.url)


_LAST = KeptPictures()


def encoded(pixels: Pixels) -> Picture:
    """Pixels (height, width, 3) as they are sent."""
    height, width = pixels.shape[:2]
    return Picture(image_url(pixels), width, height)


def pictures_of(
    stored: Sequence[StoredPassage], limits: Limits, pool: AskPool, last: KeptPictures = _LAST
) -> list[Picture | None]:
    """The pictures of passages, in order; None for one whose file cannot be read any more. `last`: those of earlier questions."""
    keys = [_key(one, limits) for one in stored]
    found = [None if key is None else last.get(key) for key in keys]
    missing = [at for at, picture in enumerate(found) if picture is None and keys[at] is not None]
    contents = read_contents([stored[at] for at in missing], limits, pool)
    shown = [(at, content.pixels[0]) for at, content in zip(missing, contents, strict=True) if content.pixels]
    with ThreadPoolExecutor(ENCODERS) as threads:
        for (at, _), picture in zip(shown, threads.map(encoded, [pixels for _, pixels in shown]), strict=True):
            found[at] = picture
            last.put(keys[at], picture)
    return found


def _key(one: StoredPassage, limits: Limits) -> Hashable | None:
    """What a picture depends on: the file as it is now, the place in it, and how large it may be. None: the file is gone."""
    try:
        now = stamp_now(one.file)
    except OSError:
        return None
    return (one.file, now, one.passage.inner, one.passage.kind, one.passage.locator, limits)
