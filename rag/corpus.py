"""Walks a folder: which files are documents, in which order, and whether they changed since the last time.

Knows names and stat results; opens only ignore files. Knows no format, no model and no index.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rag.identity import stamp_of
from rag.suffixes import PICTURE_SUFFIXES, SUBTITLE_SUFFIXES, VIDEO_SUFFIXES

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

CAPTION_BYTES = 2_000  # a longer text beside a picture is a document of its own as well
NEVER_EMPTY = PICTURE_SUFFIXES | VIDEO_SUFFIXES | {".pdf", ".docx", ".pptx", ".xlsx", ".epub"}  # such a file is damaged
IGNORE_FILES = (".gitignore", ".ragignore")  # in this order: a later rule wins


class Root(NamedTuple):
    """A folder given to the index, under a name."""

    name: str
    folder: Path  # absolute, links resolved


class Found(NamedTuple):
    """A file that is a document. A tuple of plain values: a walk makes millions."""

    path: str  # POSIX, below the root
    stamp: str  # size, mtime, ctime and inode of the file and its companions
    modified: float  # seconds since the epoch
    companions: tuple[str, ...]  # names of caption and subtitle files in the same folder


class Ignored(NamedTuple):
    """Something left out on purpose, with the reason it is counted under."""

    path: str
    reason: str


class Blocked(NamedTuple):
    """A folder or file that cannot be looked at: what the index holds of it stays."""

    path: str
    reason: str


Seen: TypeAlias = Found | Ignored | Blocked
Rules: TypeAlias = tuple[tuple[str, "GitIgnoreSpec"], ...]  # (folder the rules stand in, below the root, with "/"; rules)


def walk(root: Root, under: str = "") -> Iterator[Seen]:
    """Everything below `root` (or below the folder or file `under`), sorted by the bytes of the path.

    Hidden files, what .gitignore and .ragignore name, sockets, FIFOs, devices and links that leave the root are `Ignored`.
    The order is that of `ORDER BY path` in the catalog, so that both can be merged without holding either.
    """
    parts = under.split("/") if under else []
    rules: Rules = ()
    is_file = bool(parts) and not root.folder.joinpath(under).is_dir()
    for depth in range(len(parts) - is_file):
        above = "".join(part + "/" for part in parts[:depth])
        try:
            rules += _rules_of(root.folder, above, frozenset(IGNORE_FILES))
        except OSError as error:
            yield Blocked(under, f"an ignore file above it cannot be read: {error.strerror}")
            return
    if is_file:
        yield from _walk_folder(root.folder, "".join(part + "/" for part in parts[:-1]), rules, only=parts[-1])
    else:
        yield from _walk_folder(root.folder, under + "/" if under else "", rules)


def _walk_folder(base: Path, prefix: str, rules: Rules, only: str | None = None) -> Iterator[Seen]:
    folder = f"{base}/{prefix}" if prefix else f"{base}/"
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=_sort_key)
    except OSError as error:
        yield Blocked(prefix.rstrip("/"), f"the folder cannot be read: {error.strerror}")
        return
    names = {entry.name for entry in entries}
    if "catalog.sqlite" in names and "segments" in names:
        yield Ignored(prefix.rstrip("/"), "an index of this program")
        return
    try:
        rules += _rules_of(base, prefix, names)
    except OSError as error:  # what it rules out must not be read by accident
        yield Blocked(prefix.rstrip("/"), f"its ignore file cannot be read: {error.strerror}")
        return
    beside = _companions(entries, lambda entry: _may_speak(base, prefix, rules, entry))
    taken = {name for group in beside.values() for name in group}
    for entry in entries:
        name = entry.name
        if only is not None and name != only:
            continue
        path = prefix + name
        if name[0] == ".":
            yield Ignored(path, "hidden")
            continue
        if rules and _ruled_out(rules, path, entry):
            yield Ignored(path, "named by .gitignore or .ragignore")
            continue
        if not _is_text(name):
            yield Blocked(path.encode("utf-8", "backslashreplace").decode(), "its name is not UTF-8: rename it")
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk_folder(base, path + "/", rules)
        elif name in taken and _is_short(entry):
            yield Ignored(path, "the caption or the subtitles of a file beside it")
        else:
            yield _look(base, folder, path, entry, beside.get(name, ()))


def _look(base: Path, folder: str, path: str, entry: os.DirEntry[str], companions: tuple[str, ...]) -> Seen:
    beside = ""
    try:
        for name in companions:
            there = Path(folder, name).stat()
            beside += f"|{name}:{there.st_size}:{there.st_mtime_ns}:{there.st_ctime_ns}:{there.st_ino}"
        found = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            if not _stays(base, entry):
                return Ignored(path, "a link that leaves the root")
            found = entry.stat()
            if stat.S_ISDIR(found.st_mode):
                return Ignored(path, "a link to a folder of the same root")
    except OSError as error:
        return Ignored(path, "a broken link") if entry.is_symlink() else Blocked(path, f"cannot be looked at: {error.strerror}")
    if not stat.S_ISREG(found.st_mode):
        return Ignored(path, "not a regular file (socket, FIFO or device)")
    if not found.st_size and _suffix(entry.name) not in NEVER_EMPTY:
        return Ignored(path, "empty")
    return Found(path, stamp_of(found) + beside, found.st_mtime, companions)


def _sort_key(entry: os.DirEntry[str]) -> bytes:
    return os.fsencode(entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name)


def composed(path: str) -> str:
    """The spelling that paths are compared in where people write them: some systems and archives decompose accents."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\udc80" <= character <= "\udcff" for character in name)


