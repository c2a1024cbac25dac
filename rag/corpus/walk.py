"""Walks a corpus: which files are documents, in which order. The same rules hold for folders and for objects in a store.

Knows names, stat results and ignore files; what lists them is a tree. Knows no format, no model and no index.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from rag.corpus.companions import companions_of, is_short
from rag.corpus.digests import stamp_of
from rag.corpus.entries import Entry, Scan
from rag.corpus.file_types import CATALOG_FILE, PAGE_SUFFIXES, PICTURE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.corpus.ignore import EXCLUDED, IGNORE_FILES, Rule
from rag.corpus.scope import Scope
from rag.corpus.subtitle_folders import in_subtitle_folders, taken_from_above
from rag.corpus.tracked import GIT
from rag.location import Location, ObjectPath

NEVER_EMPTY = (  # empty, such a file is damaged
    PICTURE_SUFFIXES
    | VIDEO_SUFFIXES
    | PAGE_SUFFIXES
    | {".docx", ".pptx", ".xlsx", ".epub", ".odt", ".ods", ".odp", ".doc", ".xls", ".ppt", ".rtf"}
    | {".zip", ".tar", ".cbz", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".msg"}
)
EMPTY = "empty"  # why such a file is left out
_SHOWN = 60  # characters of a rule


class Root(NamedTuple):
    """A folder given to the index, or a prefix of an object store, under a name."""

    name: str
    folder: Location  # absolute, links resolved


class FileEntry(NamedTuple):
    """A file that is a document. A tuple of plain values, because a walk makes millions."""

    path: str  # POSIX, below the root
    stamp: str  # size, mtime, ctime and inode of the file and its companions; of objects size and ETag
    modified: float  # seconds since the epoch
    companions: tuple[str, ...]  # captions, subtitles and sidecars, as paths from its folder on


class Ignored(NamedTuple):
    """Something left out on purpose, with the reason it is counted under."""

    path: str
    reason: str


class Inaccessible(NamedTuple):
    """A folder or file that cannot be read: what the index holds of it is kept."""

    path: str
    reason: str


class Remark(NamedTuple):
    """Something a person should know of the walk; nothing was left out because of it alone."""

    text: str


ScanEvent: TypeAlias = FileEntry | Ignored | Inaccessible | Remark
Inspector: TypeAlias = Callable[[str, Entry, tuple[str, ...]], ScanEvent]  # of a path, its entry and its companions


class Tree(Protocol):
    """What a walk sees of a root. Paths are below it; those of folders end with "/", and "" is the root itself."""

    @property
    def base(self) -> Path:
        """The folder of this machine from which ignore files are read."""
        ...

    def is_folder(self, under: str) -> bool:
        """Whether what is walked is a folder, and no single file."""
        ...

    def control_files(self, above: str) -> AbstractSet[str]:
        """Ignore files and git folders that may be in a folder above what is walked. OSError."""
        ...

    def entries(self, prefix: str) -> Sequence[Entry]:
        """What is in a folder, by the bytes of its paths. OSError."""
        ...

    def place(self, prefix: str) -> str:
        """The path of a folder, as `scan` takes it and entries have it."""
        ...

    def scan(self) -> Scan:
        """What lists a folder by its path."""
        ...

    def inspector(self, prefix: str) -> Inspector:
        """What tells of each entry of a folder that is no folder what it is."""
        ...

    def stays_in_root(self, entry: Entry) -> bool:
        """Whether a link leads to something below the root."""
        ...


class FolderTree:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.base = folder

    def is_folder(self, under: str) -> bool:
        """As `Tree`."""
        return self.base.joinpath(under).is_dir()

    def control_files(self, above: str) -> AbstractSet[str]:
        """As `Tree`."""
        return {*IGNORE_FILES, *([GIT] if os.path.lexists(self.base / above / GIT) else [])}

    def entries(self, prefix: str) -> Sequence[Entry]:
        """As `Tree`."""
        with os.scandir(self.place(prefix)) as listing:
            return sorted(listing, key=_sort_key)

    def place(self, prefix: str) -> str:
        """As `Tree`."""
        return f"{self.base}/{prefix}"

    def scan(self) -> Scan:
        """As `Tree`."""
        return os.scandir

    def inspector(self, prefix: str) -> Inspector:
        """As `Tree`."""
        return partial(_inspect, self.base, self.place(prefix))

    def stays_in_root(self, entry: Entry) -> bool:
        """As `Tree`."""
        return _stays_in_root(self.base, entry)


def tree_of(root: Root, under: str) -> Tree:
    """What the root is, by what its place is. OSError where it cannot be listed."""
    if isinstance(root.folder, ObjectPath):
        from rag.corpus.objects.tree import ObjectTree

        return ObjectTree(root.folder, under)
    return FolderTree(root.folder)


def walk(root: Root, under: str = "", heeded: tuple[str, ...] = IGNORE_FILES) -> Iterator[ScanEvent]:
    """Everything below `root` (or below the folder or file `under`), sorted by the bytes of the path.

    Hidden files, what the `heeded` of .gitignore and .ragignore name, sockets, FIFOs, devices and links that leave the root are
    `Ignored`; what git tracks is read though .gitignore names it. The order is that of `ORDER BY path` in the catalog, so that
    the two can be merged as streams.
    """
    parts = under.split("/") if under else []
    try:
        tree = tree_of(root, under)
    except OSError as error:  # nothing of it is known: all that the index holds stays
        yield Inaccessible(under, error.strerror or str(error))
        return
    scope = Scope(tree.base, heeded)
    is_file = bool(parts) and not tree.is_folder(under)
    for depth in range(len(parts) - is_file):
        above = "".join(part + "/" for part in parts[:depth])
        try:
            scope = scope.below(above).entered(above, tree.control_files(above))
        except OSError as error:
            yield Inaccessible(under, f"an ignore file above it cannot be read: {error.strerror}")
            return
    if is_file:
        above = "".join(part + "/" for part in parts[:-1])
        yield from _walk_folder(root, tree, above, scope.below(above), only=parts[-1])
    else:
        folder = under + "/" if under else ""
        yield from _walk_folder(root, tree, folder, scope.below(folder))


class _Below(NamedTuple):
    """A folder to descend into next."""

    prefix: str  # its path below the root, with "/"
    scope: Scope


def _walk_folder(root: Root, tree: Tree, prefix: str, scope: Scope, only: str | None = None) -> Iterator[ScanEvent]:
    """Everything below the folder `prefix` of the root, at any depth; with `only`, just that entry of the folder."""
    open_folders = [_list_folder(root, tree, prefix, scope, only)]
    while open_folders:
        for seen in open_folders[-1]:
            if isinstance(seen, _Below):
                open_folders.append(_list_folder(root, tree, seen.prefix, seen.scope))
                break
            yield seen
        else:
            open_folders.pop()


def _list_folder(root: Root, tree: Tree, prefix: str, scope: Scope, only: str | None = None) -> Iterator[ScanEvent | _Below]:
    """The entries of one folder, in order."""
    try:
        entries = tree.entries(prefix)
    except OSError as error:
        yield Inaccessible(prefix.rstrip("/"), f"the folder cannot be read: {error.strerror}")
        return
    names = {entry.name for entry in entries}
    if CATALOG_FILE in names and "segments" in names:
        yield Ignored(prefix.rstrip("/"), "an index of this program")
        return
    try:
        scope = scope.entered(prefix, names)
    except OSError as error:  # what it rules out must not be read by accident
        yield Inaccessible(prefix.rstrip("/"), f"its ignore file cannot be read: {error.strerror}")
        return
    companions = companions_of(entries, lambda entry: _may_accompany(tree, prefix, scope, entry))
    in_folders = in_subtitle_folders(
        entries, lambda inside, entry: _may_accompany(tree, prefix + inside, scope, entry), tree.scan()
    )
    for video, name in in_folders:
        companions[video] = (*companions.get(video, ()), name)
    taken = {name for group in companions.values() for name in group} | taken_from_above(tree.place(prefix), prefix, tree.scan())
    inspect = tree.inspector(prefix)
    for entry in entries:
        name = entry.name
        if only is not None and name != only:
            continue
        path = prefix + name
        if name[0] == ".":
            yield Ignored(path, "hidden")
        elif rule := scope.leaves_out(_tested(path, entry)):
            yield Ignored(path, _reason(root, rule))
        elif not _is_utf8(name):
            yield Inaccessible(path.encode("utf-8", "backslashreplace").decode(), "its name is not UTF-8: rename it")
        elif entry.is_dir(follow_symlinks=False):
            yield _Below(path + "/", scope.below(path + "/"))
        elif name in taken and is_short(entry):
            yield Ignored(path, "the caption, subtitles or sidecar of a file beside it")
        else:
            yield inspect(path, entry, companions.get(name, ()))
    yield from map(Remark, scope.remarks())


def _tested(path: str, entry: Entry) -> str:
    """The path as rules are compared with it."""
    return path + "/" if entry.is_dir(follow_symlinks=False) else path


def _reason(root: Root, rule: Rule) -> str:
    pattern = rule.pattern if len(rule.pattern) <= _SHOWN else rule.pattern[: _SHOWN - 1] + "…"
    return f"{EXCLUDED}{root.name}/{rule.file}:{rule.line} ({pattern})"


def _inspect(base: Path, folder: str, path: str, entry: Entry, companions: tuple[str, ...]) -> ScanEvent:
    companion_stamps = ""
    try:
        for name in companions:
            there = Path(folder, name).stat()
            companion_stamps += f"|{name}:{there.st_size}:{there.st_mtime_ns}:{there.st_ctime_ns}:{there.st_ino}"
        found = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            if not _stays_in_root(base, entry):
                return Ignored(path, "a link that leaves the root")
            found = entry.stat()
            if stat.S_ISDIR(found.st_mode):
                return Ignored(path, "a link to a folder of the same root")
    except OSError as error:
        return Ignored(path, "a broken link") if entry.is_symlink() else Inaccessible(path, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(found.st_mode):
        return Ignored(path, "not a regular file (socket, FIFO or device)")
    if not found.st_size and is_left_out_empty(entry.name):
        return Ignored(path, EMPTY)
    return FileEntry(path, stamp_of(found) + companion_stamps, found.st_mtime, companions)


def is_left_out_empty(name: str) -> bool:
    """Whether a file of that name is left out where it is empty, and is not damaged."""
    return suffix_of(name) not in NEVER_EMPTY


def _sort_key(entry: os.DirEntry[str]) -> bytes:
    return os.fsencode(entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name)


def _is_utf8(name: str) -> bool:
    return name.isascii() or not any("\udc80" <= character <= "\udcff" for character in name)


def _stays_in_root(base: Path, entry: Entry) -> bool:
    return f"{os.path.realpath(entry.path)}/".startswith(f"{base}/".replace("//", "/"))


def _may_accompany(tree: Tree, prefix: str, scope: Scope, entry: Entry) -> bool:
    """Whether the file may be a caption or subtitles: only if it could also be a document of its own."""
    try:
        is_file = entry.is_file() if entry.is_symlink() and tree.stays_in_root(entry) else entry.is_file(follow_symlinks=False)
    except OSError:
        return False
    return is_file and _is_utf8(entry.name) and scope.leaves_out(prefix + entry.name) is None
