"""Walks a folder: which files are documents, in which order.

Knows names and stat results; opens only ignore files. Knows no format, no model and no index.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from rag.corpus.companions import companions_of, is_short
from rag.corpus.digests import stamp_of
from rag.corpus.file_types import CATALOG_FILE, PICTURE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.corpus.ignore import EXCLUDED, IGNORE_FILES, Rule
from rag.corpus.scope import Scope
from rag.corpus.subtitle_folders import in_subtitle_folders, taken_from_above
from rag.corpus.tracked import GIT

NEVER_EMPTY = (  # empty, such a file is damaged
    PICTURE_SUFFIXES
    | VIDEO_SUFFIXES
    | {".pdf", ".docx", ".pptx", ".xlsx", ".epub", ".odt", ".ods", ".odp", ".doc", ".xls", ".ppt", ".rtf"}
    | {".zip", ".tar", ".cbz", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".msg"}
)
_SHOWN = 60  # characters of a rule


class Root(NamedTuple):
    """A folder given to the index, under a name."""

    name: str
    folder: Path  # absolute, links resolved


class FileEntry(NamedTuple):
    """A file that is a document. A tuple of plain values, because a walk makes millions."""

    path: str  # POSIX, below the root
    stamp: str  # size, mtime, ctime and inode of the file and its companions
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


def walk(root: Root, under: str = "", heeded: tuple[str, ...] = IGNORE_FILES) -> Iterator[ScanEvent]:
    """Everything below `root` (or below the folder or file `under`), sorted by the bytes of the path.

    Hidden files, what the `heeded` of .gitignore and .ragignore name, sockets, FIFOs, devices and links that leave the root are
    `Ignored`; what git tracks is read though .gitignore names it. The order is that of `ORDER BY path` in the catalog, so that
    the two can be merged as streams.
    """
    parts = under.split("/") if under else []
    scope = Scope(root.folder, heeded)
    is_file = bool(parts) and not root.folder.joinpath(under).is_dir()
    for depth in range(len(parts) - is_file):
        above = "".join(part + "/" for part in parts[:depth])
        try:
            scope = scope.below(above).entered(
                above, {*IGNORE_FILES, *([GIT] if os.path.lexists(root.folder / above / GIT) else [])}
            )
        except OSError as error:
            yield Inaccessible(under, f"an ignore file above it cannot be read: {error.strerror}")
            return
    if is_file:
        above = "".join(part + "/" for part in parts[:-1])
        yield from _walk_folder(root, above, scope.below(above), only=parts[-1])
    else:
        folder = under + "/" if under else ""
        yield from _walk_folder(root, folder, scope.below(folder))


class _Below(NamedTuple):
    """A folder to descend into next."""

    prefix: str  # its path below the root, with "/"
    scope: Scope


def _walk_folder(root: Root, prefix: str, scope: Scope, only: str | None = None) -> Iterator[ScanEvent]:
    """Everything below the folder `prefix` of the root, at any depth; with `only`, just that entry of the folder."""
    open_folders = [_list_folder(root, prefix, scope, only)]
    while open_folders:
        for seen in open_folders[-1]:
            if isinstance(seen, _Below):
                open_folders.append(_list_folder(root, seen.prefix, seen.scope))
                break
            yield seen
        else:
            open_folders.pop()


def _list_folder(root: Root, prefix: str, scope: Scope, only: str | None = None) -> Iterator[ScanEvent | _Below]:
    """The entries of one folder, in order."""
    base = root.folder
    folder = f"{base}/{prefix}" if prefix else f"{base}/"
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=_sort_key)
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
    companions = companions_of(entries, lambda entry: _may_accompany(prefix, scope, entry))
    for video, name in in_subtitle_folders(entries, lambda inside, entry: _may_accompany(prefix + inside, scope, entry)):
        companions[video] = (*companions.get(video, ()), name)
    taken = {name for group in companions.values() for name in group} | taken_from_above(folder, prefix)
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
            yield _inspect(base, folder, path, entry, companions.get(name, ()))
    yield from map(Remark, scope.remarks())


def _tested(path: str, entry: os.DirEntry[str]) -> str:
    """The path as rules are compared with it."""
    return path + "/" if entry.is_dir(follow_symlinks=False) else path


def _reason(root: Root, rule: Rule) -> str:
    pattern = rule.pattern if len(rule.pattern) <= _SHOWN else rule.pattern[: _SHOWN - 1] + "…"
    return f"{EXCLUDED}{root.name}/{rule.file}:{rule.line} ({pattern})"


def _inspect(base: Path, folder: str, path: str, entry: os.DirEntry[str], companions: tuple[str, ...]) -> ScanEvent:
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
    if not found.st_size and suffix_of(entry.name) not in NEVER_EMPTY:
        return Ignored(path, "empty")
    return FileEntry(path, stamp_of(found) + companion_stamps, found.st_mtime, companions)


def _sort_key(entry: os.DirEntry[str]) -> bytes:
    return os.fsencode(entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name)


def _is_utf8(name: str) -> bool:
    return name.isascii() or not any("\udc80" <= character <= "\udcff" for character in name)


def _stays_in_root(base: Path, entry: os.DirEntry[str]) -> bool:
    return f"{os.path.realpath(entry.path)}/".startswith(f"{base}/".replace("//", "/"))


def _may_accompany(prefix: str, scope: Scope, entry: os.DirEntry[str]) -> bool:
    """Whether the file may be a caption or subtitles: only if it could also be a document of its own."""
    base = scope.base
    try:
        is_file = entry.is_file() if entry.is_symlink() and _stays_in_root(base, entry) else entry.is_file(follow_symlinks=False)
    except OSError:
        return False
    return is_file and _is_utf8(entry.name) and scope.leaves_out(prefix + entry.name) is None
