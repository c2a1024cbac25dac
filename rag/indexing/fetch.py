"""Brings what a run reads to this machine: files of a folder are there already, objects are fetched ahead, several at once.

Knows what a walk found, and copies; opens no document and knows no index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple, Protocol

from rag.config import load_settings
from rag.corpus.file_types import shows_pictures
from rag.corpus.objects.cache import LocalFile
from rag.corpus.walk import FileEntry, Root
from rag.errors import RagError, UnreadableDocument
from rag.limits import Limits
from rag.location import ObjectPath

AT_ONCE = 16  # objects
PAUSE = 0.02  # seconds to wait for one of them


class Brought(NamedTuple):
    """A document that can be read here, or the reason why not."""

    found: FileEntry
    file: LocalFile | None
    failure: Exception | None = None


class Bringer(Protocol):
    """How the documents of one root get here."""

    def bring(self, queue: Iterable[FileEntry | None]) -> Iterator[Brought | None]:
        """What the queue gives, as it is here; None where nothing is just now."""
        ...

    def is_bringing(self) -> bool:
        """Whether a document that may caption pictures is on its way."""
        ...

    def bring_one(self, found: FileEntry) -> Brought:
        """One document, at once."""
        ...


def bringer_of(root: Root, limits: Limits) -> Bringer:
    """By the place of the root."""
    if isinstance(root.folder, ObjectPath):
        return ObjectBringer(root.folder, limits.max_file_bytes)
    return FolderBringer(root.folder)


class FolderBringer:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bring(self, queue: Iterable[FileEntry | None]) -> Iterator[Brought | None]:
        """As `Bringer`."""
        return (found and self.bring_one(found) for found in queue)

    def is_bringing(self) -> bool:
        """As `Bringer`."""
        return False

    def bring_one(self, found: FileEntry) -> Brought:
        """As `Bringer`."""
        return Brought(found, LocalFile(self._folder / found.path))


class ObjectBringer:
    """Objects below a prefix. What is on its way, or was brought and not closed, takes half of the cache, or is one object."""

    def __init__(self, prefix: ObjectPath, most_bytes: int) -> None:
        """An object of more than `most_bytes` is not fetched."""
        self._prefix, self._most_bytes = prefix, most_bytes
        self._room = load_settings({}).object_cache // 2
        self._coming: dict[Future[LocalFile], FileEntry] = {}
        self._held: list[tuple[LocalFile, int]] = []  # that are being read, with their bytes

    def bring(self, queue: Iterable[FileEntry | None]) -> Iterator[Brought | None]:
        """As `Bringer`."""
        waiting, ended = iter(queue), False
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rag-fetch") as threads:
            try:
                while self._coming or not ended:
                    while not ended and len(self._coming) < AT_ONCE and self._has_room():
                        try:
                            found = next(waiting)
                        except StopIteration:
                            ended = True
                            break
                        if found is None:
                            break
                        self._coming[threads.submit(self._fetch, found)] = found
                    here = wait(self._coming, timeout=PAUSE, return_when=FIRST_COMPLETED).done if self._coming else ()
                    if not here and not ended:
                        yield None
                    for one in [each for each in self._coming if each in here]:
                        yield self._held_back(_outcome(self._coming.pop(one), one))
            finally:
                for one in self._coming:
                    one.cancel()
                self._coming.clear()

    def is_bringing(self) -> bool:
        """As `Bringer`."""
        return any(shows_pictures(found.path) for found in self._coming.values())

    def bring_one(self, found: FileEntry) -> Brought:
        """As `Bringer`."""
        done: Future[LocalFile] = Future()
        try:
            done.set_result(self._fetch(found))
        except (RagError, OSError) as error:
            done.set_exception(error)
        return self._held_back(_outcome(found, done))

    def _has_room(self) -> bool:
        self._held = [(file, size) for file, size in self._held if file.is_held]
        return sum(map(_size, self._coming.values())) + sum(size for _, size in self._held) < self._room

    def _held_back(self, brought: Brought) -> Brought:
        if brought.file is not None:
            self._held.append((brought.file, _size(brought.found)))
        return brought

    def _fetch(self, found: FileEntry) -> LocalFile:
        from rag.corpus.objects.copies import copy_of_version
        from rag.corpus.objects.store import version_of_stamp

        size = _size(found)
        if size > self._most_bytes:
            raise UnreadableDocument(f"has {size:,} bytes; the limit max_file_bytes is {self._most_bytes:,}")
        place = self._prefix / found.path
        own, _, rest = found.stamp.partition("|")
        beside = []
        for name in found.companions:
            stamp, _, rest = rest.removeprefix(f"{name}:").partition("|")
            beside.append((name, version_of_stamp(stamp, (place.parent / name).key, found.modified)))
        return copy_of_version(place, version_of_stamp(own, place.key, found.modified), tuple(beside))


def _outcome(found: FileEntry, done: Future[LocalFile]) -> Brought:
    failure = done.exception()
    if failure is None:
        file = done.result()
        there = tuple(name for name in found.companions if (file.path.parent / name).exists())
        return Brought(found._replace(stamp=file.stamp, companions=there), file)
    if not isinstance(failure, RagError | OSError):
        raise failure
    return Brought(found, None, failure)


def _size(found: FileEntry) -> int:
    return int(found.stamp.partition(":")[0])