def _stays(base: Path, entry: os.DirEntry[str]) -> bool:
    return f"{os.path.realpath(entry.path)}/".startswith(f"{base}/".replace("//", "/"))


def _is_short(entry: os.DirEntry[str]) -> bool:
    try:
        return _suffix(entry.name) in SUBTITLE_SUFFIXES or entry.stat().st_size <= CAPTION_BYTES
    except OSError:  # gone since the folder was listed
        return False


def _may_speak(base: Path, prefix: str, rules: Rules, entry: os.DirEntry[str]) -> bool:
    """Whether a caption or subtitles may be read from here: what would be no document on its own says nothing of others."""
    try:
        is_file = entry.is_file() if entry.is_symlink() and _stays(base, entry) else entry.is_file(follow_symlinks=False)
    except OSError:
        return False
    return is_file and _is_text(entry.name) and not (rules and _ruled_out(rules, prefix + entry.name, entry))


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _companions(entries: list[os.DirEntry[str]], may_speak: Callable[[os.DirEntry[str]], bool]) -> dict[str, tuple[str, ...]]:
    """Which names lie beside which picture or video: `a.jpg.txt` and `a.txt` for `a.jpg`; `v.srt`, `v.en.vtt` for `v.mp4`."""
    pictures: dict[str, list[str]] = {}
    videos: dict[str, list[str]] = {}
    beside: list[os.DirEntry[str]] = []
    for entry in entries:
        suffix = _suffix(entry.name)
        if suffix in PICTURE_SUFFIXES:
            pictures.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix in VIDEO_SUFFIXES:
            videos.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix == ".txt" or suffix in SUBTITLE_SUFFIXES:
            beside.append(entry)
    if not pictures and not videos:
        return {}
    found: dict[str, list[str]] = {}
    shown = {name for group in pictures.values() for name in group}
    for name in (entry.name for entry in beside if may_speak(entry)):
        stem = name.rpartition(".")[0]
        if name.lower().endswith(".txt"):
            owners = [stem] if stem in shown else pictures.get(stem, [])
        else:
            owners = videos.get(stem) or videos.get(stem.rpartition(".")[0], [])
        for owner in owners:
            found.setdefault(owner, []).append(name)
    return {owner: tuple(names) for owner, names in found.items()}


def _rules_of(base: Path, prefix: str, names: AbstractSet[str]) -> Rules:
    lines: list[str] = []
    for name in IGNORE_FILES:
        file = base / prefix / name
        if name in names and file.is_file():
            lines += file.read_text("utf-8", errors="replace").splitlines()
    if not lines:
        return ()
    return ((prefix, _spec(lines)),)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """The rules that can be understood; git, too, passes over the others."""
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings(action="ignore"):  # of `re`, about odd sets of characters
        try:
            return GitIgnoreSpec.from_lines(lines)
        except (ValueError, re.error):
            if len(lines) == 1:
                return GitIgnoreSpec([])
            return GitIgnoreSpec([pattern for line in lines for pattern in _spec([line]).patterns])


def _ruled_out(rules: Rules, path: str, entry: os.DirEntry[str]) -> bool:
    """The rules nearest to the file win, as in git; a folder is tested with its closing slash."""
    tested = path + "/" if entry.is_dir(follow_symlinks=False) else path
    for prefix, spec in reversed(rules):
        verdict = spec.check_file(tested[len(prefix) :]).include
        if verdict is not None:
            return verdict
    return False


# ---- what changed ---------------------------------------------------------------------------


class Change(NamedTuple):
    """A document to be read: `known` where the index holds an older version of it."""

    found: Found
    known: bool


class Gone(NamedTuple):
    """A document the index holds and the walk no longer found."""

    path: str


def compare(seen: Iterable[Seen], stored: Iterable[tuple[str, str]]) -> Iterator[Change | Gone | Ignored | Blocked | None]:
    """Merges the walk with the catalog's (path, stamp), both sorted by path; None stands for an unchanged document.

    What lies in or below something `Blocked` is never `Gone`.
    """
    rows = iter(stored)
    row = next(rows, None)
    blocked: list[str] = []
    absent: list[str] = []
    for item in seen:
        if not isinstance(item, Found):
            if isinstance(item, Blocked):
                blocked.append(item.path)
            yield item
            continue
        while row is not None and row[0] < item.path:
            absent.append(row[0])
            row = next(rows, None)
        if row is not None and row[0] == item.path:
            yield None if row[1] == item.stamp else Change(item, known=True)
            row = next(rows, None)
        else:
            yield Change(item, known=False)
    while row is not None:
        absent.append(row[0])
        row = next(rows, None)
    for path in absent:
        if not any(part == "" or path == part or path.startswith(part + "/") for part in blocked):
            yield Gone(path)
