"""Gives objects as files: from the cache of this user, or fetched into it.

Knows stores and the cache; knows no format. Whoever reads a file of strangers gets the copy, and never a client.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock

from rag.config import load_settings
from rag.corpus.objects.cache import LocalFile, ObjectCache
from rag.corpus.objects.store import ObjectChanged, ObjectGone, StoredObject, fetch_into, look_at
from rag.location import ObjectPath, user_cache_folder

FRESH_SECONDS = 5.0  # that an object counts as it was seen
TRIES = 3  # for an object that changes while it is fetched
_MOST_SEEN = 4_096

Beside = tuple[tuple[str, StoredObject], ...]  # companions, by their paths from the folder of an object on


def copy_of(place: ObjectPath) -> LocalFile:
    """The object as it is now. ObjectGone, StoreFailed, OSError."""
    return copy_of_version(place, _SEEN.now(place))


def copy_of_version(place: ObjectPath, version: StoredObject, beside: Beside = ()) -> LocalFile:
    """The version that a listing showed, and with it what belongs `beside` it, each at its name from the same folder on.

    Where one has changed meanwhile it is the version of now, as the stamp of the copy says. ObjectGone, StoreFailed, OSError.
    """
    for _ in range(TRIES):
        try:
            return _copy(place, version, beside)
        except ObjectChanged as error:
            failed = error
            version = look_at(place)
            beside = tuple((name, found) for name, _ in beside if (found := _still_there(place.parent / name)))
    raise failed


def stamp_of_all(version: StoredObject, beside: Beside) -> str:
    """The stamp of an object and of what belongs to it."""
    return version.stamp + "".join(f"|{name}:{one.stamp}" for name, one in beside)


def _copy(place: ObjectPath, version: StoredObject, beside: Beside) -> LocalFile:
    cache, stamp = user_cache(), stamp_of_all(version, beside)

    def fill(folder: Path) -> None:
        for name, one in ((place.name, version), *beside):
            file = folder / name
            file.parent.mkdir(exist_ok=True, parents=True)
            with file.open("xb") as out:
                fetch_into(place.parent / name, one, out)
            os.utime(file, (one.modified, one.modified))

    size = version.size + sum(one.size for _, one in beside)
    return cache.get(str(place), stamp, place.name) or cache.put(str(place), stamp, place.name, size, fill)


def _still_there(place: ObjectPath) -> StoredObject | None:
    try:
        return look_at(place)
    except ObjectGone:
        return None


def stamp_now(place: ObjectPath) -> str:
    """The stamp of the object as it is, or was some seconds ago. ObjectGone, StoreFailed."""
    return _SEEN.now(place).stamp


@lru_cache(maxsize=1)
def user_cache() -> ObjectCache:
    """The cache of this user: $XDG_CACHE_HOME/rag/objects, as large as the settings say."""
    return ObjectCache(user_cache_folder() / "rag/objects", load_settings({}).object_cache)


class _Seen:
    """Versions of objects, for some seconds: a page of hits asks for many pictures of one document."""

    def __init__(self) -> None:
        self._seen: OrderedDict[ObjectPath, tuple[StoredObject, float]] = OrderedDict()
        self._lock = Lock()

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()

    def now(self, place: ObjectPath) -> StoredObject:
        with self._lock:
            found = self._seen.get(place)
        if found is not None and time.monotonic() - found[1] < FRESH_SECONDS:
            return found[0]
        seen = look_at(place)
        with self._lock:
            self._seen[place] = seen, time.monotonic()
            while len(self._seen) > _MOST_SEEN:
                self._seen.popitem(last=False)
        return seen


_SEEN = _Seen()
