"""The objects below a prefix as a tree of folders, for the walk.

Knows listings and keys; fetches nothing but ignore files and git's list of what it tracks. A listing is complete before anything
of it is used: of one that breaks off, what is missing would look as if it were gone.
"""

from __future__ import annotations

import errno
import shutil
import stat
import tempfile
import weakref
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from os import stat_result
from pathlib import Path

from rag.corpus.entries import Entry, Scan
from rag.corpus.ignore import IGNORE_FILES
from rag.corpus.objects.copies import Beside, stamp_of_all
from rag.corpus.objects.store import (
    ObjectGone,
    StoredObject,
    StoreFailed,
    fetch_into,
    is_object,
    list_folder,
    list_objects,
    look_at,
)
from rag.corpus.tracked import GIT
from rag.corpus.walk import EMPTY, FileEntry, Ignored, Inaccessible, Inspector, ScanEvent, is_left_out_empty
from rag.location import ObjectPath

_AFTER = chr(ord("/") + 1)  # keys of a folder come before its name with this
_MOST_NAME = 255  # bytes of a name that this machine can keep a copy under
_OF_GIT = frozenset({"index"})
_MOST_CONTROL_BYTES = 150_000_000


class ObjectEntry:
    """An object or a prefix, as `os.DirEntry` describes a file or a folder."""

    __slots__ = ("found", "name", "path")

    def __init__(self, name: str, path: str, found: StoredObject | None) -> None:
        """`path` is below the root; `found` is None for a prefix."""
        self.name, self.path, self.found = name, path, found

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a prefix."""
        return self.found is None

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is an object."""
        return self.found is not None

    def is_symlink(self) -> bool:
        """Never: stores have none."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> stat_result:
        """Size and time of an object."""
        size, at = (0, 0.0) if self.found is None else (self.found.size, self.found.modified)
        return stat_result((stat.S_IFREG if self.found else stat.S_IFDIR, 0, 0, 1, 0, 0, size, int(at), int(at), int(at)))


class ObjectTree:
    """Everything below a prefix, or below the prefix or object `under` it; a `rag.corpus.walk.Tree`."""

    def __init__(self, root: ObjectPath, under: str) -> None:
        """Lists it. OSError where the listing cannot be had to its end."""
        self._root = root
        self.base = Path(tempfile.mkdtemp(prefix="rag-ignore-")).resolve()
        weakref.finalize(self, shutil.rmtree, self.base, ignore_errors=True)
        self._below = len(root.key) + 1 if root.key else 0  # where the path below the root begins in a key
        self._objects: list[StoredObject] = []
        try:
            self._is_folder = not (under and is_object(root / under))
            self._listed = (f"{under}/" if under else "") if self._is_folder else None
            if self._is_folder:
                self._objects.extend(list_objects(root / under))
        except StoreFailed as error:
            said = f"it could not be listed to its end, and what the index holds of it is kept: {error.what}"
            raise OSError(errno.EIO, said) from error
        self._objects.sort(key=attrgetter("key"))  # most stores give them so, and not all

    def is_folder(self, under: str) -> bool:
        """As `Tree`."""
        return self._is_folder

    def control_files(self, above: str) -> AbstractSet[str]:
        """As `Tree`."""
        found = {name for name in IGNORE_FILES if self._mirror(above + name)}
        return found | ({GIT} if self._mirror(f"{above}{GIT}/index") else set())

    def entries(self, prefix: str) -> Sequence[Entry]:
        """As `Tree`."""
        found = list(self._in_folder(prefix))
        for entry in found:
            if entry.name in IGNORE_FILES and entry.is_file():
                self._mirror(entry.path)
            elif entry.name == GIT and entry.is_dir():
                for inside in self._in_folder(f"{entry.path}/"):
                    if inside.name in _OF_GIT or inside.name.startswith("sharedindex."):
                        self._mirror(inside.path)
        return found

    def place(self, prefix: str) -> str:
        """As `Tree`."""
        return prefix

    def scan(self) -> Scan:
        """As `Tree`."""
        return self._scan

    def inspector(self, prefix: str) -> Inspector:
        """As `Tree`."""
        return partial(self._inspect, prefix)

    def _inspect(self, prefix: str, path: str, entry: Entry, companions: tuple[str, ...]) -> ScanEvent:
        assert isinstance(entry, ObjectEntry) and entry.found is not None
        if not entry.found.size and is_left_out_empty(entry.name):
            return Ignored(path, EMPTY)
        if len(entry.name.encode()) > _MOST_NAME:
            return Inaccessible(path, f"its name has more than {_MOST_NAME} bytes: rename it")
        beside: Beside = tuple((name, found) for name in companions if (found := self._object(prefix + name)))
        return FileEntry(path, stamp_of_all(entry.found, beside), entry.found.modified, tuple(name for name, _ in beside))

    def stays_in_root(self, entry: Entry) -> bool:
        """As `Tree`."""
        return True

    @contextmanager
    def _scan(self, path: str) -> Iterator[Iterator[Entry]]:
        prefix = "" if path in ("", ".") else path.rstrip("/") + "/"
        yield iter(list(self._in_folder(prefix)))

    def _in_folder(self, prefix: str) -> Iterator[ObjectEntry]:
        """The objects and prefixes directly below one, in order."""
        if self._listed is None or not prefix.startswith(self._listed):
            yield from self._asked(prefix)
            return
        start = self._root.key + "/" if self._root.key else ""
        whole = start + prefix
        at = bisect_left(self._objects, whole, key=attrgetter("key"))
        while at < len(self._objects) and self._objects[at].key.startswith(whole):
            found = self._objects[at]
            name, sign, _ = found.key[len(whole) :].partition("/")
            if sign:
                yield ObjectEntry(name, prefix + name, None)
                at = bisect_left(self._objects, whole + name + _AFTER, at, key=attrgetter("key"))
            else:
                yield ObjectEntry(name, prefix + name, found)
                at += 1

    def _asked(self, prefix: str) -> list[ObjectEntry]:
        """The same of a folder outside of the listing."""
        try:
            objects, folders = list_folder(self._root / prefix)
        except StoreFailed as error:
            raise OSError(errno.EIO, error.what) from error
        self._objects = sorted({*self._objects, *objects}) if self._listed is None else self._objects
        found = [ObjectEntry(one.key.rpartition("/")[2], one.key[self._below :], one) for one in objects]
        found += [ObjectEntry(key.rpartition("/")[2], key[self._below :], None) for key in folders]
        return sorted(found, key=lambda entry: entry.path + ("/" if entry.is_dir() else ""))

    def _object(self, path: str) -> StoredObject | None:
        key = str(self._root.key + "/" if self._root.key else "") + path
        at = bisect_left(self._objects, key, key=attrgetter("key"))
        return self._objects[at] if at < len(self._objects) and self._objects[at].key == key else None

    def _mirror(self, path: str) -> bool:
        """Whether that object is there; it is fetched to where ignore files are read from. OSError where it cannot be."""
        file = self.base / path
        if file.exists():
            return True
        try:
            found = self._object(path) or look_at(self._root / path)
            if found.size > _MOST_CONTROL_BYTES:
                raise OSError(errno.EFBIG, f"it has more than {_MOST_CONTROL_BYTES:,} bytes")
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as out:
                fetch_into(self._root / path, found, out)
        except ObjectGone:
            return False
        except StoreFailed as error:
            raise OSError(errno.EIO, error.what) from error
        return True
